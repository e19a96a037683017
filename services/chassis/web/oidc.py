"""Sign-in by an OpenID Connect provider: the authorization code flow with PKCE, for a client with a secret.

One secret in a cookie ties an attempt to the browser that began it. State, nonce and verifier are derived from it, so that the server keeps
nothing of an attempt, and any process of the service can finish it.
"""

import hmac
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from secrets import token_urlsafe
from ssl import SSLContext
from typing import Any, NamedTuple

import httpx
import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from cachetools import TTLCache
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool

from services.chassis.api.issuer_keys import ALGORITHMS, PublishedKeys
from services.chassis.failures import Away
from services.chassis.settings import OidcSettings

FRESH_SECONDS = 300.0
LEEWAY_SECONDS = 30
TIMEOUT_SECONDS = 10.0
DONE = "/sign-in/done"
"""The address to which the provider returns people."""


class NotSignedIn(Exception):
    """The provider refused, or its answer is not valid. The message may be shown."""


class Attempt(NamedTuple):
    """A sign-in that begins."""

    address: str
    secret: str


class _Provider(NamedTuple):
    """The provider's description of itself."""

    authorize: str
    token: str
    keys: PublishedKeys
    names_itself: bool
    """Whether it includes its name in its answers (RFC 9207)."""


class SignIn:
    """Signing in with one provider."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._known: TTLCache[str, _Provider] = TTLCache(1, FRESH_SECONDS)

    async def begin(self) -> Attempt:
        """Return where to send the browser, and what it must keep until it comes back. Raises Away, NotSignedIn."""
        secret, provider = token_urlsafe(32), await self._provider()
        client = self._client()
        address, _ = client.create_authorization_url(
            provider.authorize,
            state=_made(secret, "state"),
            nonce=_made(secret, "nonce"),
            code_verifier=_made(secret, "verifier"),
            **self._resource(),
        )
        await client.aclose()
        return Attempt(address, secret)

    async def finish(self, secret: str, query: Mapping[str, str]) -> str:
        """Return the person's access token, for what came back to the browser with this secret. Raises Away, NotSignedIn."""
        provider = await self._provider()
        self._check_answer(provider, secret, query)
        tokens = await self._tokens(provider, secret, query["code"])
        await run_in_threadpool(self._check_id_token, provider, secret, tokens)
        return str(tokens["access_token"])

    def _check_answer(self, provider: _Provider, secret: str, query: Mapping[str, str]) -> None:
        if not secret or not hmac.compare_digest(query.get("state", "").encode(), _made(secret, "state").encode()):
            raise NotSignedIn("This sign-in did not start in this browser, or took too long. Start again.")
        if query.get("iss", self._settings.issuer if not provider.names_itself else "") != self._settings.issuer:
            raise NotSignedIn("The answer came from a different provider.")
        if "error" in query or "code" not in query:
            raise NotSignedIn("The provider did not sign you in.")

    async def _tokens(self, provider: _Provider, secret: str, code: str) -> Mapping[str, Any]:
        async with self._client() as client:
            try:
                tokens: Mapping[str, Any] = await client.fetch_token(
                    provider.token,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=_made(secret, "verifier"),
                    **self._resource(),
                )
            except httpx.HTTPError as error:
                raise Away(f"the provider of sign-ins is away: {type(error).__name__}") from error
            except (AuthlibBaseError, ValueError) as fault:
                raise NotSignedIn("The provider does not accept this sign-in. Start again.") from fault
        if not {"access_token", "id_token"} <= tokens.keys():
            raise NotSignedIn("The provider does not say who you are.")
        return tokens

    def _check_id_token(self, provider: _Provider, secret: str, tokens: Mapping[str, Any]) -> None:
        token, ours = str(tokens["id_token"]), self._settings.client_id
        expected = {
            "nonce": _made(secret, "nonce"),
            "client_id": ours,
            "access_token": str(tokens["access_token"]),
        }
        try:
            (key,) = provider.keys.for_token(token)
            claims = jwt.decode(
                token, key, list(ALGORITHMS), audience=ours, issuer=self._settings.issuer, leeway=LEEWAY_SECONDS
            )
            CodeIDToken(claims, jwt.get_unverified_header(token), params=expected).validate(leeway=LEEWAY_SECONDS)
        except (jwt.InvalidTokenError, AuthlibBaseError, JoseError) as fault:
            raise NotSignedIn("The provider's answer does not belong to this sign-in. Start again.") from fault

    def _client(self) -> AsyncOAuth2Client:
        settings = self._settings
        return AsyncOAuth2Client(
            settings.client_id,
            settings.client_secret.get_secret_value(),
            scope=settings.scope,
            redirect_uri=f"{settings.address}{DONE}",
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
            verify=_trusted(),
        )

    def _resource(self) -> dict[str, str]:
        """Return for whom tokens are meant, for providers that ask (RFC 8707)."""
        return {"resource": self._settings.resource} if self._settings.resource else {}

    async def _provider(self) -> _Provider:
        if found := self._known.get(self._settings.issuer):
            return found
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, verify=_trusted()) as client:
                answer = await client.get(f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
                told = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Away(f"the provider of sign-ins is away: {type(error).__name__}") from error
        found = self._known[self._settings.issuer] = self._believed(told)
        return found

    def _believed(self, told: Any) -> _Provider:
        """Check the provider's document. Raises NotSignedIn if it is another party's (OpenID Connect Discovery 1.0, section 4.3)."""
        try:
            if told["issuer"] != self._settings.issuer or "S256" not in told["code_challenge_methods_supported"]:
                raise NotSignedIn("The provider is not the one that the settings name.")
            named = bool(told.get("authorization_response_iss_parameter_supported"))
            return _Provider(
                told["authorization_endpoint"], told["token_endpoint"], PublishedKeys(told["jwks_uri"]), named
            )
        except (KeyError, TypeError) as fault:
            raise NotSignedIn("The provider does not give an address for signing in.") from fault


@cache
def _trusted() -> SSLContext:
    """Return the certificates that everybody trusts, read once: anybody may begin a sign-in, and others would wait for each reading."""
    return httpx.create_ssl_context()


def _made(secret: str, purpose: str) -> str:
    """Derive one value for each purpose. Neither the secret nor the other values can be derived from it."""
    return hmac.new(secret.encode("utf-8", "replace"), purpose.encode(), sha256).hexdigest()
