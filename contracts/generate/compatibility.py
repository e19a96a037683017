"""The gate of compatibility: today's schema must accept whatever a released one accepts. It compares schemas, and refuses what it cannot
compare.

Removing, renaming, narrowing and requiring members are breaks. They need a new version of the type, beside the one that was released.
"""

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_WORDS_ONLY = {"title", "description", "default", "examples", "$schema", "$id", "$defs", "$comment"}
_AT_LEAST = {"minimum", "minLength", "minItems"}
_AT_MOST = {"maximum", "maxLength", "maxItems"}
_JUDGED = {"type", "enum", "const", "anyOf", "properties", "required", "additionalProperties", "items"}
_EXACT = {"pattern", "format", "not"}


def removed(released: dict[str, Schema], present: dict[str, Schema]) -> list[str]:
    """Return what was released and is refused by today's schemas, in words and by type."""
    return [
        f"{name}: {fault}"
        for name, old in released.items()
        for fault in (breaks(old, present[name]) if name in present else ["the type was removed"])
    ]


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return why something that `old` accepts may be refused by `new`. Both are complete in themselves."""
    return list(_Gate(old.get("$defs", {}), new.get("$defs", {})).compare(old, new, "$"))


class _Gate:
    def __init__(self, old_parts: dict[str, Schema], new_parts: dict[str, Schema]) -> None:
        self._old_parts, self._new_parts = old_parts, new_parts

    def compare(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        old, new = _resolved(old, self._old_parts), _resolved(new, self._new_parts)
        if "anyOf" in old or "anyOf" in new:
            yield from self._alternatives(old, new, at)
            return
        yield from _types(old, new, at)
        yield from _values(old, new, at)
        yield from _limits(old, new, at)
        yield from self._members(old, new, at)
        if "items" in new:
            yield from self.compare(old.get("items", {}), new["items"], f"{at}[]")
        for keyword in sorted((old.keys() | new.keys()) - _WORDS_ONLY - _AT_LEAST - _AT_MOST - _JUDGED - _EXACT):
            if old.get(keyword) != new.get(keyword):
                yield f"{at}: {keyword} was changed, and this gate cannot judge that"

    def _alternatives(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        branches = new.get("anyOf", [new])
        for branch in old.get("anyOf", [old]):
            faults = [list(self.compare(branch, one, at)) for one in branches]
            if all(faults):
                yield from min(faults, key=len)

    def _members(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name in after:
                yield from self.compare(schema, after[name], f"{at}.{name}")
            elif not self._is_among_others(schema, new.get("additionalProperties", True)):
                yield f"{at}.{name}: removed"
        for name in new.get("required", []):
            if name not in old.get("required", []):
                yield f"{at}.{name}: required now"
        yield from self._others(old.get("additionalProperties", True), new.get("additionalProperties", True), at)

    def _is_among_others(self, schema: Schema, others: Any) -> bool:
        """Return whether what a member accepted is accepted of members that have no name of their own."""
        return not any(self.compare(schema, others, "$")) if isinstance(others, dict) else bool(others)

    def _others(self, old: Any, new: Any, at: str) -> Iterator[str]:
        """Compare the schemas of members that have no name of their own."""
        if isinstance(new, dict) and old is not False:
            yield from self.compare(old if isinstance(old, dict) else {}, new, f"{at}.*")
        elif new is False and old is not False:
            yield f"{at}: other members are refused now"


def _resolved(schema: Schema, parts: dict[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = parts[schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _types(old: Schema, new: Schema, at: str) -> Iterator[str]:
    if "type" in new and old.get("type", _type_of_values(old)) != new["type"]:
        yield f"{at}: {new['type']} instead of {old.get('type', 'anything')}"


def _type_of_values(schema: Schema) -> str | None:
    values = _allowed(schema)
    return "string" if values and all(isinstance(value, str) for value in values) else None


def _allowed(schema: Schema) -> list[Any] | None:
    values: list[Any] | None = [schema["const"]] if "const" in schema else schema.get("enum")
    return values


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if after is not None:
        gone = ["anything else"] if before is None else [value for value in before if value not in after]
        yield from (f"{at}: {value} is no longer allowed" for value in gone)


def _all_match(values: list[Any] | None, pattern: str) -> bool:
    return bool(values) and all(isinstance(value, str) and re.search(pattern, value) for value in values or ())


def _limits(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for keyword in sorted(_AT_LEAST & new.keys()):
        if keyword not in old or new[keyword] > old[keyword]:
            yield f"{at}: {keyword} was narrowed to {new[keyword]}"
    for keyword in sorted(_AT_MOST & new.keys()):
        if keyword not in old or new[keyword] < old[keyword]:
            yield f"{at}: {keyword} was narrowed to {new[keyword]}"
    for keyword in sorted(_EXACT & new.keys()):
        if old.get(keyword) != new[keyword] and not (keyword == "pattern" and _all_match(_allowed(old), new[keyword])):
            yield f"{at}: {keyword} was changed to {new[keyword]}"
