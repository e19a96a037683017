"""Recognises tables by their values, whatever their headings: references of another table's orders, days, hours and who came. Pure."""

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import NamedTuple

from contracts.codes import Attendance
from services.connect.extracts.cells import Scalar, plain
from services.connect.faults import Unread
from services.connect.mapping.hints import FACTS, HOURS, ORDER
from services.connect.mapping.likeness import SURE
from services.connect.mapping.seen import DURATION, Seen, Sheet, reads
from services.connect.mapping.transforms import code_in, whole_in
from services.connect.mapping.words import TRUTHS

_MOST = 0.6
"""The share of values that tell what a column is."""
_SOME = 0.5
_LONG = 3
"""A reference of fewer signs tells nothing: it may be any number."""
_DAY = 24 * 60
"""Minutes: longer than any session."""
_DOUBT = "recognised by its values"
_SESSION = FACTS["session.recorded"]
Tells = Callable[[Seen], bool]


class Sessions(NamedTuple):
    """The columns of a table of sessions."""

    day: Seen
    attendance: Seen | None
    worked: Seen | None
    """Hours, as tables usually have them."""


def order_of(sheet: Sheet, known: Collection[str]) -> Seen | None:
    """Return the column with the reference of the order: by its heading, or since its values are references of other tables."""
    found = sheet.find(ORDER)
    if found is not None and (not known or _shared(found, known) >= _MOST):
        return found
    likeliest = max(sheet.free, key=lambda one: _shared(one, known), default=None)
    if likeliest is None or _shared(likeliest, known) < _MOST:
        return found
    sheet.doubts[likeliest.heading] = "its values are the references of another table"
    return likeliest


def references(sheets: Sequence[Sheet]) -> set[str]:
    """Return the references of orders in tables, by the headings of these."""
    orders = (sheet.find(ORDER) for sheet in sheets)
    return {plain(word) for column in orders if column is not None for word in column.words}


def _shared(column: Seen, known: Collection[str]) -> float:
    """Return the share of a column's values that are such references."""
    if not column.words or column.dated:
        return 0.0
    return sum(len(word) >= _LONG and plain(word) in known for word in column.words) / len(column.words)


def sessions_in(sheet: Sheet, order: Seen, known: Collection[str]) -> Sessions | None:
    """Return the columns of a table of sessions, if its values show that it is one: a day, and who came or how long they worked.

    Columns that only their values tell of are believed together, and in a table about the orders of another or with several rows for one.
    """
    came = _first(sheet.find(_SESSION["attendance"], Attendance), sheet.spoken_in(Attendance), tells=_tells_who_came)
    worked = _first(sheet.find(HOURS, DURATION), tells=_is_of_a_day)
    headed = came is not None or (worked is not None and _is_about(order, known))
    came = came or _free(sheet, (worked, order), _says_yes_or_no)
    worked = worked or _free(sheet, (came, order), _is_of_a_day)
    day = sheet.find(_SESSION["session_on"], date) or _free(sheet, (), lambda one: one.dated)
    if day is None or not (headed or (came and worked and _is_about(order, known))):
        return None
    return Sessions(_doubted(sheet, day), came and _doubted(sheet, came), worked and _doubted(sheet, worked))


def _first(*found: Seen | None, tells: Tells) -> Seen | None:
    return next((one for one in found if one is not None and tells(one)), None)


def _free(sheet: Sheet, taken: Collection[Seen | None], tells: Tells) -> Seen | None:
    """Return the first column without a usual heading whose values tell this."""
    free = (one for one in sheet.free if one.likely < SURE and not any(one is other for other in taken))
    return next((one for one in free if tells(one)), None)


def _doubted(sheet: Sheet, column: Seen) -> Seen:
    if column.likely < SURE:
        sheet.doubts.setdefault(column.heading, _DOUBT)
    return column


def _is_about(order: Seen, known: Collection[str]) -> bool:
    return _shared(order, known) >= _MOST or len(order.words) < len(order.filled)


def _tells_who_came(column: Seen) -> bool:
    read = code_in(Attendance, {})
    known = sum(reads(read, word) or plain(word) in TRUTHS for word in column.words)
    return bool(column.words) and known >= _SOME * len(column.words)


def _says_yes_or_no(column: Seen) -> bool:
    words = {plain(word) for word in column.words}
    return bool(words) and words <= TRUTHS.keys() and any(word.isalpha() for word in words)


def _is_of_a_day(column: Seen) -> bool:
    """Return whether most values are hours of one day, and none a date."""
    if column.dated or not column.filled:
        return False
    return sum(reads(_within_a_day, cell) for cell in column.filled) >= _MOST * len(column.filled)


def _within_a_day(cell: Scalar) -> int:
    minutes = whole_in(cell, 60, "minutes")
    if not 0 <= minutes <= _DAY:
        raise Unread("is longer than a day")
    return minutes
