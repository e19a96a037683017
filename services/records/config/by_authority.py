"""CSV files that operators may change: each line has an authority's code, then the columns of the heading."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from contracts.authorities import current_code
from services.chassis.failures import Refused


class Line(NamedTuple):
    """One line. `where` names it in messages."""

    where: str
    authority: str
    values: list[str]
    """The values after the authority, one for each column of the heading."""


def read(path: Path, heading: Sequence[str]) -> Iterator[Line]:
    """Yield every line below the heading. Raises Refused if the file, its heading, an authority or a line is not valid."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            found, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError) as fault:
        raise Refused(f"{path} cannot be read") from fault
    if found != list(heading):
        raise Refused(f"{path} must begin with {','.join(heading)}")
    for number, line in enumerate(lines, 2):
        if line:
            yield _line(f"{path}, line {number}", line, heading)


def _line(where: str, line: list[str], heading: Sequence[str]) -> Line:
    if len(line) != len(heading):
        raise Refused(f"{where}: expected {', '.join(heading)}")
    authority = current_code(line[0])
    if authority is None:
        raise Refused(f"{where}: no authority has this code")
    return Line(where, authority, line[1:])
