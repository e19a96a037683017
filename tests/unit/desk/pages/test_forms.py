"""Forms with a file are read as browsers send them, in a time that does not depend on what is written between the parts."""

import asyncio
from time import process_time
from typing import Any

import httpx2
import pytest
from starlette.requests import Request

from services.desk.pages.forms import parts_of

LARGEST = 256 * 1024


def read(kind: str, body: bytes) -> dict[str, bytes]:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", kind.encode()), (b"sec-fetch-site", b"same-origin")]
    return asyncio.run(parts_of(Request({"type": "http", "method": "POST", "headers": headers}, receive)))


@pytest.mark.parametrize("content", [b"", b"one\ntwo", b"\r\n\r\n--x\r\n", bytes(range(256)), "æ€".encode()])
def test_each_field_comes_as_it_was_sent(content: bytes) -> None:
    sent = httpx2.Request(
        "POST", "http://desk/check", data={"act": "check", "lines": ""}, files={"file": ("; name=x.ndjson", content)}
    )
    found = read(sent.headers["content-type"], sent.read())
    assert found == {"act": b"check", "lines": b"", "file": content}


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=a"])
def test_what_is_no_form_has_no_fields(kind: str) -> None:
    assert read(kind, b'--a\r\nContent-Disposition: form-data; name="act"\r\n\r\ncheck\r\n--a--') == {}


def part(head: bytes) -> bytes:
    return b"--a\r\nContent-Disposition: form-data" + head + b"\r\n\r\n1\r\n--a--"


HOSTILE = {
    "parameters": part(b"; a*1=b" * (LARGEST // 7)),
    "encoded words": part(b"; name=" + b"=?utf-8?q?a?= " * (LARGEST // 14)),
    "comments": part(b"(" * LARGEST),
    "names": part(b'; name="' * (LARGEST // 8)),
    "parts": (b'--a\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * (LARGEST // 50))[:LARGEST],
    "parts of parts": b"".join(
        b"--a%d\r\nContent-Type: multipart/mixed; boundary=a%d\r\n\r\n" % (n, n + 1) for n in range(4000)
    ),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_nothing_that_is_written_between_the_parts_takes_long(body: bytes) -> None:
    """A parser of e-mails took 10 seconds for the first of these, and gave up the third."""
    begun = process_time()
    assert len(read("multipart/form-data; boundary=a", body)) <= 1
    assert process_time() - begun < 0.5
