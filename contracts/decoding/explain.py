"""Describes a fault of the decoder in the codes and words of the contract. The library's text is read only here.

The words name what is allowed, from the types themselves, and which character does not belong; nothing else of what was sent.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from contracts.decoding.envelope import CASELOAD, EXTRACT_ROW, MEDIA_TYPE, SIGNATURE
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
    (re.compile(r"Expected `([^`]*)`, got `([^`]*)`"), Reason.WRONG_TYPE),
)
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "date": "a day",
    "object": "members in braces",
    "array": "a list",
    "null": "nothing",
}
"""What the library calls the kinds of values, in words for people."""
_LIKE = {
    "S12[0-9]{6}": "the code of an authority, such as S12000027",
    "20[0-9]{2}-(0[1-9]|1[0-2])": "a month, such as 2026-03",
    "[a-z_]{1,40}(/[A-Za-z0-9._/-]{1,64})?": "the key of a fact, such as contact or session/s1",
    "0{0,55}[1-9][0-9]{0,8}": "a whole number from 1 to 999,999,999",
    CASELOAD: "a code of up to 20 letters and digits with a digit in it, such as team-3",
    EXTRACT_ROW: "16 digits of a file's SHA-256, its sheet and its row, such as 0123456789abcdef.1.14",
    SIGNATURE: "a detached JWS",
    MEDIA_TYPE: "application/json, with parameters or without",
}
"""What text must be like, by its pattern. Those that only say which characters may stand in it need no words of their own."""
_SETS = (("A-Za-z0-9", "letters, digits"), ("A-Za-z", "letters"), ("a-z", "small letters"), ("0-9", "digits"))
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
            if reason is Reason.WRONG_TYPE:
                return Unacceptable(reason, root + path[1:], f"expected {kinds_in(found[1])}, not {kinds_in(found[2])}")
            return Unacceptable(
                reason, root + path[1:], _WORDS[reason](list(_declared(kind, path)), _value(sent, path))
            )
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
    allowed = _CLASS_OF_CHARACTERS.fullmatch(pattern)
    if allowed is None:
        return f"expected {_LIKE.get(pattern, 'text in the form that the contract names')}"
    expected = f"expected {allowed[2]} to {allowed[3]} {_characters(allowed[1][1:-1])}"
    place = next((place for place, one in enumerate(text) if not re.fullmatch(allowed[1], one)), None)
    return f"{expected}, not {len(text)} of them" if place is None else f"{expected}; {offending(text, place)}"


def _characters(inside: str) -> str:
    """Return in words which characters a set has: `letters, digits or . _ / -`."""
    if inside == "!-~":
        return "characters of a keyboard without blanks"
    named, words = next(((name, words) for name, words in _SETS if inside.startswith(name)), ("", ""))
    signs = " ".join(inside.removeprefix(named).replace(" ", "")) + (" or blanks" if " " in inside else "")
    return f"{words} or {signs}" if named and signs.strip() else words or signs


def offending(text: str, place: int) -> str:
    """Name the one character that does not belong; by its number, if it cannot be seen or looks like another."""
    one = text[place]
    shown = "a blank" if one == " " else repr(one) if one.isprintable() and one != "`" else ""
    number = "" if one.isascii() and shown else f"U+{ord(one):04X}"
    return f"{', '.join(filter(None, (shown, number)))} at character {place + 1} is not allowed"


def kinds_in(names: str) -> str:
    """Return in words what the library calls kinds of values, as in `int | null`."""
    found = [_KINDS.get(name.strip(), "another kind of value") for name in names.split("|") if name.strip() != "null"]
    return " or ".join(dict.fromkeys(found)) or "nothing"


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
