"""What the decoder says about a fault, in the codes and words of the contract. The library's text is only ever read here."""

import re

import msgspec

from contracts.rejections import Reason, Unacceptable

_FORM = "not in the form the contract asks for"
_OFFSET = "not a time with an offset"
_PATTERNS: tuple[tuple[re.Pattern[str], Reason, str], ...] = (
    (re.compile(r"Invalid enum value .*|Invalid value .*", re.DOTALL), Reason.BAD_CODE, "not a code of the list"),
    (re.compile(r"Object contains unknown field `(.*)`", re.DOTALL), Reason.UNKNOWN_MEMBER, "the contract has no member {}"),
    (re.compile(r"Object missing required field `(.*)`"), Reason.MISSING_MEMBER, "the member {} is missing"),
    (re.compile(r"Invalid RFC3339 encoded date"), Reason.BAD_DATE, "not a date"),
    (re.compile(r"Invalid RFC3339 encoded datetime|Expected `datetime` with a timezone.*"), Reason.BAD_TIME, _OFFSET),
    (re.compile(r"Expected `str` (?:matching regex|of length) .*", re.DOTALL), Reason.BAD_FORMAT, _FORM),
    (re.compile(r"(Expected `(?:int|float|array)` (?:[<>]=?|of length) .*)"), Reason.OUT_OF_RANGE, "{}"),
    (re.compile(r"(Expected `[^`]*`, got `[^`]*`)"), Reason.WRONG_TYPE, "{}"),
    (re.compile(r"Integer value out of range"), Reason.OUT_OF_RANGE, "the number is too large"),
)  # fmt: skip
_PATH = re.compile(r" - at `(\$[^`]*)`$")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def explained(error: Exception, root: str) -> Unacceptable:
    """A reason, a path below `root`, and words."""
    if not isinstance(error, msgspec.ValidationError):
        return Unacceptable(Reason.NOT_JSON, root, "not JSON in UTF-8")
    text = str(error)
    at = _PATH.search(text)
    path = root + (at[1][1:] if at else "")
    words = text[: at.start()] if at else text
    for pattern, reason, message in _PATTERNS:
        if found := pattern.fullmatch(words):
            name = found[1] if pattern.groups else ""
            if reason in (Reason.UNKNOWN_MEMBER, Reason.MISSING_MEMBER):
                name = name if _SAFE_NAME.fullmatch(name) else "(unprintable)"
                path = f"{path}.{name}"
            return Unacceptable(reason, path, message.format(name.replace("`", "")))
    return Unacceptable(Reason.WRONG_TYPE, path, "not what the contract asks for")


def of_envelope(error: Exception) -> Unacceptable:
    """The same for the event around the data, where a fault may mean that it is no CloudEvent at all."""
    fault = explained(error, "$")
    if fault.path == "$.specversion" or (fault.path == "$" and fault.reason is Reason.WRONG_TYPE):
        words = fault.message if fault.reason is Reason.MISSING_MEMBER else "not a CloudEvents 1.0 object in JSON"
        return Unacceptable(Reason.NOT_CLOUDEVENT, fault.path, words)
    return fault


DEEPEST = 32
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)


def nests_too_deeply(raw: bytes) -> bool:
    """Whether brackets nest beyond what a decoder can be asked to follow, wherever it is called from."""
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
