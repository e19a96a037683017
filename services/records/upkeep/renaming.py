"""Gives a person's data in the log random names. Pure: it returns each record as it must become, and changes nothing.

Everything that identifies the person (pseudonym, references, ids) becomes a random name, and equal values get the same one. The names sort
as the originals do, so that decisions by order, and every count, stay the same. A refused event keeps its form, except for names; if it
cannot be read at all, none of its content is kept.
"""

import re
from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec

from contracts.decoding.binary import from_kafka
from contracts.decoding.codec import Event, decode
from contracts.events import AUTHORITY_SUBJECT, Topic
from contracts.topics import authority_of
from services.chassis.streaming.batches import Message

OWN = ("subject", "id", "ref", "fact")
"""Members of an event about the person that name the order or a fact of it."""
SIGNATURE = "signature"
"""Removed, since it would confirm to anybody who guesses the event that the guess is right."""
INCIDENTAL = ("dataschema", "datacontenttype", "producerversion", "caseload")
"""Members that no national count depends on, and that a program may have filled with the name of an order or a person: then removed."""
ORIGIN = ("from_subject",)
"""Members of another authority's event that name the order."""
_TEXT = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NUMBER = re.compile(rb'("(?:subject|from_subject)"\s*:\s*)?(?<![\w./-])(\d+)(?![\w./-])')
"""A number, with the member before it if that is one that names an order."""
_DISTINCT = re.compile(r"(?=.*\d)(?=.*\D).{5,}|\d{7,}")
"""References distinctive enough to mean the order wherever they occur, unless they could be a date or a time."""
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_MOMENT = re.compile(
    rf"{_YEAR}(?:[-/.]{_MONTH}(?:[-/.]{_DAY})?|{_MONTH}{_DAY})"  # 2025-03, 2025-03-03, 20250303
    rf"|(?:{_DAY}|[1-9])[-/.](?:{_MONTH}|[1-9])[-/.](?:{_YEAR}|\d\d)"  # 3/3/2025
    r"|[0-2]\d:[0-5]\d(?::[0-5]\d)?"
)
_YEARS = re.compile(rf"({_YEAR})[-/.]({_YEAR}|\d\d)")
PACKED = "data_base64"
"""The member in which a body that is no JSON comes, in base64."""
_WORD = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|/)")


