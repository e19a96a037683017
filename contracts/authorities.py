"""The local authorities of Scotland, and the health boards that group them: the one list that every part reads.

The shipped list is `listing/authorities.toml`; PAYBACK_AUTHORITIES_PATH names a file of the operator's that adds to it. It is read once,
when a process starts. Names and authorities have first and last days; `deploy/runbooks/authorities-change.md` explains each line.
"""

from datetime import date
from hashlib import sha256
from importlib.resources import files

import msgspec

from contracts.listing.reading import LATE, Authority, HealthBoard, ListError, Listing, read_list
from contracts.listing.settings import AUTHORITIES_PATH, authorities_path

__all__ = [
    "AUTHORITIES",
    "CURRENT_CODES",
    "HEALTH_BOARDS",
    "LISTED",
    "Authority",
    "HealthBoard",
    "codes_of",
    "current_code",
    "in_force",
    "sending",
]


def _listing() -> Listing:
    """Read the list. Raises ListError."""
    shipped = files("contracts.listing").joinpath("authorities.toml").read_text(encoding="utf-8")
    path = authorities_path()
    if path is None:
        return read_list(shipped)
    try:
        own = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ListError(f"{AUTHORITIES_PATH}: {path} cannot be read") from fault
    return read_list(shipped, own, f"{AUTHORITIES_PATH}: {path}")


_LISTING = _listing()
AUTHORITIES: dict[str, Authority] = dict(_LISTING.authorities)
"""Every present, past and future authority, in the order of codes."""
HEALTH_BOARDS: dict[str, HealthBoard] = dict(_LISTING.health_boards)
CURRENT_CODES = {code: code for code in AUTHORITIES} | {
    one.retired_code: one.code for one in AUTHORITIES.values() if one.retired_code
}
"""The code in force, by every code that an authority has or had."""
LISTED = sha256(msgspec.json.encode([*AUTHORITIES.values(), *HEALTH_BOARDS.values()])).hexdigest()[:8]
"""A digest of the list, so that processes with different lists are noticed."""


def current_code(code: str) -> str | None:
    """Return the code in force for a current or retired code; None for a code that no authority ever had."""
    return CURRENT_CODES.get(code)


def codes_of(authority: str) -> list[str]:
    """Return the codes under which an authority is named: its current one, and the one that it replaced."""
    return [code for code, current in CURRENT_CODES.items() if current == authority]


def in_force(first: date, last: date | None = None) -> tuple[str, ...]:
    """Return the codes of authorities that exist on any day from `first` to `last`, or on that one day."""
    return tuple(code for code, one in AUTHORITIES.items() if one.is_in_force(first, last or first))


def sending(day: date) -> tuple[str, ...]:
    """Return the codes of authorities that may send events on that day or later. An authority that has ended may still send what it
    recorded on its last days.
    """
    return tuple(code for code, one in AUTHORITIES.items() if one.last_day is None or day <= one.last_day + LATE)
