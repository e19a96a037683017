"""Areas beside one another: Scotland's figure is a line among theirs only where it is no sum of them."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import cast

import pytest

from contracts.authorities import AUTHORITIES
from services.reporting.disclosure.gate import Row
from services.reporting.pages.content.reader import Reader
from services.reporting.pages.content.sections.areas import by_area
from services.reporting.read.queries import Span
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator

SPAN = Span(date(2026, 3, 1), date(2026, 3, 1))


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=INDICATORS)
def test_scotland_is_in_the_scale_of_shares_and_not_of_counts(indicator: Indicator) -> None:
    """Each authority has a figure of 3; were there a line at Scotland's of 96, no bar could be told from another."""
    rows = [Row(code, "2026-03", "all", 3, 4, 3.0, None, None, False) for code in AUTHORITIES]
    scotland = replace(rows[0], authority=SCOTLAND, value=96.0)
    reader = cast("Reader", SimpleNamespace(ask=lambda *_: SimpleNamespace(rows=[*rows, scotland])))
    chart = by_area(reader, indicator, SPAN)
    out_of = indicator.denominator is not None or indicator.kind in {"population_rate", "agreement"}
    assert ("pb_reference" in chart.chart) == out_of
    assert any(row[5] for row in chart.rows) == out_of
