"""The content of a fact, field by field, in words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, get_args

import msgspec

from contracts.authorities import AUTHORITIES
from contracts.codes import Code
from contracts.events import FACTS
from services.chassis.web import words
from services.chassis.web.categories import plain
from services.desk.model.orders import Fact
from services.desk.words.labels import code_label

_BY_KEY = {fact.KEY: fact for fact in FACTS.values()}


class Said(NamedTuple):
    """One field of a fact."""

    name: str
    value: str


def content_of(fact: Fact) -> Sequence[Said]:
    """Return the fields of a fact in order; none for one that was withdrawn."""
    types = _types(fact.key.partition("/")[0])
    return [Said(plain(name), _words(value, types.get(name))) for name, value in (fact.data or {}).items()]


def _types(key: str) -> Mapping[str, Any]:
    """Return the types of its fields by name; none for a fact that is not known here."""
    fact = _BY_KEY.get(key)
    return {field.encode_name: field.type for field in msgspec.structs.fields(fact)} if fact else {}


def _words(value: object, kind: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return words.number(value)
        case str():
            return _text(value, set(_parts(kind)))
        case list():
            return "; ".join(map(_requirement, value))
        case _:
            return "not given"


def _text(value: str, kinds: set[Any]) -> str:
    code = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Code)), None)
    if code:
        return code_label(code, value)
    if date in kinds:
        return words.iso_date(value)
    return AUTHORITIES[value].name if value in AUTHORITIES else value


def _parts(kind: Any) -> Iterator[Any]:
    """Yield a type and the types of which it is made, such as the one beside None."""
    yield kind
    for part in get_args(kind):
        yield from _parts(part)


def _requirement(asked: Mapping[str, Any]) -> str:
    """Return a requirement in words, as in unpaid work 80 hours, or supervision 12 months."""
    length = [words.counted(asked[unit], unit[:-1]) for unit in ("hours", "months") if unit in asked]
    by = [f"to be completed by {words.iso_date(asked['complete_by'])}"] if asked.get("complete_by") else []
    return ", ".join([" ".join([plain(asked["kind"]).lower(), *length]), *by])
