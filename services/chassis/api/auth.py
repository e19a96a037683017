"""The caller, and what they may do: tokens signed by the platform's issuer (JWT, EdDSA)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from contracts.authorities import current_code
from services.chassis.api.issuer_keys import ALGORITHMS, IssuerKeys, keys_of
from services.chassis.api.problems import Problem
from services.chassis.clock import Clock, system_clock
from services.chassis.settings import TokenSettings

SCOPES = frozenset({"events:write", "orders:read", "orders:manage", "national:read", "national:inspect", "operations"})
COOKIE = "payback_token"
"""The name of the cookie in which browsers keep a token."""
ALGORITHM = "EdDSA"
LEEWAY = timedelta(seconds=30)
LONGEST_NAME = 200
REASONS: dict[type[jwt.InvalidTokenError], str] = {
    jwt.ExpiredSignatureError: "The token has expired",
    jwt.ImmatureSignatureError: "The token is not valid yet",
    jwt.InvalidAlgorithmError: f"The token is not signed with {ALGORITHM}",
    jwt.InvalidAudienceError: "The token is meant for another audience",
    jwt.InvalidIssuerError: "The token comes from another issuer",
    jwt.InvalidSignatureError: "The token was signed with another key",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a caller. `authority` is the current code of the authority to which the caller belongs, if any."""

    subject: str
    scopes: frozenset[str] = frozenset()
    authority: str | None = None
    name: str = ""
    """What people call the caller, if the issuer says it."""

    @property
    def called(self) -> str:
        """Return the name; without one, the subject."""
        return self.name or self.subject

    @property
    def audience(self) -> Literal["public", "authority", "national"]:
        """Return the audience of the caller, which decides the figures that they may see."""
        if "national:read" in self.scopes:
            return "national"
        return "authority" if self.authority and "orders:read" in self.scopes else "public"


PUBLIC = Identity("")


class InvalidToken(Exception):
    """The token is not valid. The message says why, and may be shown to the caller."""


class _Proven(NamedTuple):
    """The identity that the signature of a token proves until it expires."""

    identity: Identity
    id: str
    expires_at: int
    lasts_seconds: float


async def ready_for(token: str, settings: TokenSettings) -> None:
    """Wait for the key that the token names, if it must be fetched. To be awaited before `verify` on the loop that answers everybody."""
    await _keys(settings).ready_for(token)


def verify(token: str, settings: TokenSettings) -> Identity:
    """Return the identity that the token proves. Raises InvalidToken."""
    proven = _proven(token, settings, _keys(settings).version())
    if settings.denied_path and (not proven.id or proven.id in _denied(settings.denied_path)):
        raise InvalidToken("The token was withdrawn")
    if proven.expires_at <= (system_clock() - LEEWAY).timestamp():
        raise InvalidToken(REASONS[jwt.ExpiredSignatureError])
    return proven.identity


@lru_cache(maxsize=1024)
def _proven(token: str, settings: TokenSettings, _version: int) -> _Proven:
    """Return what a token proves. It is cached, since callers come again and only time ends a proof; a failure is not cached."""
    try:
        claims = _claims(token, settings)
    except jwt.InvalidTokenError as fault:
        raise InvalidToken(_why(fault)) from fault
    scope, authority = claims.get("scope", ""), claims.get("authority")
    if not isinstance(scope, str) or not isinstance(authority, str | None):
        raise InvalidToken("The token's scope or authority is not text")
    scopes, of = SCOPES.intersection(scope.split()), current_code(authority or "")
    identity = Identity(claims["sub"], scopes, of, _name_in(claims))
    lasts = claims["exp"] - claims["iat"]
    if lasts > settings.longest_hours * 3600:
        raise InvalidToken(f"The token was made for longer than {settings.longest_hours:.0f} hours")
    return _Proven(identity, str(claims.get("jti", "")), int(claims["exp"]), lasts)


def _name_in(claims: Mapping[str, Any]) -> str:
    """Return the name in a token, which proves nothing and is only shown; empty for what is no name."""
    name = claims.get("name")
    return name.strip() if isinstance(name, str) and name.isprintable() and len(name) <= LONGEST_NAME else ""


