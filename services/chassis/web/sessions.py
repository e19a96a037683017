"""Sessions of pages. The browser keeps one secret; the server keeps a row for it, which it can end.

The row holds the person's token sealed with the secret, so that neither the row alone nor a copy of the database opens a session.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe
from typing import NamedTuple, Protocol

from cachetools import TTLCache
from cryptography.fernet import Fernet
from cryptography.fernet import InvalidToken as Unsealable
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.api.auth import Identity, InvalidToken, ready_for, verify
from services.chassis.api.policy import Who
from services.chassis.failures import Away
from services.chassis.guarding.guessing import MOST_WRONG_ALL, count_wrong, may_guess
from services.chassis.settings import OidcSettings, TokenSettings
from services.chassis.web.oidc import SignIn

SECURE, INSECURE = "__Host-payback_session", "payback_session"
"""The names of the cookie with the secret. Browsers accept a name that begins with `__Host-` only over TLS, and only from this host."""
SCOPE_KEY = "payback.session"
ID_LENGTH = 16
MARK_LENGTH = 32
STRANGE = "cookies of sessions"
"""Those that do not bear our mark are counted where they open nothing."""
RECENT_SECONDS = 1800
"""How long it is known whose a session was: as long as one may usually be idle."""
NO_PAGES = ("/v1/", "/static/", "/healthz", "/readyz", "/openapi.json")
"""Addresses at which a session has no meaning."""
NOT_FOR_PAGES = "This account is not for pages: it belongs to a machine that sends events"


class Listed(NamedTuple):
    """One session, as its person sees it. The id is the beginning of its handle, which opens nothing."""

    id: str
    site: str
    browser: str
    began_at: datetime
    seen_at: datetime


class Place(NamedTuple):
    """The place of a sign-in: the site, and a few words about the browser that its person recognises."""

    site: str
    browser: str


class Session(NamedTuple):
    """The session of somebody who is signed in."""

    identity: Identity
    token: str
    handle: str
    """The server's name of the session."""


class Store(Protocol):
    """Keeps the rows. Every method may raise Away."""

    async def begin(self, session: Session, sealed: bytes, place: Place) -> None:
        """Keep a new session."""

    async def refused(self, place: Place, why: str) -> None:
        """Note that somebody could not sign in."""

    async def find(self, handle: str, before: Session | None) -> bytes | None:
        """Return what was sealed for a session that has not ended, and mark it as seen. `before` is the session that it was a while ago, if
        known.
        """

    async def end(self, handle: str) -> None:
        """End the session, if it exists."""

    async def listed(self, session: Session) -> list[Listed]:
        """Return all sessions of the same person, the latest first."""

    async def end_other(self, session: Session, name: str) -> None:
        """End the session with this id, if it is the same person's."""


