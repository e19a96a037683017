"""`python -m tests.faults.alerts.taken FILE...`: puts what `make alerts` printed into docs/operator.md.

The first file is of a whole run; a row of a later one takes the place of an earlier one of the same fault, and the page says so.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

from tests.faults.alerts.__main__ import HEADINGS, NOT_PROVED, NOT_TRIED

WIDTH = 140
PAGE = Path(__file__).parents[3] / "docs" / "operator.md"
_ROW = re.compile(r"^\| (.*?) \|$", re.MULTILINE)
_MEASURED = re.compile(r"^Measured (on .*): \d+ of \d+ as they must be\.$", re.MULTILINE)
_TABLE = re.compile(r"Measured on [^|]*?\n\n\| fault \| alert .*?\n(?=\n)", re.DOTALL)
_SEVERAL = re.compile(r", in one run")
Rows = Mapping[tuple[str, str], str]
"""By fault and alert, the row."""


class Printed(NamedTuple):
    """The rows and the last line that one run printed."""

    rows: Rows
    when: str
    """And on what, and for how long."""


def read(text: str) -> Printed:
    """Return what was printed. Raises ValueError if it is not whole."""
    if (when := _MEASURED.search(text)) is None:
        raise ValueError("the run did not end: no line says when it was")
    rows = {
        (cells[0], cells[1]): row for row, cells in ((found[0], found[1].split(" | ")) for found in _ROW.finditer(text))
    }
    return Printed({key: row for key, row in rows.items() if key not in {HEADINGS[:2], ("---", "---")}}, when[1])


def page(old: str, runs: Sequence[Printed]) -> str:
    """Return the page with these runs in place of those before. Raises ValueError if it has no table."""
    rows, words = dict(runs[0].rows), f"Measured {runs[0].when}."
    for run in runs[1:]:
        taken = {key: row for key, row in run.rows.items() if key in rows and _was_measured(row)}
        rows |= taken
        names = ", ".join(f"{alert} ({fault})" for fault, alert in taken)
        words += f" From another run, {_SEVERAL.sub(',', run.when)}: {names}."
    lines = (f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}", *rows.values())
    new, number = _TABLE.subn(
        lambda _: fill(words, WIDTH, break_on_hyphens=False) + "\n\n" + "".join(f"{line}\n" for line in lines), old
    )
    if number != 1:
        raise ValueError("the page has no such table")
    return new


def _was_measured(row: str) -> bool:
    return not {NOT_PROVED, NOT_TRIED} & set(row.strip("| ").split(" | "))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), [read(Path(name).read_text()) for name in sys.argv[1:]]))
