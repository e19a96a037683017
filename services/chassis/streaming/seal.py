"""Seals on messages: a holder of the same key can check that a message comes from the named service.

Kafka's rights say who may write to a topic, but not on whose behalf. A service seals what it publishes with a key that only it and its
reader hold.
"""

import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

HEADER = "payback-seal"
SHORTEST_KEY = 32


class Sealer(NamedTuple):
    """Makes seals, and checks those of older keys while keys are being changed."""

    keys: tuple[bytes, ...]

    def seal(self, key: bytes, value: bytes) -> bytes:
        """Return the seal of a message with this key and value, by the newest key."""
        return _seal(self.keys[0], key, value)

    def knows(self, seal: bytes | None, key: bytes, value: bytes) -> bool:
        """Return whether the seal was made of this message, with one of the keys."""
        return seal is not None and any(hmac.compare_digest(seal, _seal(each, key, value)) for each in self.keys)


def sealer(secret: str) -> Sealer | None:
    """Read one or several keys, separated by commas, the newest first; None for no key. Raises ValueError for a short one."""
    keys = tuple(key.strip().encode() for key in secret.split(",") if key.strip())
    if any(len(key) < SHORTEST_KEY for key in keys):
        raise ValueError(f"a key has {SHORTEST_KEY} characters or more")
    return Sealer(keys) if keys else None


def seal_in(headers: Sequence[tuple[str, bytes | None]]) -> bytes | None:
    """Return the seal among a message's headers; None if there is none."""
    return next((content for name, content in headers if name == HEADER), None)


def _seal(secret: bytes, key: bytes, value: bytes) -> bytes:
    sealing = _begun(secret).copy()
    sealing.update(len(key).to_bytes(4) + key + value)
    return sealing.digest()


@lru_cache
def _begun(secret: bytes) -> hmac.HMAC:
    """Return what is only copied: beginning anew with the key takes some four times as long as the rest of a seal (measured)."""
    return hmac.new(secret, digestmod="sha256")
