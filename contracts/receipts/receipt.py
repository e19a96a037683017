"""The content of a signed receipt, and whether it proves what it says. Pure.

A receipt links one accepted event to a tree head that the platform has signed, and a later head to an earlier one. Signatures are checked
elsewhere: here, their content is given.
"""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

from contracts.receipts.merkle import HASH_BYTES, begins_with, includes, leaf_hash


class NotProven(Exception):
    """A receipt does not prove what it says: it, or what it is about, was altered. The message says what does not fit."""

    exit_status = 1


class Head(Struct, frozen=True):
    """All that was accepted in a topic up to the end of a day, as the platform signs it."""

    authority: str
    topic: str
    day: date
    """The last day in it, by the clock of London."""
    size: int
    """How many leaves there are."""
    root: str
    closed: datetime
    """When it was signed."""


class Entry(Struct, frozen=True):
    """The content of a leaf: what the platform says of one event that it accepted."""

    authority: str
    topic: str
    offset: int
    id: str
    type: str
    accepted: datetime
    """When it reached the log."""
    event: str
    """`mark_of` the event."""


class Leaf(Struct, frozen=True):
    """One accepted event, with what joins it to the head."""

    number: int
    entry: str
    """An `Entry` as JSON, to the letter as it was hashed."""
    salt: str
    path: list[str]


class Growth(Struct, frozen=True):
    """The link from the head to an earlier one of so many leaves."""

    size: int
    path: list[str]


class Receipt(Struct, frozen=True, omit_defaults=True):
    """The content of a file. Without a leaf it is about the head only."""

    head: str
    """A `Head`, signed: a JWS in compact form."""
    leaf: Leaf | None = None
    since: Growth | None = None


def mark_of(event: bytes, salt: bytes) -> str:
    """Return the mark of the exact bytes of an event. Without the salt, nobody can check whether it is the mark of an event that they
    guess.
    """
    return sha256(salt + event).hexdigest()


def read_receipt(raw: bytes) -> Receipt:
    """Read a receipt. Raises NotProven if it is not one."""
    try:
        return msgspec.json.decode(raw, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotProven("this is not a receipt") from None


def read_head(signed: bytes) -> Head:
    """Read the content of a signed head. Raises NotProven."""
    try:
        return msgspec.json.decode(signed, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotProven("the signed content is not a head of a tree") from None


def entry_of(leaf: Leaf, head: Head, event: bytes | None = None) -> Entry:
    """Return what the platform has accepted, proven to be in the tree; and, if bytes are given, that it was these. Raises NotProven."""
    entry = _read_entry(leaf.entry)
    if (entry.authority, entry.topic) != (head.authority, head.topic):
        raise NotProven("the event and the head are of different topics")
    if not includes(leaf_hash(leaf.entry.encode()), leaf.number, head.size, _hashes(leaf.path), _hash(head.root)):
        raise NotProven(
            "the event is not in the tree of this head: the entry, its number, the path or the head was altered"
        )
    if event is not None and not is_about(leaf, event):
        raise NotProven("the bytes of the accepted event differ from those of the given event")
    return entry


def is_about(leaf: Leaf, event: bytes) -> bool:
    """Return whether the leaf covers these bytes. Raises NotProven for a leaf that cannot be read."""
    return mark_of(event, _bytes(leaf.salt)) == _read_entry(leaf.entry).event


def grown(old: Head, new: Head, since: Growth | None) -> None:
    """Check that the new tree holds all of the old one, in the same order. Raises NotProven if it does not, or if two histories of one day
    were signed.
    """
    if (old.authority, old.topic) != (new.authority, new.topic):
        raise NotProven("the heads are of different topics")
    if new.day < old.day or (new.day == old.day and new.size != old.size):
        raise NotProven(
            "the second head is not of a later day: either the older one was given second, or a day was signed twice"
        )
    if new.size < old.size:
        raise NotProven(
            "the tree of the second head is smaller: events were removed, or the older one was given second"
        )
    path: Sequence[bytes] = ()
    if new.size > old.size:
        if since is None or since.size != old.size:
            raise NotProven(f"the second file has no proof for {old.size} leaves: fetch it with --since the first")
        path = _hashes(since.path)
    if not begins_with((old.size, _hash(old.root)), (new.size, _hash(new.root)), path):
        raise NotProven(
            "the new tree does not begin with the old one: something was changed, removed or put in another order"
        )


def _read_entry(text: str) -> Entry:
    try:
        return msgspec.json.decode(text, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotProven("the line about the event cannot be read") from None


def _hashes(path: Sequence[str]) -> list[bytes]:
    return [_hash(one) for one in path]


def _hash(text: str) -> bytes:
    found = _bytes(text)
    if len(found) != HASH_BYTES:
        raise NotProven("a hash has the wrong length")
    return found


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise NotProven("a hash or salt is not hexadecimal") from None
