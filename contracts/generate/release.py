"""Releases of the contract: kept for ever, and compared with what the types say today.

`python -m contracts.generate --release` keeps the present contract as a release under the version in contracts/version.py.
"""

import json
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec
from msgspec import Raw

from contracts.decoding.codec import Event, decode, encode
from contracts.decoding.times import RFC3339
from contracts.events import TYPES, Fact, Requirement, Topic, UnpaidWork
from contracts.generate import schemas
from contracts.generate.compatibility import removed
from contracts.generate.samples import ARRIVED, AUTHORITY, EVENTS, IMPOSED, events
from contracts.rejections import Reason
from contracts.topics import kind_of, topic_of

RELEASES = "contracts/releases"

BOUNDED = {
    "$.sequence": "sums of numbers stay within 64 bits; no source has sent so many events",
    "$.data.orders_imposed": "no authority has so many orders in a month, and sums stay within 64 bits",
    "$.data.orders_ended": "the same",
    "$.data.minutes_credited": "no authority credits so much in a month, and sums stay within 64 bits",
    "$.data.month": "a month of another century is a slip of the pen, and some cannot be told in a calendar",
    "$.data.fact": "anything else never was a fact key",
}
"""Changes of 1.1.0 that refuse what 1.0.0 accepted, with the reason: an unbounded number from one sender could
stop the platform for all.
"""
SAID_SINCE = tuple(f"pattern was changed to {pattern}" for pattern in (schemas.DATE, f"^{RFC3339}$"))
"""Patterns that the rules enforced from the beginning, and that schemas state since 1.1.0."""


class Release(NamedTuple):
    """The promises of one version."""

    version: str
    schemas: dict[str, Any]
    reasons: list[str]
    corpus: dict[str, list[bytes]]
    """By topic, events that were accepted: each a JSON object with what was `sent`, and what it `means` in our own terms."""


def released(root: Path) -> list[Release]:
    """Return all releases, oldest first."""
    found = [_read(path) for path in (root / RELEASES).iterdir() if path.is_dir()]
    return sorted(found, key=lambda release: [int(part) for part in release.version.split(".")])


def today() -> dict[str, Any]:
    """Return today's schemas, by type."""
    return {name: schemas.of_event(name) for name in TYPES} | {"national.aggregates": schemas.of_aggregates()}


def broken_promises(release: Release) -> list[str]:
    """Return the broken promises of a release, in words."""
    codes = {str(reason) for reason in Reason}
    gone = [f"refusal {reason} was removed" for reason in release.reasons if reason not in codes]
    return [fault for fault in removed(release.schemas, today()) if not _is_agreed(fault)] + gone


def _is_agreed(fault: str) -> bool:
    _, path, words = fault.split(": ", 2)
    narrowed = words.startswith(("maximum was narrowed", "minimum was narrowed", "pattern was changed"))
    if path in {"$.data.to", "$.data.from"} and words == "anything else is no longer allowed":
        return True  # the rules know every code that ever existed
    return words in SAID_SINCE or (path in BOUNDED and narrowed)


def files(version: str) -> dict[str, bytes]:
    """Return what is kept of the present contract, by path below the project's root."""
    home = f"{RELEASES}/{version}"
    corpus: dict[str, list[bytes]] = {topic_of(kind, AUTHORITY): [] for kind in Topic}
    for event in _corpus():
        kind = kind_of(event.data)
        for sent in _sent(event):
            means = decode(msgspec.json.encode(sent), kind, AUTHORITY, ARRIVED)
            assert isinstance(means, Event), (sent, means)
            corpus[topic_of(kind, AUTHORITY)].append(msgspec.json.encode({"sent": sent, "means": Raw(encode(means))}))
    return {
        f"{home}/reasons.json": _json([str(reason) for reason in Reason]),
        **{f"{home}/schemas/{name}.json": _json(schema) for name, schema in today().items()},
        **{f"{home}/corpus/{name}.ndjson": b"\n".join(lines) + b"\n" for name, lines in corpus.items()},
    }


def _read(home: Path) -> Release:
    return Release(
        home.name,
        {path.stem: json.loads(path.read_text()) for path in sorted((home / "schemas").glob("*.json"))},
        json.loads((home / "reasons.json").read_text()),
        {path.stem: path.read_bytes().splitlines() for path in sorted((home / "corpus").glob("*.ndjson"))},
    )


def _corpus() -> Iterator[Event]:
    """Yield the examples, and each with every other code, limit and absence that its types allow."""
    yield from EVENTS
    for event in events(variant for example in EVENTS for variant in _variants(example.data)):
        yield msgspec.structs.replace(event, id=f"variant-{event.id}")


def _sent(event: Event) -> Iterator[dict[str, Any]]:
    """Yield the forms in which the event may be sent: as our library sends it, with nothing optional, and as others do."""
    document: dict[str, Any] = msgspec.json.decode(encode(event))
    yield document
    if event.id.startswith("example-"):
        optional = {"sequence", "producerversion", "caseload"}
        yield {name: value for name, value in document.items() if name not in optional}
        yield document | {
            "source": "/authorities/" + event.authority,
            "time": event.time.astimezone(timezone(timedelta(hours=1))).isoformat(),
            "sequence": str(event.sequence),
            "datacontenttype": "application/json",
            "dataschema": f"urn:payback:{event.type}",
        }


def _variants(fact: Fact) -> Iterator[Fact]:
    if fact is IMPOSED:
        for kind in get_args(Requirement):
            if kind is UnpaidWork:
                continue
            others = [one for one in IMPOSED.requirements if type(one) is not kind]
            yield msgspec.structs.replace(fact, requirements=(*others, kind(months=36)))
    for field in msgspec.structs.fields(fact):
        for value in _values(field.type):
            changed = msgspec.structs.replace(fact, **{field.name: value})
            if _keeps_the_rules(changed):
                yield changed


def _keeps_the_rules(fact: Fact) -> bool:
    event = next(events([fact]))
    return isinstance(decode(encode(event), kind_of(fact), event.authority, ARRIVED), Event)


def _values(annotation: Any) -> Iterator[Any]:
    """Yield every code, both limits, both truth values, and absence, as far as the type allows them."""
    for kind in _alternatives(msgspec.inspect.type_info(annotation)):
        match kind:
            case msgspec.inspect.EnumType():
                yield from kind.cls
            case msgspec.inspect.IntType(ge=lowest, le=highest):
                yield from (limit for limit in (lowest, highest) if limit is not None)
            case msgspec.inspect.BoolType():
                yield from (False, True)
            case msgspec.inspect.NoneType():
                yield None


def _alternatives(kind: msgspec.inspect.Type) -> Iterator[msgspec.inspect.Type]:
    if isinstance(kind, msgspec.inspect.Metadata):
        yield from _alternatives(kind.type)
    elif isinstance(kind, msgspec.inspect.UnionType):
        for one in kind.types:
            yield from _alternatives(one)
    else:
        yield kind


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