def _claims(token: str, settings: TokenSettings) -> dict[str, Any]:
    *others, last = _keys(settings).for_token(token)
    for key in others:
        try:
            return _decode(token, key, settings)
        except jwt.InvalidSignatureError:
            continue
    return _decode(token, last, settings)


def _decode(token: str, key: Any, settings: TokenSettings) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM] if settings.jwks_url is None else list(ALGORITHMS),
        issuer=settings.issuer,
        audience=settings.audience,
        leeway=LEEWAY,
        options={"require": ["sub", "exp", "iat", "iss", "aud"]},
    )


@lru_cache(maxsize=8)
def _keys(settings: TokenSettings) -> IssuerKeys:
    return keys_of(settings)


def _denied(path: Path) -> frozenset[str]:
    """Return the denied ids in the file as it is now. Raises InvalidToken if it cannot be read: then nobody knows which tokens were
    withdrawn.
    """
    try:
        found = path.stat()
        return _ids(path, found.st_mtime_ns, found.st_size)
    except OSError:
        raise InvalidToken("The list of withdrawn tokens cannot be read") from None


@lru_cache(maxsize=8)
def _ids(path: Path, _changed: int, _size: int) -> frozenset[str]:
    return frozenset(line.strip() for line in path.read_text(encoding="utf-8").splitlines())


def _why(fault: jwt.InvalidTokenError) -> str:
    if isinstance(fault, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {fault.claim}"
    return next((reason for kind, reason in REASONS.items() if isinstance(fault, kind)), "The token cannot be read")


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="A token of the platform's issuer")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def caller_named(request: Request) -> Identity:
    """Return the caller by the header, for routes whose OpenAPI document need not show it. Raises Problem 401 as `caller` does."""
    return await caller(request, await _bearer(request))


async def caller(request: Request, credentials: Credentials) -> Identity:
    """Depend on the caller, or on the public without a token. An invalid token is always refused."""
    if credentials is None:
        if "authorization" in request.headers:
            raise _unauthorised("Only bearer tokens are accepted")
        return PUBLIC
    try:
        identity = verify(credentials.credentials, request.app.state.tokens)
    except InvalidToken as fault:
        raise _unauthorised(str(fault)) from fault
    _note_its_end(request, credentials.credentials, identity)
    return identity


def _note_its_end(request: Request, token: str, identity: Identity) -> None:
    """Record when a token ends, so that an operator knows it before the authority does."""
    if "events:write" in identity.scopes:
        tokens: TokenSettings = request.app.state.tokens
        proven = _proven(token, tokens, _keys(tokens).version())
        request.app.state.metrics.token_used(identity.authority, proven.lasts_seconds, proven.expires_at)


Caller = Annotated[Identity, Depends(caller)]


async def own_authority(identity: Caller) -> str:
    """Depend on the code of the caller's own authority. The route's policy decides whether they may call at all."""
    if identity.authority is None:
        raise Problem(403, "The token names no authority")
    return identity.authority


OwnAuthority = Annotated[str, Depends(own_authority)]


def _unauthorised(reason: str) -> Problem:
    challenge = f'Bearer error="invalid_token", error_description="{reason}"'
    return Problem(401, reason, headers={"WWW-Authenticate": challenge})


class Keys(NamedTuple):
    """A pair of keys in PEM form."""

    private: str
    public: str


def generate_keys() -> Keys:
    """Make a new pair, for an issuer of development tokens."""
    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Keys(secret.decode(), public.decode())


def mint(
    private_key: str,
    identity: Identity,
    lifetime: timedelta,
    clock: Clock,
    *,
    issuer: str = "payback",
    audience: str = "payback",
) -> str:
    """Make a token for this identity, as an issuer of development tokens would."""
    claims = {
        "sub": identity.subject,
        "scope": " ".join(sorted(identity.scopes)),
        "iss": issuer,
        "aud": audience,
        "jti": uuid4().hex,
        "iat": clock(),
        "exp": clock() + lifetime,
    }
    if identity.authority:
        claims["authority"] = identity.authority
    if identity.name:
        claims["name"] = identity.name
    return jwt.encode(claims, private_key, ALGORITHM)
