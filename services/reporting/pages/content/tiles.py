"""A map of Scotland on which each authority is a tile of the same size, with its result. The layout is data."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from contracts.authorities import AUTHORITIES
from services.reporting.figures.answers import Question
from services.reporting.figures.comparison import compare
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import BY_AUTHORITY, Reader
from services.reporting.read.queries import Span
from services.reporting.registry.areas import authorities_of
from services.reporting.registry.indicators import Indicator
from services.reporting.statistics.funnel import Place

_LAYOUT = (
    ". . . . . . SHE",
    ". . . . . ORK .",
    "NHE . HLD MOR ABS ABE .",
    ". ARG STI PER ANG DUN .",
    "INV WDU EDU CLA FIF . .",
    ". REN GLA FAL WLO EDI ELO",
    "NAY ERE SLA NLA MLO . .",
    "SAY EAY DGA . BOR . .",
)
"""From north to south and west to east, each near its neighbours."""
SHORT = {
    "SHE": "S12000027",
    "ORK": "S12000023",
    "NHE": "S12000013",
    "HLD": "S12000017",
    "MOR": "S12000020",
    "ABS": "S12000034",
    "ABE": "S12000033",
    "ARG": "S12000035",
    "STI": "S12000030",
    "PER": "S12000048",
    "ANG": "S12000041",
    "DUN": "S12000042",
    "INV": "S12000018",
    "WDU": "S12000039",
    "EDU": "S12000045",
    "CLA": "S12000005",
    "FIF": "S12000047",
    "REN": "S12000038",
    "GLA": "S12000049",
    "FAL": "S12000014",
    "WLO": "S12000040",
    "EDI": "S12000036",
    "ELO": "S12000010",
    "NAY": "S12000021",
    "ERE": "S12000011",
    "SLA": "S12000029",
    "NLA": "S12000050",
    "MLO": "S12000019",
    "SAY": "S12000028",
    "EAY": "S12000008",
    "DGA": "S12000006",
    "BOR": "S12000026",
}
"""Short names of tiles, by code, for which there is always room."""


class Spot(NamedTuple):
    """The place of an authority on the map."""

    code: str
    short: str
    row: int
    column: int


PLACED = tuple(
    Spot(SHORT[name], name, row, column)
    for row, line in enumerate(_LAYOUT)
    for column, name in enumerate(line.split())
    if name != "."
)
_COLUMNS = len(_LAYOUT[0].split())


def placed(codes: Collection[str]) -> list[Spot]:
    """Return these from north to south, and below them authorities that the layout does not have, since they were
    added to the list later.
    """
    known = [each for each in PLACED if each.code in codes]
    others = sorted(set(codes) - {each.code for each in known})
    below = ((code, *divmod(place, _COLUMNS)) for place, code in enumerate(others))
    return [
        *known,
        *(Spot(code, AUTHORITIES[code].name[:3].upper(), len(_LAYOUT) + row, at) for code, row, at in below),
    ]


@dataclass(frozen=True, slots=True)
class Tile:
    """One authority on the map."""

    code: str
    name: str
    short: str
    row: int
    column: int
    value: str
    kind: str
    """The place against limits around Scotland: `within`, `above`, `below`, `far_above`, `far_below` or `none`."""
    told: str
    """The same place in words."""


_SAID = {
    "within": "within what chance explains",
    "above": "above Scotland, outside the 95% limits",
    "far_above": "above Scotland, outside the 99.8% limits",
    "below": "below Scotland, outside the 95% limits",
    "far_below": "below Scotland, outside the 99.8% limits",
    "none": "not compared",
}


def tiles(reader: Reader, indicator: Indicator, span: Span) -> list[Tile]:
    """Return all authorities of the time, from north to south, with one share."""
    answer = reader.ask(indicator, Question(span.first, span.last, BY_AUTHORITY))
    rows, found = {row.authority: row for row in answer.rows}, compare(answer)
    by_code = {each.row.authority: each for each in found.authorities}
    middle = 100 * (found.share or 0)
    made = []
    for code, short, row, column in placed(authorities_of(span.first, span.last)):
        each = by_code.get(code)
        kind = "none" if each is None or each.place is None else _kind(each.place, (each.row.value or 0) > middle)
        name, value = AUTHORITIES[code].name, words.figure(rows.get(code), indicator.unit)
        made.append(Tile(code, name, short, row, column, value, kind, _SAID[kind]))
    return made


def _kind(place: Place, above: bool) -> str:
    if place is Place.WITHIN:
        return "within"
    return ("far_" if place is Place.ALARM else "") + ("above" if above else "below")
