"""Describes a fault of the decoder in the codes and words of the contract. The library's text is read only here.

The words name what is allowed, from the types themselves, and which character does not belong; nothing else of what was sent.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from contracts.decoding.reading import safe
from contracts.rejections import Reason, Unacceptable

_PATTERNS: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile(r"Invalid enum value .*|Invalid value .*", re.DOTALL), Reason.BAD_CODE),
    (re.compile(r"Object contains unknown field `(.*)`", re.DOTALL), Reason.UNKNOWN_MEMBER),
    (re.compile(r"Object missing required field `(.*)`"), Reason.MISSING_MEMBER),
    (re.compile(r"Invalid RFC3339 encoded date"), Reason.BAD_DATE),
    (re.compile(r"Expected `str` (?:matching regex|of length) .*", re.DOTALL), Reason.BAD_FORMAT),
    (re.compile(r"Expected `(?:int|float|array)` (?:[<>]=?|of length) .*"), Reason.OUT_OF_RANGE),
    (re.compile(r"(?:Integer value|Number) out of range"), Reason.OUT_OF_RANGE),
    (re.compile(r"(Expected `[^`]*`, got `[^`]*`)"), Reason.WRONG_TYPE),
)
_PATH = re.compile(r" - at `(\$[^`]*)`$")
_STEP = re.compile(r"\.([A-Za-z_]+)|\[(\d+)\]")
_CLASS_OF_CHARACTERS = re.compile(r"(\[[^\]]+\])\{(\d+),(\d+)\}")


def explained(error: msgspec.ValidationError, kind: type[Any], sent: Any, root: str = "$") -> Unacceptable:
    """Return a reason, a path below `root`, and words; `sent` is the value that should have been of this kind."""
    text = str(error)
    at = _PATH.search(text)
    path, words = (at[1], text[: at.start()]) if at else ("$", text)
    for pattern, reason in _PATTERNS:
        if found := pattern.fullmatch(words):
            if reason in (Reason.UNKNOWN_MEMBER, Reason.MISSING_MEMBER):
                return _of_member(reason, root + path[1:], safe(found[1]))
            words = found[1] if pattern.groups else _WORDS[reason](list(_declared(kind, path)), _value(sent, path))
            return Unacceptable(reason, root + path[1:], words.replace("`", ""))
    return Unacceptable(Reason.WRONG_TYPE, root + path[1:], "not what the contract asks for")


def of_envelope(error: msgspec.ValidationError, kind: type[Any], sent: Any) -> Unacceptable:
    """Explain a fault of the event around the data, which may mean that it is no CloudEvent at all."""
    fault = explained(error, kind, sent)
    if fault.path == "$.specversion" or (fault.path == "$" and fault.reason is Reason.WRONG_TYPE):
        words = fault.message if fault.reason is Reason.MISSING_MEMBER else _no_event(sent)
        return Unacceptable(Reason.NOT_CLOUDEVENT, fault.path, words)
    words = _SPECIAL.get(fault.path, fault.message)
    return Unacceptable(fault.reason, fault.path, words)


_SPECIAL = {
    "$.data_base64": "the data must be JSON, in the member data; base64 is not accepted",
    "$.datacontenttype": "expected application/json, with parameters or without",
}


def _no_event(sent: Any) -> str:
    if isinstance(sent, list):
        return "a list, where one CloudEvent is expected: only HTTP takes batches, by their media type"
    return "not a CloudEvents 1.0 object in JSON"


def _of_member(reason: Reason, path: str, name: str) -> Unacceptable:
    missing = reason is Reason.MISSING_MEMBER
    words = f"the member {name} is missing" if missing else f"the contract has no member {name}"
    return Unacceptable(reason, f"{path}.{name}", words)


def _codes(declared: list[inspect.Type], _: Any) -> str:
    codes = [code for one in declared for code in _codes_of(one)]
    return f"not a code of the list: {', '.join(codes)}" if codes else "not a code of the list"


def _codes_of(kind: inspect.Type) -> list[str]:
    match kind:
        case inspect.EnumType(cls=members):
            return [str(member) for member in members]
        case inspect.LiteralType(values=values):
            return [str(value) for value in values]
    return []


def _form(declared: list[inspect.Type], sent: Any) -> str:
    text = sent if isinstance(sent, str) else ""
    for kind in declared:
        match kind:
            case inspect.StrType(pattern=str(pattern)):
                return _pattern(plain(pattern), text)
            case inspect.StrType(min_length=least, max_length=most) if most is not None:
                return f"expected {least or 0} to {most} characters, not {len(text)}"
    return "not in the form the contract asks for"


def _pattern(pattern: str, text: str) -> str:
    expected = f"expected text like {pattern}"
    allowed = _CLASS_OF_CHARACTERS.fullmatch(pattern)
    if allowed is None:
        return expected
    place = next((place for place, one in enumerate(text) if not re.fullmatch(allowed[1], one)), None)
    return f"{expected}, not {len(text)} characters" if place is None else f"{expected}; {offending(text, place)}"


def offending(text: str, place: int) -> str:
    """Name the one character that does not belong."""
    one = text[place]
    shown = f"{one!r}, " if one.isprintable() and one != "`" else ""
    return f"{shown}U+{ord(one):04X}, at character {place + 1} is not allowed"


def plain(pattern: str) -> str:
    """Return a pattern of ours without its anchors."""
    return pattern.removeprefix(r"\A").removesuffix(r"\Z")


def _limits(declared: list[inspect.Type], _: Any) -> str:
    for kind in declared:
        match kind:
            case inspect.IntType(ge=int(least), le=int(most)):
                return f"expected {least:,} to {most:,}"
            case inspect.VarTupleType(min_length=least, max_length=most):
                return f"expected {least} to {most} items"
    return "the number is too large"


def _date(_: list[inspect.Type], __: Any) -> str:
    return "not a day that exists, written YYYY-MM-DD"


_WORDS: dict[Reason, Callable[[list[inspect.Type], Any], str]] = {
    Reason.BAD_CODE: _codes,
    Reason.BAD_DATE: _date,
    Reason.BAD_FORMAT: _form,
    Reason.OUT_OF_RANGE: _limits,
}


def _steps(path: str) -> list[str | int]:
    return [found[1] or int(found[2]) for found in _STEP.finditer(path)]


def _value(sent: Any, path: str) -> Any:
    """Return the value at the path."""
    for step in _steps(path):
        try:
            sent = sent[step]
        except (KeyError, IndexError, TypeError):
            return None
    return sent


def _declared(kind: type[Any], path: str) -> Iterator[inspect.Type]:
    """Yield the types that are allowed at the path."""
    found = list(alternatives(_type_info(kind)))
    for step in _steps(path):
        found = [inner for one in found for member in _members(one, step) for inner in alternatives(member)]
    yield from found


_type_info: Callable[[Any], inspect.Type] = cache(inspect.type_info)


def alternatives(kind: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the types of which a value may be one."""
    if isinstance(kind, inspect.Metadata):
        yield from alternatives(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from alternatives(one)
    else:
        yield kind


def _members(kind: inspect.Type, step: str | int) -> Iterator[inspect.Type]:
    match kind:
        case inspect.StructType(tag_field=str(tag_field), tag=str(tag)) if step == tag_field:
            yield inspect.LiteralType((tag,))
        case inspect.StructType(fields=fields):
            yield from (field.type for field in fields if field.encode_name == step)
        case inspect.VarTupleType(item_type=item) if isinstance(step, int):
            yield item