class Said(NamedTuple):
    """A record of the log, in structured mode."""

    topic: str
    timestamp: int
    key: bytes | None
    value: bytes | None

    @classmethod
    def of(cls, topic: str, message: Message, timestamp: int) -> "Said":
        """Return the record as it came, at the time that is used for it."""
        return cls(topic, timestamp, message.key, from_kafka(message.value, message.headers))

    @property
    def plain(self) -> str:
        """Return its text without escapes, whether or not it can be parsed."""
        # Without NUL bytes, so that UTF-16 is found too.
        written = (self.value or b"").replace(b"\0", b"").decode(errors="replace")
        if "\\" in written:
            written = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", written)
        if PACKED in written:
            written += "".join(map(_unpacked, _WORD.findall(written)))
        return written

    @property
    def document(self) -> dict[str, Any]:
        """Return its content; empty if it cannot be read."""
        try:
            found = msgspec.json.decode(self.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def subject(self) -> str:
        """Return the order's reference; empty if there is none, or one that is neither text nor a number."""
        return _text(self.document.get("subject"))

    @property
    def name(self) -> str:
        """Return the key as text."""
        return (self.key or b"").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Person:
    """The person to erase: a pseudonym at an authority, and the references of the orders."""

    authority: str
    pseudonym: str
    subjects: frozenset[str]

    @classmethod
    def found_in(cls, authority: str, pseudonym: str, told: Iterable[Said], others: Collection[str] = ()) -> "Person":
        """Find the person's orders in everything that was ever said of the pseudonym, except orders known to be other people's."""
        person = cls(authority, pseudonym, frozenset())
        subjects = {said.subject for said in told if person._bears_the_pseudonym(said)}
        return replace(person, subjects=frozenset(subjects - {"", AUTHORITY_SUBJECT, *others}))

    def _bears_the_pseudonym(self, said: Said) -> bool:
        return self.pseudonym in said.plain

    def is_in(self, said: Said) -> bool:
        """Return whether the record is about the person, in the authority's own topics or in another's that names the order's origin."""
        if authority_of(said.topic) != self.authority:
            data = _data(said)
            return data.get("from") == self.authority and _text(data.get("from_subject")) in self.subjects
        keyed = said.name in self.subjects or (self.is_within(said.name) and said.name != said.subject)
        named = keyed or self.owns(said) or self._bears_the_pseudonym(said)
        return named or (self.mentioned(said.plain) and _is_refused(said))

    def owns(self, said: Said) -> bool:
        """Return whether the record is about an order of the person. It may also be a mistake about another's order that names the person,
        or has the key.
        """
        return (said.subject or said.name) in self.subjects

    def is_within(self, word: str) -> bool:
        """Return whether a key, or a word of a program's own, is or holds the pseudonym or the reference of an order."""
        plain = word.replace("\0", "")
        held = (one for one in (self.pseudonym, *filter(_is_distinct, self.subjects)) if one in plain)
        return plain in self.subjects or any(_part(one).search(plain) for one in held)

    def mentioned(self, plain: str) -> bool:
        """Return whether a text that came to the authority names the person, or an order, perhaps in the middle of a sentence."""
        return self.pseudonym in plain or any(one in plain and _naming(one).search(plain) for one in self.subjects)


@cache
def _naming(reference: str) -> re.Pattern[str]:
    """Return a pattern for texts that name the order.

    A reference that looks like a count matches only next to a quotation mark, the other of which may be lost; one that looks like a date
    only where a reference belongs.
    """
    before, after, itself = r"(?<![\w/-])", r"(?![\w/-])", re.escape(reference)
    if _is_distinct(reference):
        return re.compile(f"{before}{itself}{after}")
    if _is_of_time(reference):
        return re.compile(rf'"(?:subject|from_subject)"\s*:\s*"?\s*{itself}{after}')
    return re.compile(f'"{itself}{after}|{before}{itself}"')


@cache
def _part(name: str) -> re.Pattern[str]:
    """Return a pattern for words that hold the name, with anything before it that cannot be part of it: `case:CPO/1`, but not `CPO/12`."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?![\w/-])")


def _is_distinct(reference: str) -> bool:
    return bool(_DISTINCT.fullmatch(reference)) and not _is_of_time(reference)


def _is_of_time(reference: str) -> bool:
    """Return whether it could be a time, or two consecutive years: events are full of those. 2024/17 and 20241234 could not."""
    years = _YEARS.fullmatch(reference)
    return bool(_MOMENT.fullmatch(reference)) or (years is not None and (int(years[1]) + 1 - int(years[2])) % 100 == 0)


def _unpacked(word: str) -> str:
    """Return what a word of base64 holds; empty for any other."""
    try:
        return b64decode(word, validate=True).replace(b"\0", b"").decode(errors="replace")
    except ValueError:
        return ""


def _text(value: Any) -> str:
    """Return a reference as text, also if it was sent as a number and refused for that."""
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def _data(said: Said) -> dict[str, Any]:
    data = said.document.get("data")
    return data if isinstance(data, dict) else {}


@dataclass(frozen=True, slots=True)
class Renaming:
    """The new names of everything that identifies the person."""

    person: Person
    names: Mapping[str, str]

    @classmethod
    def of(cls, person: Person, told: Iterable[Said], token: str) -> "Renaming":
        """Make names that begin with the token and sort as the originals do."""
        old = {person.pseudonym, *person.subjects}
        old |= {name for said in told if person.is_in(said) for name in _names_in(said, person)}
        return cls(person, {name: f"erased-{token}-{number:06d}" for number, name in enumerate(sorted(old))})

    def renamed(self, said: Said) -> Said:
        """Return the record under the new names. `alike` checks whether it will be accepted or refused as before."""
        return said._replace(key=self._key(said), value=self._value(said)) if self.person.is_in(said) else said

    def _key(self, said: Said) -> bytes | None:
        if authority_of(said.topic) != self.person.authority:
            return said.key
        if said.name in self.names:
            return self.names[said.name].encode()
        holds = said.name != said.subject and self.person.is_within(said.name)
        return self.names[self.person.pseudonym].encode() if holds else said.key

    def _value(self, said: Said) -> bytes | None:
        if said.value is None:
            return None
        if not _is_refused(said):
            told = {name: value for name, value in said.document.items() if not self._is_dropped(name, value)}
            if isinstance(source := told.get("source"), str):
                told["source"] = self._source(source)
            return msgspec.json.encode(self._written(told, self._naming(said)))
        blank = said._replace(value=self.names[self.person.pseudonym].encode())
        if alike(blank, said):
            return blank.value
        return _NUMBER.sub(self._numbered, _TEXT.sub(self._quoted, said.value))

    def _is_dropped(self, name: str, value: Any) -> bool:
        return name == SIGNATURE or (name in INCIDENTAL and isinstance(value, str) and self.person.is_within(value))

    def _source(self, source: str) -> str:
        """Return the source with another name in place of a system that is called by a name of the person's."""
        authority, between, system = source.partition("/systems/")
        return f"{authority}{between}{self.names[self.person.pseudonym]}" if self.person.is_within(system) else source

    def _naming(self, said: Said) -> Collection[str]:
        """Return the members that can hold names of the person's: elsewhere, the same text may be somebody else's."""
        if authority_of(said.topic) != self.person.authority:
            return ORIGIN
        return OWN if self.person.owns(said) else ()

    def _written(self, value: Any, naming: Collection[str], member: str = "") -> Any:
        match value:
            case dict():
                return {name: self._written(one, naming, name) for name, one in value.items()}
            case str() if member in naming:
                return self._named(value)
            case str() if member == "person_ref":
                return self.names.get(value, value)
            case _:
                return value

    def _named(self, value: str) -> str:
        """Replace the name that the value is, or with which the key of a fact ends; spaces around it stay."""
        alone = value.strip()
        name = next((one for one in (alone, alone.partition("/")[2]) if one in self.names), None)
        if name is None:
            return value
        before, _, after = value.rpartition(name)
        return f"{before}{self.names[name]}{after}"

    def _quoted(self, found: re.Match[bytes]) -> bytes:
        """Replace a text of a refused event, which may be anywhere in it."""
        try:
            before = msgspec.json.decode(found[0], type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            before = found[1].decode(errors="replace")
        if self.person.mentioned(_unpacked(before)):
            return b'""'
        after = self._named(before).replace(self.person.pseudonym, self.names[self.person.pseudonym])
        for subject in filter(_is_distinct, self.person.subjects):
            after = _naming(subject).sub(self.names[subject], after)
        return found[0] if after == before else msgspec.json.encode(after)

    def _numbered(self, found: re.Match[bytes]) -> bytes:
        """Replace a number of a refused event by a number, since it may be what the event was refused for."""
        number = found[2].decode()
        names = number in self.person.subjects and bool(found[1] or _is_distinct(number))
        return (found[1] or b"") + b"0" if names else found[0]


def _names_in(said: Said, person: Person) -> Iterator[str]:
    """Yield the names in an event of the person. Another authority's event names only where its order came from."""
    if authority_of(said.topic) == person.authority and person.owns(said):
        for name, value in [*said.document.items(), *_data(said).items()]:
            if name in {"id", "ref"} and isinstance(value, str):
                yield value
            if name == "fact" and isinstance(value, str) and "/" in value:
                yield value.partition("/")[2]


def _decoded(said: Said) -> Any:
    arrived = datetime.fromtimestamp(said.timestamp / 1000, UTC)
    return decode(said.value, Topic(said.topic.rpartition(".")[0]), authority_of(said.topic), arrived)


def _is_refused(said: Said) -> bool:
    return not isinstance(_decoded(said), Event)


def alike(one: Said, other: Said) -> bool:
    """Return whether both are accepted, or refused, in the same way."""
    return one == other or _outcome(one) == _outcome(other)


def _outcome(said: Said) -> tuple[object, ...]:
    found = _decoded(said)
    return (found.type, found.time) if isinstance(found, Event) else (found.reason, found.path)
