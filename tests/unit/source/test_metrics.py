"""The tables of docs/architecture.md say how large and how tangled the source is, and keep up with it."""

import re
from collections.abc import Sequence

import pytest

from tests.support.reports.metrics import rows
from tests.support.source import ROOT

TABLE = (ROOT / "docs/architecture.md").read_text().partition("## In numbers\n")[2].partition("\n## ")[0]
QUOTED = {row[0]: row for line in TABLE.splitlines() if len(row := tuple(line.strip("| ").split(" | "))) == 3}


def numbers(row: Sequence[str]) -> list[int]:
    """Return the numbers in a row, without those in names."""
    said = re.sub("`[^`]*`", "", " ".join(row[1:]))
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", said)]


def test_the_table_is_within_a_twentieth_of_the_source() -> None:
    for row in rows():
        assert numbers(QUOTED[row[0]]) == pytest.approx(numbers(row), rel=0.05, abs=1), row[0]
