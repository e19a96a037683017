"""Our own forms: their fields, once it is known that this site sent them."""

from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qs

from fastapi import Request

from services.chassis.api.problems import Problem
from services.chassis.web.sign_in import from_here

LARGEST = 256 * 1024
"""The largest form: an event of 64 KiB, each byte of which a browser may write as three."""


LARGEST_FILE = 1024 * 1024
"""The largest form with a file."""


async def fields_of(request: Request) -> dict[str, list[str]]:
    """Return the fields. Raises Problem 403 if another site sent the form."""
    body = await _body(request)
    return parse_qs(body.decode("ascii", "replace"), keep_blank_values=True)


async def parts_of(request: Request) -> dict[str, bytes]:
    """Return the fields of a form with a file, each as it was sent. Raises as `fields_of` does."""
    body = await _body(request)
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    return {
        str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True) or b"")
        for part in message.iter_parts()
    }


async def _body(request: Request) -> bytes:
    if not from_here(request):
        raise Problem(403, "The form did not come from this site.")
    return await request.body()


def field(fields: dict[str, list[str]], name: str) -> str:
    """Return one field without blanks around it; empty if it was not sent."""
    return fields.get(name, [""])[0].strip()
