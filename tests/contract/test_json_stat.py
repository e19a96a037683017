"""Figures in JSON-stat 2, read by the toolkit of those who made the format."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.reporting.disclosure.gate import Row, Why
from services.reporting.figures.answers import Answer, Question
from services.reporting.figures.quality import Quality
from services.reporting.files.json_stat import as_json_stat as as_cube
from services.reporting.files.tidy import Tidy
from services.reporting.formats.writers import as_json_stat
from services.reporting.read.queries import Grain, Span
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases.index import PUBLISHED, ReleaseInfo
from tests.support.outside.npm import asked, fetched

HOME = Path(__file__).parents[1] / "jsonstat"
SHARE = INDICATORS["placement_within_7"]
YEARS = (date(2024, 4, 1), date(2025, 4, 1))
MADE = datetime(2026, 5, 10, 9, tzinfo=UTC)
RELEASE = ReleaseInfo("2026-03.1", PUBLISHED, date(2026, 3, 1), date(2026, 5, 8), "", MADE, MADE, None, (), {})
SHOWN = {(SCOTLAND, "2024-25"): 65.5, (SCOTLAND, "2025-26"): 66.25, ("S12000005", "2025-26"): 70.0}
HIDDEN = ("S12000005", "2024-25")
NOTHING_SAID = Quality((), (), (), (), {}, [], [])


@pytest.fixture(scope="module")
def toolkit() -> Path:
    """Return the script that reads with jsonstat-toolkit."""
    return fetched(HOME, "jsonstat-toolkit") / "read.js"


def row(area: str, period: str) -> Row:
    value = SHOWN.get((area, period))
    if value is None:
        return Row(area, period, "", None, None, None, None, None, suppressed=True, why=Why.SMALL)
    return Row(area, period, "", value * 2, 200, value, value - 5, value + 5, suppressed=False)


def tidy(area: str, period: str) -> Tidy:
    found = row(area, period)
    first = YEARS[period == "2025-26"]
    names = (RELEASE.id, SHARE.id, SHARE.title, SHARE.unit, area, area, "", "year", period, first, first, "", "", "")
    figures = (found.value, found.numerator, found.denominator, found.lower, found.upper)
    return Tidy(
        *names, *figures, found.why.mark if found.why else "", provisional=False, partial=False, definition_version=2
    )


def read(toolkit: Path, document: bytes, at: Path) -> dict[str, Any]:
    at.write_bytes(document)
    return asked(toolkit, at)


def test_an_answer_is_read_with_its_areas_periods_and_marks(toolkit: Path, tmp_path: Path) -> None:
    question = Question(*YEARS, Grain("authority", "year"))
    rows = [row(*key) for key in (*SHOWN, HIDDEN)]
    answer = Answer(SHARE, question, Span(YEARS[0], date(2026, 3, 1)), RELEASE, live=False, whole=None, rows=rows)
    found = read(toolkit, msgspec.json.encode(as_json_stat(answer, NOTHING_SAID)), tmp_path / "answer.json")
    assert (found["kind"], found["ids"]) == ("dataset", ["authority", "period", "category", "figure"])
    assert (found["roles"]["geo"], found["roles"]["time"], found["roles"]["metric"]) == (
        ["authority"],
        ["period"],
        ["figure"],
    )
    cells = {(c["authority"], c["period"]): c for c in found["cells"] if c["figure"] == "value"}
    assert {key: cell["value"] for key, cell in cells.items() if cell["value"] is not None} == SHOWN
    assert (cells[HIDDEN]["value"], cells[HIDDEN]["status"]) == (None, "c")


def test_the_cube_of_a_release_is_read_with_its_indicators_and_marks(toolkit: Path, tmp_path: Path) -> None:
    document = as_cube(RELEASE, [(SHARE, [tidy(*key) for key in (*SHOWN, HIDDEN)])])
    found = read(toolkit, document, tmp_path / "cube.json")
    assert RELEASE.id in found["label"]
    cells = {(c["area"], c["year"]): c for c in found["cells"]}
    assert {key: cell["value"] for key, cell in cells.items() if cell["value"] is not None} == SHOWN
    assert (cells[HIDDEN]["value"], cells[HIDDEN]["status"]) == (None, "c")
    assert {cell["indicator"] for cell in cells.values()} == {SHARE.id}
