"""A person's data in the log under names that nobody knows. Pure: says what each record is to be, and changes nothing.

Everything that could tell who it is (pseudonym, references, ids) is replaced by a random name, the same for the same. The names are in the
order of what they replace, so that whatever is decided by order is decided as before, and every count stays.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from contracts.decoding.binary import from_kafka
from contracts.decoding.codec import Event, decode
from contracts.events import Topic
from contracts.topics import authority_of
from services.chassis.failures import Refused
from services.chassis.streaming.batches import Message

NAMING = ("subject", "id", "person_ref", "ref", "fact", "from_subject")
"""Members of an event that name the person, the order or what was told of it."""


class Said(NamedTuple):
    """A record of the log, in structured mode."""

    topic: str
    timestamp: int
    key: bytes | None
    value: bytes | None

    @classmethod
    def of(cls, topic: str, message: Message, timestamp: int) -> "Said":
        """The record as it came, at the time that is believed."""
        return cls(topic, timestamp, message.key, from_kafka(message.value, message.headers))

    @property
    def document(self) -> dict[str, Any]:
        """What it says; nothing where that cannot be read."""
        try:
            found = msgspec.json.decode(self.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about: a pseudonym at an authority, and the references of the orders."""

    authority: str
    pseudonym: str
    subjects: frozenset[str]

    @classmethod
    def found_in(cls, authority: str, pseudonym: str, told: Iterable[Said], others: Collection[str] = ()) -> "Person":
        """By all that was ever told of the pseudonym, but for orders that are known to be other people's."""
        person = cls(authority, pseudonym, frozenset())
        subjects = {said.document.get("subject") for said in told if person._bears_the_pseudonym(said)}
        return replace(
            person, subjects=frozenset(one for one in subjects if isinstance(one, str) and one != "-") - set(others)
        )

    def _bears_the_pseudonym(self, said: Said) -> bool:
        return self.pseudonym.encode() in (said.value or b"")

    def is_in(self, said: Said) -> bool:
        """Whether the record is about the person, in the authority's own topics or in another's that names the order's origin."""
        data = _data(said)
        if authority_of(said.topic) != self.authority:
            return data.get("from") == self.authority and data.get("from_subject") in self.subjects
        return self.owns(said) or self._bears_the_pseudonym(said)

    def owns(self, said: Said) -> bool:
        """Whether it is told of an order of the person: it may also be a mistake about another's that names the person."""
        return (
            said.document.get("subject") in self.subjects or (said.key or b"").decode(errors="replace") in self.subjects
        )


def _data(said: Said) -> dict[str, Any]:
    data = said.document.get("data")
    return data if isinstance(data, dict) else {}


@dataclass(frozen=True, slots=True)
class Renaming:
    """What everything is called from now on."""

    person: Person
    names: Mapping[str, str]

    @classmethod
    def of(cls, person: Person, told: Iterable[Said], token: str) -> "Renaming":
        """With names that begin with the token, in the order of what they replace."""
        old = {person.pseudonym, *person.subjects}
        old |= {name for said in told if person.is_in(said) for name in _names_in(said, person)}
        return cls(person, {name: f"erased-{token}-{number:06d}" for number, name in enumerate(sorted(old))})

    def renamed(self, said: Said) -> Said:
        """The same record, with the same outcome. Raises Refused where that cannot be."""
        if not self.person.is_in(said):
            return said
        key = (said.key and self.names.get(said.key.decode(errors="replace"), "").encode()) or said.key
        after = said._replace(key=key, value=self._value(said))
        if _outcome(after) != _outcome(said):
            raise Refused(
                f"A record of {said.topic} would not be taken as before under other names. Nothing was changed"
            )
        return after

    def _value(self, said: Said) -> bytes | None:
        if said.value is None:
            return None
        if isinstance(_decoded(said), Event):
            return msgspec.json.encode(self._document(said.document))
        written = re.sub(rb'"([^"\\]*)"', self._quoted, said.value)
        return written.replace(self.person.pseudonym.encode(), self.names[self.person.pseudonym].encode())

    def _document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._document(value) if isinstance(value, dict) else self._named(name, value)
            for name, value in document.items()
        }

    def _named(self, member: str, value: Any) -> Any:
        if member not in NAMING or not isinstance(value, str):
            return value
        kind, slash, ref = value.partition("/") if member == "fact" else ("", "", value)
        return f"{kind}{slash}{self.names.get(ref, ref)}"

    def _quoted(self, found: re.Match[bytes]) -> bytes:
        """A text of a refused event, which need not be where it should."""
        text = found[1].decode(errors="replace")
        return b'"' + self.names[text].encode() + b'"' if text in self.names else found[0]


def _names_in(said: Said, person: Person) -> Iterator[str]:
    """What stands in an event of the person for anything that was told. Another's event names only where its order came from."""
    if authority_of(said.topic) == person.authority and person.owns(said):
        for name, value in [*said.document.items(), *_data(said).items()]:
            if name in {"id", "ref"} and isinstance(value, str):
                yield value


def _decoded(said: Said) -> Any:
    arrived = datetime.fromtimestamp(said.timestamp / 1000, UTC)
    return decode(said.value, Topic(said.topic.rpartition(".")[0]), authority_of(said.topic), arrived)


def _outcome(said: Said) -> tuple[object, ...]:
    found = _decoded(said)
    return (found.type, found.time) if isinstance(found, Event) else (found.reason, found.path)
