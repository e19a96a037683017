"""Finds facts under the keys that they got when a day in a key was taken as it was written: `session/20-Oct-2026`. Pure."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

from services.connect.extracts.cells import Scalar
from services.connect.faults import Unread

_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_DIGEST = re.compile(r"-[0-9a-f]{8}$")
_MIDNIGHT = re.compile(r"[T-]+00[-:]00([-:]00)?$")

ReadDay = Callable[[Scalar], date]


def known_key(key: str, known: Sequence[str], read: ReadDay) -> str:
    """Return the key under which a fact is known: its own, or an older one in which the same day was written in another way."""
    if key in known or not known or not _ISO.search(key):
        return key
    return next((one for one in known if _is_same(one, key, read)), key)


def _is_same(former: str, key: str, read: ReadDay) -> bool:
    days = _ISO.findall(key)
    found = _form(key).fullmatch(former)
    return found is not None and all(_day_in(text, read) == day for text, day in zip(found.groups(), days, strict=True))


@lru_cache(maxsize=4096)
def _form(key: str) -> re.Pattern[str]:
    """Return what a key looks like with anything in place of its days."""
    return re.compile("(.+)".join(map(re.escape, _ISO.split(key))))


def _day_in(text: str, read: ReadDay) -> str:
    """Return the day in a part of a key; empty if it is none. Blanks became hyphens there, and other signs may have a digest behind."""
    bare = _MIDNIGHT.sub("", _DIGEST.sub("", text))
    for written in (text, bare, re.sub("-+", " ", bare)):
        try:
            return read(written).isoformat()
        except Unread:
            continue
    return ""
