"""Asks the other services with the viewer's token, so that each view is authorised and recorded there."""

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from services.chassis.api.problems import Problem
from services.chassis.failures import Away
from services.desk.model.calendar import Dues
from services.desk.model.sent import Told
from services.desk.settings import PlatformSettings

log = logging.getLogger(__name__)

T = TypeVar("T")
Parameters = Mapping[str, "str | int | list[str]"]
"""A list repeats its parameter for each value."""
_LONG = ("explain", "returns/", "held/facts")
"""Paths for which a service reads every record of the authority, or of a year."""
_PATIENCE_SECONDS = 60.0


class Service(StrEnum):
    """The services of records, as addresses of the desk name them."""

    ORDERS = "orders"
    UNPAID_WORK = "unpaid-work"


class Figures(StrEnum):
    """The service of the nation's figures."""

    REPORTING = "reporting"


REPORTING = Figures.REPORTING
Asked = Service | Figures


_TITLES: dict[Asked, str] = {
    Service.ORDERS: "The service of orders",
    Service.UNPAID_WORK: "The service of unpaid work",
    REPORTING: "The service of the nation's figures",
}


class Unreadable(Exception):
    """A service answers something that the desk does not know, as another version of it may."""


class SignedOut(Exception):
    """The token is no longer valid: sign in again."""


class Platform:
    """The services that the desk asks. No answer is stored."""

    def __init__(self, settings: PlatformSettings, client: httpx.AsyncClient) -> None:
        self._client = client
        self._urls: dict[Asked, str] = {
            Service.ORDERS: settings.orders_url,
            Service.UNPAID_WORK: settings.unpaid_work_url,
            REPORTING: settings.reporting_url,
        }

    async def ask(
        self, token: str, service: Asked, path: str, kind: type[T], parameters: Parameters | None = None
    ) -> T:
        """Return the answer as that type. Raises SignedOut, Away, Unreadable, or the Problem that the service answered."""
        return _decoded(service, await self.fetch(token, service, path, parameters or {}), kind)

    async def ask_if_there(self, token: str, service: Asked, path: str, kind: type[T]) -> T | None:
        """Return the answer, or None if the service holds nothing. Raises what `ask` raises."""
        try:
            return await self.ask(token, service, path, kind)
        except Problem as problem:
            if problem.status_code == httpx.codes.NOT_FOUND:
                return None
            raise

    async def hand_over(self, token: str, service: Asked, path: str, body: bytes, media_type: str) -> Told:
        """Send events and return the answer about them; refused events are an answer, not a failure. Raises what `ask` raises."""
        request = self._request("POST", token, service, path, content=body, headers={"Content-Type": media_type})
        return _decoded(service, await self._send(service, request), Told)

    async def tell(self, token: str, service: Asked, method: str, path: str, body: object, kind: type[T]) -> T:
        """Let the service keep something, and return its answer. Raises what `ask` raises."""
        headers = {"Content-Type": "application/json"}
        request = self._request(method, token, service, path, content=msgspec.json.encode(body), headers=headers)
        return _decoded(service, await self._send(service, request), kind)

    async def feed(self, secret: str, service: Service) -> Dues | None:
        """Return what a calendar may show; None if the secret opens nothing. Raises Away, Unreadable."""
        request = self._client.build_request("GET", f"{self._urls[service]}/v1/feed", headers={"Payback-Feed": secret})
        try:
            return _decoded(service, await self._send(service, request), Dues)
        except Problem:
            return None

    async def fetch(self, token: str, service: Asked, path: str, parameters: Parameters) -> httpx.Response:
        """Return an answer as it is, such as a file. Raises what `ask` raises."""
        return await self._send(service, self._request("GET", token, service, path, params=dict(parameters)))

    async def send(self, service: Asked, method: str, path: str, **what: Any) -> httpx.Response:
        """Send a request without a token of its own: the headers say who asks. Raises what `ask` raises."""
        return await self._send(service, self._client.build_request(method, self._address(service, path), **what))

    def _address(self, service: Asked, path: str) -> str:
        """Return where the service answers this path and no other: a reference may be `..`, which would lead upwards."""
        parts = (part.replace(".", "%2E") if part in {".", ".."} else part for part in path.split("/"))
        return f"{self._urls[service]}/v1/{'/'.join(parts)}"

    def _request(self, method: str, token: str, service: Asked, path: str, **what: Any) -> httpx.Request:
        request = self._client.build_request(method, self._address(service, path), **what)
        request.headers["Authorization"] = f"Bearer {token}"
        if path.startswith(_LONG):
            request.extensions["timeout"] = httpx.Timeout(_PATIENCE_SECONDS).as_dict()
        return request

    async def _send(self, service: Asked, request: httpx.Request) -> httpx.Response:
        try:
            answer = await self._client.send(request)
        except httpx.HTTPError as error:
            log.warning("%s does not answer: %s", service, type(error).__name__)
            raise Away(f"{_TITLES[service]} did not answer in time") from error
        return _accepted(service, answer)


def place(subject: str) -> str:
    """Return an order reference as part of a path; a slash in it remains a slash."""
    return quote(subject, safe="/")


def _accepted(service: Asked, answer: httpx.Response) -> httpx.Response:
    status = answer.status_code
    if answer.is_success or (status == httpx.codes.UNPROCESSABLE_ENTITY and b'"rejected"' in answer.content[:4096]):
        return answer
    if status == httpx.codes.UNAUTHORIZED:
        raise SignedOut
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        log.warning("%s answers %d", service, status)
        raise Away(f"{_TITLES[service]} cannot answer at present")
    raise Problem(status, _detail(answer))


def _decoded(service: Asked, answer: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:  # the message names places and types of the answer, but no value
        raise Unreadable(f"{service} gave an answer that the desk cannot read: {error}") from error


def _detail(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return answer.reason_phrase
    return str(said.get("detail") or said.get("title") or answer.reason_phrase) if isinstance(said, dict) else ""
