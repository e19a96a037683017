"""Ed25519 signatures in the form of JWS (RFC 7515, RFC 8037), and the keys for them.

A key is named by its thumbprint (RFC 7638), so that two keys never share a name.
"""

from pathlib import Path
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from contracts.receipts.receipt import Head, NotProven, read_head

ALGORITHM: Final = "Ed25519"
HEAD = "payback-head"
"""The type of a signed head, so that nothing else that was signed is taken for one."""


class SigningKey:
    """A private key."""

    def __init__(self, pem: bytes) -> None:
        """Raise ValueError if this is not a private key of Ed25519."""
        try:
            self._key = OKPKey.import_key(pem)
        except (ValueError, TypeError, JoseError):
            raise ValueError("this is not a private key in PEM") from None
        if not self._key.is_private or self._key.curve_name != ALGORITHM:
            raise ValueError("this is not a private key of Ed25519")
        self.name = self._key.thumbprint()

    @property
    def public(self) -> dict[str, Any]:
        """Return the public key as a JWK."""
        return {**self._key.as_dict(private=False), "kid": self.name, "alg": ALGORITHM, "use": "sig"}

    def sign(self, content: bytes, kind: str) -> str:
        """Return a JWS in compact form with the content as its payload."""
        return jws.serialize_compact(
            {"alg": ALGORITHM, "kid": self.name, "typ": kind}, content, self._key, algorithms=[ALGORITHM]
        )


def new_key(path: Path) -> SigningKey:
    """Make a private key, in a file that only its owner may read. Raises FileExistsError."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(OKPKey.generate_key(ALGORITHM).as_pem(private=True))
    return SigningKey(path.read_bytes())


def public_key(x: str) -> dict[str, Any]:
    """Return the JWK with its name, given the 32 bytes of a public key in base64url. Raises ValueError."""
    jwk: dict[str, Any] = {"kty": "OKP", "crv": ALGORITHM, "x": x}
    try:
        return {**jwk, "kid": OKPKey.import_key(jwk).thumbprint(), "alg": ALGORITHM, "use": "sig"}
    except (ValueError, TypeError, JoseError):
        raise ValueError("this is not a public key of Ed25519") from None


class PublicKeys:
    """Keys by which signatures are checked."""

    def __init__(self, key_set: dict[str, Any]) -> None:
        """Read a JWK set. Raises ValueError."""
        try:
            self._keys = KeySet.import_key_set(key_set)  # type: ignore[arg-type]
        except (ValueError, TypeError, KeyError, JoseError):
            raise ValueError("this is not a set of public keys (JWKS)") from None
        if any(key.kid not in {None, key.thumbprint()} for key in self._keys):
            raise ValueError("a key does not have the name that its content gives it")

    @property
    def names(self) -> list[str]:
        """Return the names by which signatures refer to the keys."""
        return [key.thumbprint() for key in self._keys]

    def content(self, signed: str, kind: str) -> bytes:
        """Return the signed content. Raises NotProven if none of the keys has signed it."""
        try:
            found = jws.deserialize_compact(signed, self._keys, algorithms=[ALGORITHM])
        except (ValueError, TypeError, KeyError, JoseError):
            raise NotProven("the signature is not by any of the keys, or the signed content was altered") from None
        if found.headers().get("typ") != kind:
            raise NotProven("the signed content is not what was expected")
        return found.payload

    def head(self, signed: str) -> Head:
        """Return a signed head. Raises NotProven."""
        return read_head(self.content(signed, HEAD))


def unchecked(signed: str) -> Head:
    """Read a head without checking who signed it. Raises NotProven if it is not a head."""
    try:
        return read_head(jws.extract_compact(signed.encode()).payload)
    except (ValueError, TypeError, JoseError):
        raise NotProven("this is not a signed head") from None
