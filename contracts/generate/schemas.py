"""JSON Schema 2020-12 of each event, as it is sent: the whole CloudEvent."""

from collections.abc import Iterable
from typing import Any

import msgspec

from contracts import codes
from contracts.cells import Cell, Position
from contracts.codes import Code
from contracts.decoding.envelope import TYPE_PREFIX, Envelope
from contracts.events import AUTHORITY_SUBJECT, TYPES, Fact
from contracts.generate import words

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DATE = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"
"""Only years of this century, as the rules require."""
Schema = dict[str, Any]

_LISTS: dict[str, type[Code]] = {
    name: value for name, value in vars(codes).items() if isinstance(value, type) and issubclass(value, Code)
}


def of_event(name: str) -> Schema:
    """Return the schema of one type of event, complete in itself."""
    fact = TYPES[name]
    envelope, parts = _envelope(name, "#/$defs/"), components([fact], "#/$defs/")
    return {
        "$schema": DIALECT,
        "$id": f"urn:payback:{name}",
        **envelope,
        "$defs": {title: parts[title] for title in sorted(parts)},
    }


def of_aggregates() -> Schema:
    """Return the schema of what is published to `national.aggregates`."""
    parts = components([Cell, Position], "#/$defs/")
    return {
        "$schema": DIALECT,
        "$id": "urn:payback:national.aggregates",
        "title": "national.aggregates",
        "description": "A cell, or the position up to which cells have been published.",
        "anyOf": [{"$ref": "#/$defs/Cell"}, {"$ref": "#/$defs/Position"}],
        "$defs": parts,
    }


def messages(prefix: str) -> dict[str, Schema]:
    """Return the schemas of all events and of their parts, for a document that keeps them under `prefix`."""
    events = {name: _envelope(name, prefix) for name in TYPES}
    return events | components([*TYPES.values(), Cell, Position], prefix)


def components(kinds: Iterable[type[Any]], prefix: str) -> dict[str, Schema]:
    """Return the schemas of these types and of their parts, with the texts about their members."""
    _, parts = msgspec.json.schema_components(kinds, ref_template=prefix + "{name}")
    return {title: _in_words(title, _plain(part)) for title, part in parts.items()}


def _envelope(name: str, prefix: str) -> Schema:
    fact = TYPES[name]
    schema = components([Envelope], prefix)["Envelope"]
    properties = schema["properties"]
    properties["type"]["const"] = TYPE_PREFIX + name
    properties["subject"] |= _subject(fact)
    properties["data"] = {"$ref": prefix + fact.__name__}
    schema["additionalProperties"] = {"type": "null", "description": "An attribute that is null is absent."}
    return schema | _meaning(name, words.summary(fact))


def _meaning(title: str, meaning: str) -> Schema:
    return {"title": title, "description": meaning}


def _subject(fact: type[Fact]) -> Schema:
    if fact.ABOUT_AUTHORITY:
        return {"const": AUTHORITY_SUBJECT}
    return {"not": {"const": AUTHORITY_SUBJECT}}


def _plain(part: Any) -> Any:
    """Return a schema without the notations that other readers of schemas do not understand."""
    if isinstance(part, dict):
        kept = {key: _plain(value) for key, value in part.items() if key != "discriminator" and value != ""}
        if "pattern" in kept:
            kept["pattern"] = kept["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
        return kept
    return [_plain(value) for value in part] if isinstance(part, list) else part


def _of_this_century(part: Any) -> Any:
    if isinstance(part, dict):
        dated = {"pattern": DATE} if part.get("format") == "date" else {}
        return {key: _of_this_century(value) for key, value in part.items()} | dated
    return [_of_this_century(value) for value in part] if isinstance(part, list) else part


def _in_words(title: str, part: Schema) -> Schema:
    if title in _LISTS:
        labels = "; ".join(f"{member}: {member.label}" for member in _LISTS[title])
        meaning = codes.MEANINGS.get(_LISTS[title])
        return part | {
            "type": "string",
            "enum": [str(member) for member in _LISTS[title]],
            "description": f"{meaning} {labels}" if meaning else labels,
        }
    if words.types()[title] not in words.aggregates():
        part["properties"] = _of_this_century(part["properties"])
    for member, meaning in words.members(words.types()[title]).items():
        part["properties"][member]["description"] = meaning
    if words.types()[title].__struct_config__.tag is not None:
        part["properties"]["kind"]["description"] = "Tells what it is."
    return _meaning(title, words.summary(words.types()[title])) | part
