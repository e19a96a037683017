"""Numbers as people write them: with points, commas, spaces and units. Pure; raises Unread with the text of the cell."""

import re
from typing import NamedTuple

from services.connect.faults import Unread

POINT, COMMA = ".", ","
MARKS = {"point": POINT, "comma": COMMA}
"""The names in a mapping of the marks before decimals."""
_BLANKS = "\u00a0\u2007\u2009\u202f "
_BETWEEN = rf"{_BLANKS}'\u2019"
_SIGNED = re.compile(rf"([-\u2212\u2013+]?)\s*([\d.,{_BETWEEN}]*\d\.?)\s*([a-z]*)\.?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::00)?")
_SPOKEN_CLOCK = re.compile(
    r"(\d+)\s*(?:h|hrs?|hours?)\.?\s*(?:and\s*)?([0-5]?\d)\s*(?:m|mins?|minutes?)?\.?", re.IGNORECASE
)
_UNITS = {
    word: unit
    for unit, words in {
        "hours": ("h", "hr", "hrs", "hour", "hours"),
        "minutes": ("min", "mins", "minute", "minutes"),
        "months": ("mth", "mths", "month", "months"),
        "years": ("y", "yr", "yrs", "year", "years"),
        "m": ("m",),
    }.items()
    for word in words
}
_FACTORS: dict[str, dict[str, float]] = {
    "hours": {"hours": 1, "minutes": 1 / 60, "m": 1 / 60},
    "minutes": {"hours": 60, "minutes": 1, "m": 1},
    "months": {"months": 1, "m": 1, "years": 12},
    "years": {"years": 1},
    "": {},
}
"""By the unit of the contract, how many of it one of the cell's unit makes; a member without a unit takes none."""


class Written(NamedTuple):
    """A number as it stands in a cell."""

    text: str
    readings: tuple[float, ...]
    """What it may be: two numbers, the smaller first, if its one mark may stand before decimals or between thousands."""
    unit: str = ""
    """The unit that the cell itself names."""


def unit_of(member: str) -> str:
    """Return the unit of a member of the contract, which its name says; empty if it has none."""
    word = member.partition("_")[0]
    return "years" if word == "age" else word if word in _FACTORS else ""


def written(text: str) -> Written:
    """Read a number, with its unit if it has one."""
    text = text.strip()
    if clock := _CLOCK.fullmatch(text) or _SPOKEN_CLOCK.fullmatch(text):
        return Written(text, (int(clock[1]) + int(clock[2]) / 60,), "hours")
    found = _SIGNED.fullmatch(text)
    if found is None or (found[3] and found[3].casefold() not in _UNITS):
        raise Unread(f"'{text}' is not a number")
    sign = -1 if found[1] not in {"", "+"} else 1
    readings = tuple(sign * one for one in _readings(found[2].strip(), text))
    return Written(text, readings, _UNITS.get(found[3].casefold(), ""))


def _readings(body: str, text: str) -> tuple[float, ...]:
    """Return what the figures may be. Raises Unread."""
    figures, mark, rest = _parted(body)
    whole = _ungrouped(figures, mark, text) if re.search(r"\D", figures) else figures
    if (mark and not rest.isdigit() and mark + rest != POINT) or (mark == COMMA and not whole):
        raise Unread(f"'{text}' is not a number")
    decimal = float(f"{whole or 0}.{rest or 0}")
    if len(rest) == 3 and re.fullmatch(r"[1-9]\d{0,2}", figures):
        return decimal, float(whole + rest)
    return (decimal,)


def _parted(body: str) -> tuple[str, str, str]:
    """Return the figures before the mark that may stand before decimals, the mark, and those after it."""
    last = max(body.rfind(POINT), body.rfind(COMMA))
    if last < 0 or body.count(body[last]) > 1:
        return body, "", ""
    return body[:last], body[last], body[last + 1 :]


def _ungrouped(figures: str, mark: str, text: str) -> str:
    """Return figures without what stands between thousands: one kind of it, before each three. Raises Unread."""
    between = next((sign for sign in (COMMA, POINT) if sign in figures), "")
    kind = re.escape(between) or f"[{_BETWEEN}]"
    if between == mark != "" or not re.fullmatch(rf"\d{{1,3}}(?:{kind}\d{{3}})+", figures):
        raise Unread(f"'{text}' is not a number")
    return re.sub(r"\D", "", figures)


def amount(found: Written, unit: str | None, times: float, mark: str) -> float:
    """Return the number in a unit of the contract. A unit in the cell counts before `times`; None for the unit means any."""
    factor = times
    if unit is not None and found.unit:
        if found.unit not in _FACTORS[unit]:
            raise Unread(f"'{found.text}' is not a number{f' of {unit}' if unit else ''}")
        factor = _FACTORS[unit][found.unit]
    results = [round(one * factor, 6) for one in found.readings]
    return results[0] if len(results) == 1 else _decided(found, results, mark)


def _decided(found: Written, results: list[float], mark: str) -> float:
    """Return one of two readings: as the mapping says, or thousands after a comma that leaves no whole number. Raises Unread."""
    decimal, many = results
    own = POINT if POINT in found.text else COMMA
    if mark:
        return decimal if mark == own else many
    if own == COMMA and not decimal.is_integer():
        return many
    either = " or ".join(f"{one:.12g}" for one in found.readings)
    raise Unread(f"'{found.text}' may be {either}: give `decimal: comma` or `decimal: point` in the mapping")
