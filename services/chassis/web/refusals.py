"""The page that a browser gets for a problem, in plain words and within the frame, instead of JSON."""

from http import HTTPStatus

from msgspec import json
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.api.problems import MEDIA_TYPE
from services.chassis.web.frame import Frame

FOR_PROGRAMS = ("/v1/", "/healthz", "/readyz", "/openapi.json")
TITLES = {
    HTTPStatus.UNAUTHORIZED: "Sign in to see this page",
    HTTPStatus.FORBIDDEN: "This page is not for this account",
    HTTPStatus.NOT_FOUND: "Page not found",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Sorry, there is a problem with this page",
    HTTPStatus.SERVICE_UNAVAILABLE: "Sorry, this page cannot be shown at present",
}
OTHERWISE = "This address cannot be answered"


class Refusals:
    """Answers browsers with a page where programs get problem details: with the same status and headers."""

    def __init__(self, app: ASGIApp, frame: Frame) -> None:
        self._app, self._frame = app, frame

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if not _is_for_a_person(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def send_as_page(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._page(start, body, scope)(scope, receive, send)

        await self._app(scope, receive, send_as_page)

    def _page(self, start: Message, body: bytes, scope: Scope) -> ASGIApp:
        """Return the page, without the names in the address: for those, a frame may ask the database, which may be what is away."""
        status, problem = start["status"], json.decode(body)
        page = self._frame.page(
            Request({**scope, "path_params": {}}),
            "problem",
            status,
            title=TITLES.get(HTTPStatus(status), OTHERWISE),
            detail=problem.get("detail", ""),
            errors=problem.get("errors", ()),
            wait=Headers(raw=start["headers"]).get("retry-after", ""),
            number=problem.get("request_id", "") if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "",
        )
        kept = Headers(raw=start["headers"]).items()
        page.headers.update({name: value for name, value in kept if name not in ("content-type", "content-length")})
        return page


def _is_for_a_person(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and not scope["path"].startswith(FOR_PROGRAMS)
        and "text/html" in Headers(scope=scope).get("accept", "")
    )


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(MEDIA_TYPE)
