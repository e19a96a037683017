"""Pseudonyms of people. The secret stays with the authority: without it, nobody can find out who is meant."""

import hmac
from base64 import urlsafe_b64encode

SHORTEST_SECRET = 16
"""In bytes. Make a secret with `python -c 'import secrets; print(secrets.token_hex(32))'`, and keep it as you keep a key."""


def pseudonym(secret: bytes, person_id: str) -> str:
    """Return the same 43 characters for the same person, as long as the secret is the same.

    Give an identifier that never changes and means one person only, such as the case system's own number; surrounding blanks do not count.
    Raises ValueError if the secret is too short, or the identifier is empty.
    """
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"the secret must have {SHORTEST_SECRET} bytes or more")
    if not person_id.strip():
        raise ValueError("the identifier is empty")
    digest = hmac.digest(secret, person_id.strip().encode(), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")
