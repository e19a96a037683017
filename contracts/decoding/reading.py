"""Reads JSON as others write it into plain objects: tolerant where the standards are, and exact about faults. Pure.

RFC 8259 lets a reader ignore a byte order mark, and knows no difference between 360 and 360.0; I-JSON (RFC 7493) forbids naming a member
twice.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

from contracts.rejections import Reason, Unacceptable

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The exceptions that the decoder may raise, whatever it is given."""
BOM = b"\xef\xbb\xbf"
DEEPEST = 32
_FOREIGN_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_LARGEST_DIGITS = 18
_PLAINLY = (
    ("object keys must be strings", "names of members must be in quotation marks"),
    ("in array", "in a list"),
    ("in object", "before a closing brace"),
)
"""What the library says, and what people understand."""
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class _Repeating(dict[str, Any]):
    """An object that names a member twice."""

    name = ""


def document(raw: bytes) -> Any:
    """Parse the bytes; `check_names` finds members named twice. Raises Unacceptable: not_json."""
    text = _text(raw)
    try:
        msgspec.json.decode(text, type=Raw)
        return _decoder.decode(text)
    except (*UNREADABLE, ValueError) as error:
        raise _not_json(f"not JSON: {_words(error)}") from None


def check_names(found: Any) -> None:
    """Refuse objects that name a member twice. Raises Unacceptable."""
    for path, name in _repeated(found, "$"):
        raise Unacceptable(Reason.REPEATED_MEMBER, path, f"the member {name} appears more than once")


def encoding_of(raw: bytes) -> str | None:
    """Return the encoding that the first bytes show, if it is not UTF-8."""
    for mark, name in _FOREIGN_MARKS.items():
        if raw.startswith(mark):
            return name
    return "UTF-16" if re.match(rb"(?:\x00[\t\n\r -~]|[\t\n\r -~]\x00){2}", raw) else None


def safe(name: str) -> str:
    """Return a member's name, as far as it can be repeated safely."""
    return name if _SAFE_NAME.fullmatch(name) else "(unprintable)"


def nests_too_deeply(raw: bytes) -> bool:
    """Return whether brackets nest more deeply than a decoder can follow, wherever it is called from."""
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for found in _NESTING.finditer(raw):
        if found[1]:
            depth += 1
            if depth > DEEPEST:
                return True
        elif found[0] in (b"]", b"}"):
            depth -= 1
    return False


def _text(raw: bytes) -> str:
    foreign = encoding_of(raw)
    if foreign is not None:
        raise _not_json(f"{foreign} instead of UTF-8")
    raw = raw.removeprefix(BOM)
    if not raw.strip():
        raise _not_json("nothing but blanks")
    if nests_too_deeply(raw):
        raise _not_json(f"brackets nest more than {DEEPEST} deep")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _not_json(f"not UTF-8: byte 0x{raw[error.start]:02X} at byte {error.start + 1}") from None


def _not_json(words: str) -> Unacceptable:
    return Unacceptable(Reason.NOT_JSON, "$", words)


def _words(error: Exception) -> str:
    """Return what the library found and where, without what was sent."""
    found = re.fullmatch(r"JSON is malformed: (.*) \(byte (\d+)\)", str(error))
    if found:
        words = found[1]
        for theirs, ours in _PLAINLY:
            words = words.replace(theirs, ours)
        return f"{words} at byte {int(found[2]) + 1}"
    return "it ends too early, or in the middle of a character"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    repeating = _Repeating(found)
    repeating.name = next(name for name in names if names.count(name) > 1)
    return repeating


def _repeated(found: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(found, _Repeating):
        yield f"{path}.{safe(found.name)}", safe(found.name)
    if isinstance(found, dict):
        for name, value in found.items():
            yield from _repeated(value, f"{path}.{safe(name)}")
    elif isinstance(found, list):
        for place, value in enumerate(found):
            yield from _repeated(value, f"{path}[{place}]")


def _number(text: str) -> int | float:
    """Parse a number; a whole number becomes an int, however it is written."""
    try:
        number = Decimal(text)
    except ArithmeticError:  # beyond what even this type can hold
        return float(text)
    if number.is_zero():
        return 0
    whole = number.adjusted() < _LARGEST_DIGITS and number == number.to_integral_value()
    return int(number) if whole else float(text)


def _whole(text: str) -> int:
    """Parse a whole number. How far it lies beyond the limits does not matter."""
    return int(text[: _LARGEST_DIGITS + 2])


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_int=_whole)
