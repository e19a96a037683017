"""Turns CloudEvents in binary mode, with attributes in headers and only the data in the body, into the JSON of structured mode.

HTTP uses the prefix `ce-` and percent-encoding of values, Kafka `ce_` and UTF-8; `content-type` is the `datacontenttype`.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw

from contracts.decoding.reading import BOM, UNREADABLE

Headers = Sequence[tuple[str, bytes | None]]
STRUCTURED = b"application/cloudevents"
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def from_kafka(value: bytes | None, headers: Headers) -> bytes | None:
    """Return the event of a Kafka record as JSON, in whichever mode it was sent."""
    if not any(name.lower().startswith("ce_") for name, _ in headers):
        return value
    return _structured(value, [(name.lower(), text) for name, text in headers if text is not None], "ce_")


def from_http(body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the event of a request as JSON; None if it was not sent in binary mode."""
    given = [(name.decode("latin-1").lower(), text) for name, text in headers]
    if not any(name.startswith("ce-") for name, _ in given):
        return None
    decoded = [(name, _unquoted(text) if name.startswith("ce-") else text) for name, text in given]
    structured = _structured(body, decoded, "ce-")
    return None if structured is body else structured


def _structured(value: bytes | None, headers: list[tuple[str, bytes]], prefix: str) -> bytes | None:
    media = [text for name, text in headers if name == "content-type"]
    if media and media[0].strip().lower().startswith(STRUCTURED):
        return value
    members = [(name.removeprefix(prefix), text) for name, text in headers if name.startswith(prefix)]
    members += [("datacontenttype", text) for text in media]
    written = [_text(name.encode("utf-8", "replace")) + b":" + _text(text) for name, text in members]
    return b"{" + b",".join([*written, *_data(value)]) + b"}"


def _data(value: bytes | None) -> list[bytes]:
    """Return the data member as the JSON format has it: `data` for JSON, base64 for anything else."""
    value = (value or b"").removeprefix(BOM)
    if not value:
        return []
    try:
        msgspec.json.decode(value, type=Raw)
    except UNREADABLE:
        return [b'"data_base64":"' + b64encode(value) + b'"']
    return [b'"data":' + value]


def _text(text: bytes) -> bytes:
    """Return a JSON string. Bytes that are not UTF-8 stay as they are, so that the reader refuses them."""
    try:
        return msgspec.json.encode(text.decode())
    except UnicodeDecodeError:
        return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _unquoted(text: bytes) -> bytes:
    """Return a header's value without quotation marks and then without percent-encoding."""
    text = text.strip()
    if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"'):
        text = _ESCAPED.sub(rb"\1", text[1:-1])
    return unquote_to_bytes(text)
