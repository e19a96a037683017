"""A public site's answers besides GET: HEAD, and requests from pages of other sites for public data."""

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EXPOSED = ["ETag", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "Content-Disposition"]
SMALLEST_PACKED = 1000
LEVEL = 5
"""The level of compression; higher ones take longer than they save."""


class Head:
    """Answers HEAD as GET would be answered, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, send_without_body)


class Packing:
    """Compresses an answer where its caller takes that, so that whoever hands it on need not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packing = GZipMiddleware(app, SMALLEST_PACKED, LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        taken = scope["type"] == "http" and "gzip" in Headers(scope=scope).get("accept-encoding", "")
        await (self._packing if taken else self._app)(scope, receive, send)


def open_up(app: FastAPI) -> None:
    """Answer HEAD, compress, and let pages of other sites read public data: never with cookies or tokens."""
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_PACKED, compresslevel=LEVEL)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD"],
        allow_headers=["If-None-Match"],
        expose_headers=EXPOSED,
    )
    app.add_middleware(Head)
