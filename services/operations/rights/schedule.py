"""How long each kind of data may be held: a file, which operators may replace by their own once the legal bases are verified.

Lines of `kind,days,from,basis`; without days there is no limit. No basis in the shipped file was verified by a lawyer.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from services.chassis.failures import Refused

SHIPPED = Path(__file__).parent / "retention.csv"
HEADING = ["kind", "days", "from", "basis"]
KINDS = ("events", "records", "refused", "receipts", "news", "audit", "decisions", "sessions")
"""The order in which they are reported."""


class Period(NamedTuple):
    """How long one kind is held, from when, and on which basis."""

    kind: str
    days: int | None
    since: str
    basis: str

    def limit(self, now: datetime) -> datetime | None:
        """Return the limit: older data may not be held. None if there is no limit."""
        return None if self.days is None else now - timedelta(days=self.days)


Schedule = Mapping[str, Period]


def schedule(path: Path | None) -> Schedule:
    """Return the schedule by kind. Raises Refused if the file omits a kind, names another, or has a period that is not valid."""
    with (path or SHIPPED).open(newline="") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != HEADING:
        raise Refused(f"{path or SHIPPED}: the first line must be {','.join(HEADING)}")
    found = {one.kind: one for one in _periods(rows[1:], path or SHIPPED)}
    if found.keys() != set(KINDS) or len(rows) - 1 != len(KINDS):
        raise Refused(f"{path or SHIPPED}: it must name each of {', '.join(KINDS)} once")
    return found


def _periods(rows: Sequence[Sequence[str]], path: Path) -> Iterator[Period]:
    for number, row in enumerate(rows, 2):
        if len(row) != len(HEADING) or not (row[1] == "" or (row[1].isdecimal() and int(row[1]) > 0)):
            raise Refused(f"{path}, line {number}: expected kind, whole days or nothing, from what, basis")
        yield Period(row[0], int(row[1]) if row[1] else None, row[2], row[3])
