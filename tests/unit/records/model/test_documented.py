"""The documents give each standard in force, with its limit."""

from services.records.model.standards import ROWS, Standard
from tests.support.source import ROOT

PAGE = ROOT / "docs" / "standards.md"


def row(standard: Standard) -> str:
    number = standard.limit.number
    unit = str(standard.limit.unit)
    limit = f"{number} {unit.removesuffix('s') if number == 1 else unit}"
    name = f"`{standard.name}`{standard.variant and ', ' + standard.variant}"
    cells = (name, standard.title, standard.starts, limit, "yes" if standard.verified else "no")
    return f"| {' | '.join(cells)} |"


def test_every_standard_in_force_is_in_the_documents_with_its_limit() -> None:
    written = [
        line
        for line in PAGE.read_text().splitlines()
        if line.startswith("| `") and line.endswith(("| yes |", "| no |"))
    ]
    assert written == [row(standard) for standard in ROWS if standard.until is None]
