"""Our own forms: their fields, once it is known that this site sent them."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs

from fastapi import Request

from services.chassis.api.problems import Problem
from services.chassis.web.sign_in import from_here

LARGEST = 256 * 1024
"""The largest form: an event of 64 KiB, each byte of which a browser may write as three."""


LARGEST_FILE = 1024 * 1024
"""The largest form with a file."""
MOST_PARTS, HEAD_BYTES = 20, 1024
"""How many parts a form with a file may have, and the bytes before the content of each that are read. Ours have three."""
_BOUNDARY = re.compile(r'multipart/form-data;[^;]{0,99}boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(rb';[ \t]?name="([^"\r\n]{1,40})"')


async def fields_of(request: Request) -> dict[str, list[str]]:
    """Return the fields. Raises Problem 403 if another site sent the form."""
    body = await _body(request)
    return parse_qs(body.decode("ascii", "replace"), keep_blank_values=True)


async def parts_of(request: Request) -> dict[str, bytes]:
    """Return the fields of a form with a file, each as it was sent. Raises as `fields_of` does."""
    body = await _body(request)
    found = _BOUNDARY.match(request.headers.get("content-type", ""))
    return dict(_parts(body, found[1].encode())) if found else {}


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each part, as RFC 7578 has them. A parser of e-mails would read more, and may take seconds for it."""
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MOST_PARTS)
    for part in parts:
        if part.startswith(b"--"):
            return
        head, _, content = part.partition(b"\r\n\r\n")
        if name := _NAME.search(head[:HEAD_BYTES]):
            yield name[1].decode(errors="replace"), content


async def _body(request: Request) -> bytes:
    if not from_here(request):
        raise Problem(403, "The form did not come from this site.")
    return await request.body()


def field(fields: dict[str, list[str]], name: str) -> str:
    """Return one field without blanks around it; empty if it was not sent."""
    return fields.get(name, [""])[0].strip()
