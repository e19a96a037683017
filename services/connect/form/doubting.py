"""Says which values of a column do not read as what it is taken for. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from contracts.events import Month, PersonRef
from services.connect.extracts.cells import Scalar, plain, text_of
from services.connect.form.uses import Use
from services.connect.mapping.numbers import MARKS, unit_of
from services.connect.mapping.seen import IDENTIFIER, Seen, reads
from services.connect.mapping.transforms import date_in, moment_in, month_in, whole_in

_SHOWN = 3
_LONGEST = 40
_NAMES = (
    "these look like names: two people of one name would count as one, and somebody whose name is written in two ways as two; "
    "take the column with the person's number, if there is one"
)


def doubts_of(column: Seen, use: Use, value: Mapping[str, Any], general: Mapping[str, Any]) -> Iterator[str]:
    """Yield why the values of a column may not be those of this use, as the mapping reads them."""
    if use.kind == PersonRef and column.filled and not column.fits(IDENTIFIER):
        yield _NAMES
    blank = len(column.cells) - len(column.filled)
    if use.minutes and blank and str(value.get("blank")) == "0":
        yield f"{blank} blank {'cell counts' if blank == 1 else 'cells count'} as no time"
    read = _reader(use, value, general)
    if read is not None and "otherwise" not in value:
        explained = {plain(word) for word in (*general.get("blanks", ()), *value.get("codes", {}))}
        yield from _unread([cell for cell in column.filled if plain(text_of(cell)) not in explained], read, use)


def _unread(cells: list[Scalar], read: Callable[[Scalar], Any], use: Use) -> Iterator[str]:
    wrong = list(dict.fromkeys(text_of(cell)[:_LONGEST] for cell in cells if not reads(read, cell)))
    if not wrong:
        return
    if use.born:
        yield f"{len(wrong)} of its values cannot be read as {_what(use)}"
        return
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    yield f"{', '.join(repr(one) for one in wrong[:_SHOWN])}{more} cannot be read as {_what(use)}"


def _what(use: Use) -> str:
    if use.kind is int:
        return "a whole number of minutes" if use.minutes else "a whole number"
    return "a month" if use.kind == Month else "a time" if use.kind is datetime else "a date"


def _reader(use: Use, value: Mapping[str, Any], general: Mapping[str, Any]) -> Callable[[Scalar], Any] | None:
    """Return how cells are read; None if any text may be, or each word that is not understood is asked about."""
    order = value.get("dates") or general.get("dates") or "dmy"
    if use.kind is date:
        return lambda cell: date_in(cell, order)
    if use.kind is datetime:
        return lambda cell: moment_in(cell, order, 1900)
    if use.kind == Month:
        return lambda cell: month_in(cell, order, 1900)
    if use.kind is not int:
        return None
    mark = MARKS.get(value.get("decimal") or general.get("decimal") or "", "")
    return lambda cell: whole_in(cell, _number(value.get("times", 1)), unit_of(use.member), mark)


def _number(text: Any) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
