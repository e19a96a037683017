"""The times of events: RFC 3339 exactly. Pure."""

import re
from datetime import datetime, timedelta

import msgspec

from contracts.rejections import Reason, Unacceptable

DAY = timedelta(days=1)
RFC3339 = (
    "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"
    r"(\.[0-9]{1,18})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
"""Only years of this century, which the rules require as well."""
LONGEST = len("2026-03-01T09:30:00.+23:59") + 18
_LEAP_SECOND = re.compile(r"(.{16}:)60(?:\.[0-9]+)?(.{1,6})")
_convert = msgspec.convert


def is_strict(raw: bytes) -> bool:
    """Return whether the time in an event, which could be read, is written according to RFC 3339. False if it is not found at once."""
    at = raw.find(b'"time":"')
    if at < 0:
        at = raw.find(b'"time": "') + 1
        if not at:
            return False
    if raw[at + 18] not in b"Tt":
        return False
    if raw[at + 27 : at + 29] == b'Z"':
        return True
    end = raw.find(b'"', at + 18)
    return (raw[end - 1] in b"Zz" or raw[end - 3 : end - 2] == b":") and end - at - 8 <= LONGEST


def instant(text: str) -> datetime:
    """Return the time, with its own offset. Raises Unacceptable.

    A leap second becomes the last microsecond before midnight, UTC: after everything before it, and on its own day.
    """
    leap = _LEAP_SECOND.fullmatch(text)
    try:
        moment: datetime = _convert(text if leap is None else f"{leap[1]}59.999999{leap[2]}", datetime)
    except msgspec.ValidationError:
        raise _bad(_FORM) from None
    if moment.tzinfo is None or not is_strict(f'"time":"{text}"'.encode()):
        raise _bad(_FORM)
    if leap is not None and _minute_of_day(moment) != 24 * 60 - 1:
        raise _bad("second 60 is a leap second, and leap seconds are inserted at 23:59 UTC only")
    return moment


_FORM = "not a time with an offset, such as 2026-03-01T09:30:00Z or 2026-03-01T09:30:00+00:00"


def _minute_of_day(moment: datetime) -> int:
    """Return the minute of the day in UTC."""
    offset = moment.utcoffset() or timedelta()
    return (moment.hour * 60 + moment.minute - offset // timedelta(minutes=1)) % (24 * 60)


def _bad(words: str) -> Unacceptable:
    return Unacceptable(Reason.BAD_TIME, "$.time", words)
