"""The public keys of the issuer of tokens: given in settings, or published by the issuer and fetched, so that they can change without a
restart.
"""

from collections.abc import Sequence
from threading import Lock
from time import monotonic
from typing import Any, Protocol

import httpx
import jwt

from services.chassis.settings import TokenSettings

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


class PublishedKeys:
    """A JSON Web Key Set (RFC 7517) at an address. While the issuer is away, the last fetched keys stay valid."""

    def __init__(self, url: str) -> None:
        self._url, self._lock = url, Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._version, self._tried, self._fetched = 0, -AGAIN_SECONDS, -FRESH_SECONDS

    def version(self) -> int:
        """Return how often the keys have changed, fetching them if it is time."""
        if monotonic() - self._fetched > FRESH_SECONDS:
            self._fetch()
        return self._version

    def for_token(self, token: str) -> Sequence[Any]:
        """Return the key that the token names, fetching it if necessary."""
        name = str(jwt.get_unverified_header(token).get("kid", ""))
        if name not in self._keys:
            self._fetch()
        if name not in self._keys:
            raise jwt.InvalidSignatureError
        return (self._keys[name],)

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
            if found.keys() != self._keys.keys():
                self._keys, self._version = found, self._version + 1


def _read(url: str) -> dict[str, jwt.PyJWK]:
    """Return keys by name. Anything but an asymmetric key for signatures is left out. Raises httpx.HTTPError, ValueError."""
    answer = httpx.get(url, timeout=FETCH_SECONDS, follow_redirects=False).raise_for_status()
    if len(answer.content) > MOST_BYTES:
        raise ValueError
    listed = answer.json()["keys"] if isinstance(answer.json(), dict) and "keys" in answer.json() else []
    fit = [one for one in listed if one.get("kty") in KINDS and one.get("use", "sig") == "sig" and one.get("kid")]
    return {str(one["kid"]): jwt.PyJWK(one) for one in fit}


def keys_of(settings: TokenSettings) -> IssuerKeys:
    """Return the source of keys that the settings describe."""
    return PublishedKeys(settings.jwks_url) if settings.jwks_url else GivenKeys(settings)