class Sessions:
    """The sessions of one site."""

    def __init__(self, site: str, store: Store, tokens: TokenSettings, oidc: OidcSettings, *, insecure: bool) -> None:
        self.store, self._site, self._tokens = store, site, tokens
        self.provider = SignIn(oidc) if oidc.issuer else None
        self.cookie = INSECURE if insecure else SECURE
        self._key = sha256(b"mark " + oidc.client_secret.get_secret_value().encode()).digest()
        self._recent: TTLCache[str, Session] = TTLCache(maxsize=10_000, ttl=RECENT_SECONDS)

    async def begin(self, token: str, scope: Scope) -> str:
        """Keep a session for the token's person in this browser and return the secret. Raises InvalidToken, Away."""
        secret = self._marked(token_urlsafe(32))
        await ready_for(token, self._tokens)
        session = Session(verify(token, self._tokens), token, handle_of(secret))
        if not Who.PERSON.lets_in(session.identity):
            raise InvalidToken(NOT_FOR_PAGES)
        await self.store.begin(session, _seal(secret).encrypt(token.encode()), Place(self._site, browser_of(scope)))
        self._recent[session.handle] = session
        return secret

    async def refused(self, scope: Scope, why: str) -> None:
        """Note that somebody could not sign in, and the kind of reason. Raises Away."""
        await self.store.refused(Place(self._site, browser_of(scope)), why)

    async def find(self, scope: Scope) -> Session | None:
        """Return the session of the request; None if it has ended, or the token is no longer valid. Raises Away.

        Anybody can make up a cookie, so the store is asked about few of those that do not bear our mark.
        """
        secret = self._secret(scope)
        if not secret:
            return None
        if not self._may_ask(scope, secret):
            return None
        handle = handle_of(secret)
        sealed = await self.store.find(handle, self._recent.get(handle))
        if sealed is None:
            self._recent.pop(handle, None)
            self._count_strange(scope, secret)
            return None
        try:
            token = _seal(secret).decrypt(sealed).decode()
            await ready_for(token, self._tokens)
            session = Session(verify(token, self._tokens), token, handle)
        except (Unsealable, InvalidToken):
            return None
        self._recent[handle] = session
        return session

    async def end(self, scope: Scope) -> None:
        """End the session of the request, if there is one. Raises Away."""
        secret = self._secret(scope)
        if secret and self._may_ask(scope, secret):
            self._count_strange(scope, secret)
            self._recent.pop(handle_of(secret), None)
            await self.store.end(handle_of(secret))

    def recent(self, scope: Scope) -> Identity | None:
        """Return the identity that the cookie had a while ago: enough to count by, and never to admit anybody."""
        secret = self._secret(scope)
        session = self._recent.get(handle_of(secret)) if secret else None
        return session.identity if session else None

    def _may_ask(self, scope: Scope, secret: str) -> bool:
        return self._is_marked(secret) or may_guess(scope, STRANGE, MOST_WRONG_ALL)

    def _count_strange(self, scope: Scope, secret: str) -> None:
        if not self._is_marked(secret):
            count_wrong(scope, STRANGE)

    def _marked(self, secret: str) -> str:
        """Return the secret with a mark that only this site can make."""
        return f"{secret}.{self._mark(secret)}"

    def _is_marked(self, secret: str) -> bool:
        made, _, mark = secret.rpartition(".")
        return self.provider is not None and hmac.compare_digest(
            mark.encode("utf-8", "replace"), self._mark(made).encode()
        )

    def _mark(self, secret: str) -> str:
        return hmac.new(self._key, secret.encode("utf-8", "replace"), sha256).hexdigest()[:MARK_LENGTH]

    def _secret(self, scope: Scope) -> str | None:
        return HTTPConnection(scope).cookies.get(self.cookie)


class SignedIn:
    """Finds out once for each request of a page who is signed in."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app, self._sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not scope["path"].startswith(NO_PAGES):
            scope[SCOPE_KEY] = await self._found(scope)
        await self._app(scope, receive, send)

    async def _found(self, scope: Scope) -> Session | Away | None:
        try:
            return await self._sessions.find(scope)
        except Away as away:
            return away


def session_of(scope: Scope) -> Session | None:
    """Return the session of the request, if somebody is signed in. Raises Away if that cannot be determined now."""
    found: Session | Away | None = scope.get(SCOPE_KEY)
    if isinstance(found, Away):
        raise found
    return found


def handle_of(secret: str) -> str:
    """Return the server's name of a secret, from which the secret cannot be derived."""
    return sha256(b"handle " + secret.encode("utf-8", "replace")).hexdigest()


def _seal(secret: str) -> Fernet:
    return Fernet(urlsafe_b64encode(sha256(b"seal " + secret.encode("utf-8", "replace")).digest()))


def browser_of(scope: Scope) -> str:
    """Return the browser in a few words, from its own description."""
    said = HTTPConnection(scope).headers.get("user-agent", "")
    names = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {"Windows": "Windows", "Android": "Android", "iPhone": "iPhone", "Mac OS": "macOS", "Linux": "Linux"}
    browser = next((name for mark, name in names.items() if mark in said), "a program")
    system = next((name for mark, name in systems.items() if mark in said), "")
    return f"{browser} on {system}" if system else browser
