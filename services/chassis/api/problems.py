"""Errors over HTTP: problem details, RFC 9457. No error reveals internals, or repeats what was sent."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from msgspec import json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.chassis import logs
from services.chassis.api.allowed import allowed
from services.chassis.failures import Away, TimedOut, describe

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
MOST_ERRORS = 10
"""Most errors of one request that an answer names, so that a request of many costs neither time nor a long answer."""
RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}  # names of RFC 9110, which Python has only from 3.13
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Problem details, RFC 9457",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "default": "about:blank"},
        "title": {"type": "string", "description": "The meaning of the status"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request"},
        "request_id": {"type": "string", "description": "The id by which operators find the request in their logs"},
        "errors": {
            "type": "array",
            "description": "The errors in the request, at most ten of them",
            "items": {
                "type": "object",
                "properties": {
                    "in": {"type": "string", "enum": ["path", "query", "header", "cookie", "body"]},
                    "path": {"type": "string", "description": "The place, as a JSON pointer"},
                    "message": {"type": "string"},
                },
                "required": ["in", "path", "message"],
            },
        },
    },
    "required": ["type", "title", "status"],
}

log = logging.getLogger(__name__)


class Problem(HTTPException):
    """Raised to answer with a problem. `members` are added to it as they are."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: object) -> None:
        super().__init__(status, detail, headers)
        self.members = members

    def response(self) -> Response:
        """Return the answer that the caller gets."""
        title = _title(self.status_code)
        body: dict[str, object] = {"type": "about:blank", "title": title, "status": self.status_code}
        if (request_id := logs.request_id.get()) is not None:
            body["request_id"] = request_id
        content = json.encode(body | ({"detail": self.detail} if self.detail != title else {}) | self.members)
        return Response(content, self.status_code, self.headers, MEDIA_TYPE)


def away(**members: object) -> Problem:
    """Return the problem for a dependency that is briefly away."""
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "A service that this request needs is not answering at present", headers=retry, **members)


def took_too_long() -> Problem:
    """Return the problem for work that took longer than one request may, though nothing is away."""
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "This took longer than one request may: ask for less at once, or again later", headers=retry)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's `responses`: the problems that it may answer besides the common ones."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _title(status), "content": content} for status in statuses}


async def on_http_exception(request: Request, fault: Exception) -> Response:
    """Answer a Problem, or an error that the framework itself raises."""
    assert isinstance(fault, HTTPException)
    headers = {"Allow": allowed(request)} if fault.status_code == HTTPStatus.METHOD_NOT_ALLOWED else fault.headers
    problem = fault if isinstance(fault, Problem) else Problem(fault.status_code, fault.detail, headers)
    return problem.response()


async def on_validation_error(_request: Request, fault: Exception) -> Response:
    """Answer a request that does not have its documented form."""
    assert isinstance(fault, RequestValidationError)
    errors = [_error(error["loc"], error["msg"]) for error in fault.errors()[:MOST_ERRORS]]
    return Problem(422, "The request does not have the documented form", errors=errors).response()


async def on_away(_request: Request, fault: Exception) -> Response:
    """Answer when a dependency is briefly away, or took too long."""
    log.warning("answered 503", extra={"reason": describe(fault)})
    return (took_too_long() if isinstance(fault, TimedOut) else away()).response()


def _title(status: int) -> str:
    return RENAMED.get(status) or HTTPStatus(status).phrase


def _error(location: tuple[str | int, ...], message: str) -> dict[str, str]:
    place, *path = location
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    return {"in": str(place), "path": pointer, "message": message.removeprefix("Value error, ")}


HANDLERS = {HTTPException: on_http_exception, RequestValidationError: on_validation_error, Away: on_away}
