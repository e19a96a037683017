"""Tokens for development, signed with a key that lies in a file. Production has an issuer of its own."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.authorities import AUTHORITIES
from services.chassis.clock import Clock, system_clock

ISSUER = AUDIENCE = "payback"

AUTHORITY_SCOPES = ("events:write", "orders:read")
NATIONAL_SCOPES = ("national:read",)
OPERATOR_SCOPES = ("operations", "national:read")


class DevelopmentKey:
    """An Ed25519 key pair: the private key in the file of this name, the public one beside it in `.pub`."""

    def __init__(self, path: Path) -> None:
        """Make the pair unless it is there."""
        self.public_path = path.with_suffix(".pub")
        if not path.exists():
            _write_pair(path, self.public_path)
        self._private = path.read_text()

    def mint(
        self,
        subject: str,
        scopes: Iterable[str],
        *,
        authority: str | None = None,
        lifetime: timedelta = timedelta(days=1),
        clock: Clock = system_clock,
    ) -> str:
        """A signed token. `authority` is the statistical code of the one whose records its holder may touch."""
        now = clock()
        claims: dict[str, object] = {
            "sub": subject,
            "scope": " ".join(scopes),
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + lifetime,
        }
        if authority is not None:
            claims["authority"] = authority
        return jwt.encode(claims, self._private, algorithm="EdDSA")


def mint_for_everybody(key: DevelopmentKey) -> dict[str, str]:
    """A token for each authority by its code, one for `national` and one for `operator`."""
    authorities = {code: key.mint(code, AUTHORITY_SCOPES, authority=code) for code in AUTHORITIES}
    return {
        "national": key.mint("national", NATIONAL_SCOPES),
        "operator": key.mint("operator", OPERATOR_SCOPES),
        **authorities,
    }


def _write_pair(path: Path, public_path: Path) -> None:
    pair = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(
        pair.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public_path.write_bytes(
        pair.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
