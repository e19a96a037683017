"""The public keys of the issuer of tokens: given in settings, or published by the issuer and fetched, so that they can change without a
restart.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from time import monotonic
from typing import Any, Protocol

import httpx
import jwt
from starlette.concurrency import run_in_threadpool

from services.chassis.settings import TokenSettings

log = logging.getLogger(__name__)

ALGORITHMS = ("EdDSA", "ES256", "PS256", "RS256")
"""Only asymmetric algorithms: a party that can check a token must not be able to make one."""
KINDS = {"OKP", "EC", "RSA"}
FRESH_SECONDS = 300.0
"""The keys are fetched again after this long, so that a withdrawn key is not trusted for longer."""
AGAIN_SECONDS = 10.0
"""The least time between two fetches, even if many tokens name an unknown key or the issuer is away."""
FETCH_SECONDS = 2.0
MOST_BYTES = 256 * 1024


class IssuerKeys(Protocol):
    """A source of keys."""

    def version(self) -> int:
        """Return a number that changes with the keys, so that tokens are verified again."""

    def for_token(self, token: str) -> Sequence[Any]:
        """Return the keys that may have signed the token. Raises jwt.InvalidTokenError if it names an unknown one."""

    async def ready_for(self, token: str) -> None:
        """Wait until the key that the token names was asked for, if it is unknown. Nobody else waits meanwhile."""


class GivenKeys:
    """Keys from a file or a setting."""

    def __init__(self, settings: TokenSettings) -> None:
        self._keys = settings.keys()

    def version(self) -> int:
        """Return a constant: these keys do not change."""
        return 0

    def for_token(self, token: str) -> Sequence[Any]:  # noqa: ARG002
        """Return all keys: tokens need not name one."""
        return self._keys

    async def ready_for(self, token: str) -> None:
        """Do nothing: these keys are there."""


class PublishedKeys:
    """A JSON Web Key Set (RFC 7517) at an address. While the issuer is away, the last fetched keys stay valid.

    On the loop that answers everybody, nothing waits for the issuer: there, `ready_for` is awaited before a token is looked at.
    """

    def __init__(self, url: str) -> None:
        self._url, self._lock = url, Lock()
        self._published: Mapping[str, Any] = {}
        self._keys: dict[str, jwt.PyJWK] = {}
        self._version, self._tried, self._fetched = 0, -AGAIN_SECONDS, -FRESH_SECONDS
        self._fetching: asyncio.Task[None] | None = None

    def version(self) -> int:
        """Return how often the keys have changed, fetching them if it is time."""
        if self._is_stale() and not _is_on_the_loop():
            self._fetch()
        return self._version

    def for_token(self, token: str) -> Sequence[Any]:
        """Return the key that the token names, fetching it if necessary."""
        name = _name_in(token)
        if name not in self._keys and not _is_on_the_loop():
            self._fetch()
        if name not in self._keys:
            raise jwt.InvalidSignatureError
        return (self._keys[name],)

    async def ready_for(self, token: str) -> None:
        """Fetch the keys if it is time, and wait for them if the token names an unknown one."""
        is_unknown = bool(token) and _is_readable(token) and _name_in(token) not in self._keys
        if (is_unknown or self._is_stale()) and monotonic() - self._tried >= AGAIN_SECONDS:
            self._begin()
        if is_unknown and self._is_fetching():
            await asyncio.wait({self._fetching} if self._fetching else ())

    def _is_stale(self) -> bool:
        return monotonic() - self._fetched > FRESH_SECONDS

    def _begin(self) -> None:
        """Begin to fetch the keys in one thread, unless that is under way."""
        if not self._is_fetching():
            self._fetching = asyncio.create_task(run_in_threadpool(self._fetch))

    def _is_fetching(self) -> bool:
        task = self._fetching
        return task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()

    def _fetch(self) -> None:
        with self._lock:
            if monotonic() - self._tried < AGAIN_SECONDS:
                return
            self._tried = monotonic()
            try:
                found = _read(self._url)
            except (httpx.HTTPError, ValueError):
                return
            self._fetched = monotonic()
            if found != self._published:
                self._published, self._keys, self._version = found, dict(_usable(found)), self._version + 1


def _is_on_the_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _is_readable(token: str) -> bool:
    try:
        _name_in(token)
    except jwt.InvalidTokenError:
        return False
    return True


def _name_in(token: str) -> str:
    return str(jwt.get_unverified_header(token).get("kid", ""))


def _usable(published: Mapping[str, Any]) -> Iterator[tuple[str, jwt.PyJWK]]:
    """Yield keys by name, without those of a curve or for a purpose that nothing here uses."""
    for name, one in published.items():
        try:
            yield name, jwt.PyJWK(one)
        except jwt.PyJWTError:
            log.warning("the issuer publishes a key of a kind that is not used here")


def _read(url: str) -> dict[str, Any]:
    """Return keys by name, as they were published. Anything but an asymmetric key for signatures is left out. Raises httpx.HTTPError,
    ValueError.
    """
    answer = httpx.get(url, timeout=FETCH_SECONDS, follow_redirects=False).raise_for_status()
    if len(answer.content) > MOST_BYTES:
        raise ValueError
    listed = answer.json()["keys"] if isinstance(answer.json(), dict) and "keys" in answer.json() else []
    keys = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    fit = [one for one in keys if one.get("kty") in KINDS and one.get("use", "sig") == "sig" and one.get("kid")]
    return {str(one["kid"]): one for one in fit}


def keys_of(settings: TokenSettings) -> IssuerKeys:
    """Return the source of keys that the settings describe."""
    return PublishedKeys(settings.jwks_url) if settings.jwks_url else GivenKeys(settings)
