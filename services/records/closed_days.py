"""The days on which an authority's offices are closed besides weekends and bank holidays: a file that the authority may change.

Lines of `authority,day,name` under that heading. A change takes effect when the workers start again: they count again what it touches.
"""

import csv
from datetime import date
from hashlib import sha256
from pathlib import Path

from contracts.authorities import current_code
from services.chassis.failures import Refused
from services.records.calendar import Calendar
from services.records.holidays import scotland

SHIPPED = Path(__file__).parent / "closed_days.csv"
"""Empty: no authority's closed days are known from public sources in a form that could be checked."""
HEADING = ["authority", "day", "name"]


def calendars(path: Path | None) -> tuple[Calendar, dict[str, Calendar]]:
    """The calendar of Scotland, and those of authorities with closed days of their own. Raises Refused."""
    national = scotland()
    closed: dict[str, set[date]] = {}
    for authority, day in _read(path or SHIPPED):
        closed.setdefault(authority, set()).add(day)
    return national, {code: national.without(days, _version(national, days)) for code, days in closed.items()}


def _version(national: Calendar, days: set[date]) -> str:
    digest = sha256(" ".join(sorted(day.isoformat() for day in days)).encode()).hexdigest()[:8]
    return f"{national.version} with closed days {digest}"


def _read(path: Path) -> list[tuple[str, date]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            heading, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError) as fault:
        raise Refused(f"The closed days in {path} cannot be read") from fault
    if heading != HEADING:
        raise Refused(f"{path} must begin with {','.join(HEADING)}")
    return [_line(path, number, line) for number, line in enumerate(lines, 2) if line]


def _line(path: Path, number: int, line: list[str]) -> tuple[str, date]:
    try:
        code, day, _ = line
        authority, closed = current_code(code), date.fromisoformat(day)
    except ValueError:
        raise Refused(f"{path}, line {number}: expected authority, day as YYYY-MM-DD, name") from None
    if authority is None:
        raise Refused(f"{path}, line {number}: no authority has this code")
    return authority, closed
