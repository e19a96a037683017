"""Signatures in the form of Standard Webhooks (standardwebhooks.com), and how secrets are kept.

A receiver's secret is random, shown once, and sealed with an operator's key, so that nobody can sign who reads the database.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from hmac import digest
from secrets import token_bytes
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX = "whsec_"
SECRET_BYTES = 32


class Message(NamedTuple):
    """A message to send. Its id stays the same however often it is sent."""

    id: str
    body: bytes


def new_secret() -> str:
    """Return a new secret in the form that a receiver needs."""
    return PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode()


def headers(message: Message, secrets: Iterable[str], at: datetime) -> dict[str, str]:
    """Return the headers that prove to a holder of any of the secrets who sent the message."""
    second = str(int(at.timestamp()))
    signed = b".".join((message.id.encode(), second.encode(), message.body))
    return {
        "webhook-id": message.id,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    return b64encode(digest(b64decode(secret.removeprefix(PREFIX)), signed, sha256)).decode()


class Safe:
    """Seals secrets. There are several keys while they are being changed: the first seals, and any opens."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Raise ValueError if a key is not valid."""
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str) -> str:
        return self._keys.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """Open a sealed secret; None if no key opens it any more."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None
