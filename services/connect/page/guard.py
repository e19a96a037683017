"""Decides who may use the page: only the person who started it, and no other site that their browser happens to show."""

import hmac
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """Admits requests that name this machine, show the key, and come from the page itself.

    A page of another site can make a browser ask 127.0.0.1, or give its own name that address; it can neither forge the names in `Host` and
    `Origin` nor know the key.
    """

    app: ASGIApp
    port: int
    key: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = self._answer(scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        await (answer or self.app)(scope, receive, guarded)

    def _answer(self, scope: Scope) -> Response | None:
        """Return the answer instead of the page; None if the page may answer."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}:
            return PlainTextResponse("This page has a different address.", 421)
        if scope["method"] not in {"GET", "HEAD"} and headers.get("origin") != f"http://{host}":
            return PlainTextResponse("The form did not come from this page.", 403)
        if self._is_key(_cookie(headers, self.cookie)):
            return None
        if scope["path"] == "/" and self._is_key(parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]):
            return self._entered()
        return PlainTextResponse("Open the whole address that `payback connect page` printed.", 403)

    @property
    def cookie(self) -> str:
        """Return the name of the cookie. It includes the port, since browsers share cookies among all ports of a machine."""
        return f"payback-page-{self.port}"

    def _is_key(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.key.encode())

    def _entered(self) -> Response:
        """Return a redirect that removes the key from the address, so that it is in no history."""
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self.cookie, self.key, httponly=True, samesite="strict")
        return answer


def _cookie(headers: Headers, name: str) -> str:
    found = SimpleCookie(headers.get("cookie", "")).get(name)
    return found.value if found else ""
