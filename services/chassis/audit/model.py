"""Entries of the audit, and the chain of an authority's entries. Pure.

Each entry holds the hash of the one before, so that nobody can change, remove or reorder entries unnoticed. The references that were shown
are part of it only as a salted hash: they can be erased, and the chain remains valid.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, NamedTuple

from msgspec import json

BEGINNING = bytes(32)
"""The value that the first entry of a chain holds in place of an earlier entry's hash."""
WHOLE_SERVICE = "-"
"""Used in place of an authority for entries that concern none in particular."""


class Kind(StrEnum):
    """A view or an action."""

    LOOK = "look"
    ACT = "act"


class Purpose(StrEnum):
    """The stated purpose of a view."""

    CASEWORK = "casework"
    MANAGEMENT = "management"
    DATA_QUALITY = "data_quality"
    STATISTICS = "statistics"
    INSPECTION = "inspection"
    REQUEST_OF_THE_PERSON = "request_of_the_person"
    OPERATION = "operation"
    NOT_STATED = "not_stated"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of who saw or did what. `authority` is the one whose people the entry is about, `of` the person's own; empty if there is
    none.
    """

    authority: str
    at: datetime
    who: str
    of: str
    role: str
    purpose: Purpose
    kind: Kind
    what: str
    """The route or command."""
    count: int | None
    """How many references were shown; None if it is not known."""
    references: Sequence[str] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further details of an act. Nothing here may be about a person, since it stays."""


class Link(NamedTuple):
    """The place of an entry in its chain."""

    number: int
    before: bytes
    about: bytes
    """The salted hash of its references; empty if it has none."""
    hash: bytes


class Kept(NamedTuple):
    """A stored entry. Its references and their salt are None if they were erased."""

    entry: Entry
    link: Link
    salt: bytes | None


def about(references: Sequence[str], salt: bytes) -> bytes:
    """Return the hash that represents the references in the chain."""
    return sha256(salt + json.encode(list(references))).digest() if references else b""


def link(entry: Entry, number: int, before: bytes, mark: bytes) -> Link:
    """Return the place of an entry after the one with the hash `before`; `mark` is the result of `about` for its references."""
    said = [
        number,
        before.hex(),
        mark.hex(),
        entry.authority,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        *(entry.who, entry.of, entry.role, str(entry.purpose), str(entry.kind), entry.what, entry.count),
        entry.detail,
    ]
    return Link(number, before, mark, sha256(json.encode(said, order="sorted")).digest())


class Head(NamedTuple):
    """The last entry of a chain at some time. Kept elsewhere, it shows later whether entries were removed from the end."""

    authority: str
    number: int
    hash: str
    at: datetime | None = None
    """When the entry was made; None if the note does not say."""


ERASED, TRIMMED = "erased_entries", "trimmed"
"""Details of an act: the numbers of entries whose references were erased; the head up to which old entries were deleted."""
NOTHING_IS_OLD: Final = datetime.min.replace(tzinfo=UTC)


def faults(chain: Iterable[Kept], heads: Iterable[Head] = (), old: datetime = NOTHING_IS_OLD) -> Iterator[str]:
    """Yield the errors of an authority's chain, in words, given its entries in order and heads of it that were kept elsewhere.

    What an entry says of erased references and deleted entries is trusted only if the chain is intact, and an entry that was noted
    elsewhere may be deleted only if it was made before `old`.
    """
    reading = _Reading(heads, old)
    for kept in chain:
        yield from reading.faults_of(kept)
    yield from reading.faults_at_the_end()


class _Reading:
    """A chain, as far as it was read."""

    def __init__(self, heads: Iterable[Head], old: datetime) -> None:
        self._old, self._not_seen = old, defaultdict[int, list[Head]](list)
        for head in heads:
            self._not_seen[head.number].append(head)
        self._begins: tuple[int, str] | None = None
        self._last = 0, BEGINNING
        self._nameless: set[int] = set()
        self._erased: set[int] = set()
        self._trimmed = {(0, BEGINNING.hex())}

    def faults_of(self, kept: Kept) -> Iterator[str]:
        """Yield the errors of the next entry."""
        entry, found = kept.entry, kept.link
        if self._begins is None:
            self._begins, self._last = (found.number - 1, found.before.hex()), (found.number - 1, found.before)
        if (found.number - 1, found.before) != self._last:
            yield f"entry {found.number} does not follow entry {self._last[0]}"
        is_intact = link(entry, found.number, found.before, found.about) == found
        if not is_intact:
            yield f"entry {found.number} was changed"
        if kept.salt is not None and about(entry.references, kept.salt) != found.about:
            yield f"the references of entry {found.number} were changed"
        yield from self._compared(found.number, found.hash.hex())
        if found.about and kept.salt is None:
            self._nameless.add(found.number)
        if is_intact:
            self._believe(entry.detail)
        self._last = found.number, found.hash

    def _compared(self, number: int, found: str) -> Iterator[str]:
        """Compare an entry with all that was noted of it: two notes that differ show that a chain was written anew in between."""
        if any(head.hash != found for head in self._not_seen.pop(number, ())):
            yield f"entry {number} is not the one that was noted elsewhere"

    def _believe(self, detail: Mapping[str, Any]) -> None:
        self._erased.update(detail.get(ERASED, ()))
        if TRIMMED in detail:
            self._trimmed.add((detail[TRIMMED]["number"], detail[TRIMMED]["hash"]))

    def faults_at_the_end(self) -> Iterator[str]:
        """Yield errors that show only once everything was read."""
        begins = self._begins or (0, BEGINNING.hex())
        if begins not in self._trimmed:
            yield f"entries up to {begins[0]} were taken away"
        yield from (f"the references of entry {one} were taken away" for one in sorted(self._nameless - self._erased))
        for number, heads in sorted(self._not_seen.items()):
            if number > begins[0]:
                yield f"entry {number}, which was noted elsewhere, is gone"
            elif not all(head.at and head.at < self._old for head in heads):
                yield f"entry {number}, which was noted elsewhere, was deleted before its time"
        yield from self._compared(*begins)
