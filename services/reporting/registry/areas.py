"""The areas of figures: Scotland, its health boards and its authorities, and which contains which. Pure."""

from datetime import date
from functools import cache
from typing import Literal, assert_never

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS, in_force
from contracts.periods import days_of, last_day

SCOTLAND = "S92000003"
AREA_NAMES = (
    {SCOTLAND: "Scotland"}
    | {code: authority.name for code, authority in AUTHORITIES.items()}
    | {code: f"{board.name} (health board area)" for code, board in HEALTH_BOARDS.items()}
)

"""The present names of areas, or those when this process started."""

Division = Literal["", "authority", "health_board"]
"""How finely an area is divided."""


def members(area: str) -> tuple[str, ...]:
    """Return the authorities that make up the area. Raises KeyError if it is not an area."""
    if area == SCOTLAND:
        return tuple(AUTHORITIES)
    return (area,) if area in AUTHORITIES else HEALTH_BOARDS[area].members


def name_on(area: str, day: date) -> str:
    """Return the area's name on that day."""
    return AUTHORITIES[area].name_on(day) if area in AUTHORITIES else AREA_NAMES[area]


def name_in(area: str, period: str) -> str:
    """Return the area's name at the end of a period, by the period's label."""
    return name_on(area, days_of(period)[1])


def is_there(area: str, first: date, last: date) -> bool:
    """Return whether the area existed on any of these days: an authority begins, and may end."""
    return area not in AUTHORITIES or AUTHORITIES[area].is_in_force(first, last)


def authorities_of(first_month: date, last_month: date) -> tuple[str, ...]:
    """Return the codes of authorities that existed in any of these months."""
    return in_force(first_month, last_day(last_month))


def to_read(area: str) -> tuple[str, ...] | None:
    """Return the authorities whose cells make up the area, as `vintages.Wanted` takes them: None for all."""
    return None if area == SCOTLAND else members(area)


@cache
def areas_of(division: Division, area: str) -> tuple[str, ...]:
    """Return the parts of the area, followed by the area itself."""
    match division:
        case "authority":
            parts = members(area)
        case "health_board" if area == SCOTLAND:
            parts = tuple(HEALTH_BOARDS)
        case "" | "health_board":
            parts = ()
        case _:
            assert_never(division)
    return tuple(dict.fromkeys((*parts, area)))


@cache
def containing(division: Division, area: str) -> dict[str, tuple[str, ...]]:
    """Return, by authority in the area, the part to which it belongs, and the area itself."""
    shown = areas_of(division, area)
    return {code: tuple(each for each in shown if code in members(each)) for code in members(area)}
