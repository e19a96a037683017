"""Identifies callers, to count what each of them uses."""

from asyncio import sleep
from ipaddress import IPv6Address, ip_address
from typing import Literal, NamedTuple

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.api.auth import COOKIE, Identity, InvalidToken, ready_for, verify
from services.chassis.settings import TokenSettings

REFUSED_SECONDS = 1.0
"""How long a caller who is not signed in waits for a refusal: answering a thousand refusals a second would be work, too."""


class Caller(NamedTuple):
    """The identity of a valid token, or else an address."""

    kind: Literal["token", "address"]
    name: str

    @property
    def is_known(self) -> bool:
        """Return whether a token identifies the caller."""
        return self.kind == "token"

    @property
    def group(self) -> str:
        """Return the authority, whose accounts share what one may have; for whoever has none, the name alone."""
        return self.name.partition("/")[0] or self.name

    @property
    def key(self) -> str:
        """Return the key by which processes recognise the same caller."""
        return f"{self.kind} {self.name}"


async def hold_back(caller: Caller) -> None:
    """Wait before a refusal that asks the caller to try again later."""
    if not caller.is_known:
        await sleep(REFUSED_SECONDS)


def caller_of(scope: Scope, tokens: TokenSettings | None) -> Caller:
    """Return the caller. A token counts only if it is valid: otherwise anybody could use up another caller's share."""
    identity = (named_by_token(scope, tokens) or _of_session(scope)) if tokens else None
    return Caller("token", f"{identity.authority or ''}/{identity.subject}") if identity else address_of(scope)


def named_by_token(scope: Scope, tokens: TokenSettings) -> Identity | None:
    """Return the identity of a valid token of the request; None without one."""
    given = _token_of(scope, tokens)
    try:
        return verify(given, tokens) if given else None
    except InvalidToken:
        return None


def _token_of(scope: Scope, tokens: TokenSettings) -> str:
    request = HTTPConnection(scope)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    kept = request.cookies.get(COOKIE, "") if tokens.development else ""
    return token.strip() if scheme.lower() == "bearer" else kept


class KeysAtHand:
    """Waits for the issuer's keys where a request needs one that is unknown, so that no other request waits for the issuer."""

    def __init__(self, app: ASGIApp, tokens: TokenSettings) -> None:
        self._app, self._tokens = app, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            await ready_for(_token_of(scope, self._tokens), self._tokens)
        await self._app(scope, receive, send)


def _of_session(scope: Scope) -> Identity | None:
    sessions = getattr(scope["app"].state, "sessions", None) if "app" in scope else None
    found: Identity | None = sessions.recent(scope) if sessions else None
    return found


def address_of(scope: Scope) -> Caller:
    """Return the address of the request; for IPv6 its first half, since one subscriber has the whole second half."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ip_address(host)
    except ValueError:
        return Caller("address", str(host))
    whole = f"{int(address) >> 64:x}" if isinstance(address, IPv6Address) else str(address)
    return Caller("address", whole)
