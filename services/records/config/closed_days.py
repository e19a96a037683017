"""Days on which an authority's offices are closed besides weekends and bank holidays, from a file.

Lines of `authority,day,name` under that heading. A change takes effect when the workers restart: they count again whatever it affects. Days
that managers set themselves are notes (`ingest/notes`), and need no restart.
"""

from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from services.chassis.failures import Refused
from services.records.config.by_authority import Line, read
from services.records.model.bank_holidays import scotland
from services.records.model.calendar import Calendar

SHIPPED = Path(__file__).parent / "closed_days.csv"
"""Empty: no authority's closed days are known from public sources in a form that could be checked."""
HEADING = ["authority", "day", "name"]


def calendars(path: Path | None) -> tuple[Calendar, dict[str, Calendar]]:
    """Return the calendar of Scotland, and those of authorities with closed days of their own. Raises Refused."""
    national = scotland()
    closed: dict[str, set[date]] = {}
    for line in read(path or SHIPPED, HEADING):
        closed.setdefault(line.authority, set()).add(_day(line))
    return national, {code: national.without(days, _version(national, days)) for code, days in closed.items()}


@lru_cache(maxsize=64)
def with_closed_days(own: Calendar, national: Calendar, days: frozenset[date]) -> Calendar:
    """Return the authority's calendar with more closed days; its version covers all of them, whatever their source."""
    closed = (own.closed - national.closed) | days
    return national.without(closed, _version(national, set(closed))) if closed else own


def _version(national: Calendar, days: set[date]) -> str:
    digest = sha256(" ".join(sorted(day.isoformat() for day in days)).encode()).hexdigest()[:8]
    return f"{national.version} with closed days {digest}"


def _day(line: Line) -> date:
    try:
        return date.fromisoformat(line.values[0])
    except ValueError:
        raise Refused(f"{line.where}: expected authority, day as YYYY-MM-DD, name") from None
