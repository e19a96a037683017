"""Development tokens, signed with a key in a file. Production has an issuer of its own."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from msgspec import json

from contracts.authorities import AUTHORITIES
from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.clock import Clock, system_clock
from services.chassis.settings import DEVELOPMENT_ISSUER, DEVELOPMENT_MARK

AUTHORITY_SCOPES = frozenset({"events:write", "orders:read", "orders:manage"})
SCOPES_OF = {
    "national": frozenset({"national:read"}),
    "inspector": frozenset({"national:read", "national:inspect"}),
    "operator": frozenset({"operations", "national:read"}),
}


class DevelopmentKey:
    """An Ed25519 key pair: the private key in the file of this name, the public one beside it in `.pub`."""

    def __init__(self, path: Path) -> None:
        """Make the pair unless it exists."""
        self.public_path = path.with_suffix(".pub")
        if not path.exists():
            keys = generate_keys()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(keys.private)
            self.public_path.write_text(f"{DEVELOPMENT_MARK}\n{keys.public}")
        self._private = path.read_text()

    def mint(self, identity: Identity, lifetime: timedelta = timedelta(days=1), clock: Clock = system_clock) -> str:
        """Return a signed token."""
        return mint(self._private, identity, lifetime, clock, issuer=DEVELOPMENT_ISSUER)


def identity_of(role: str) -> Identity:
    """Return the identity of an authority (by its code), `national`, `inspector` or `operator`. Raises ValueError for any other role."""
    if role in AUTHORITIES:
        return Identity(role, AUTHORITY_SCOPES, authority=role, name=f"Manager of {AUTHORITIES[role].name}")
    if role in SCOPES_OF:
        return Identity(role, SCOPES_OF[role])
    raise ValueError(f"{role} is neither an authority's code nor one of {', '.join(SCOPES_OF)}")


def mint_for_everybody(key: DevelopmentKey) -> dict[str, str]:
    """Return a token for each role by its name."""
    return {role: key.mint(identity_of(role)) for role in (*SCOPES_OF, *AUTHORITIES)}


def write_roles(path: Path, tokens: Mapping[str, str]) -> Path:
    """Write the tokens by the name of their role, for the pages' one click per role, and return the path."""
    path.touch(mode=0o600)
    titles = {"national": "National statistics", "inspector": "Inspection", "operator": "Operator"}
    names = titles | {code: f"{authority.name}: manager" for code, authority in AUTHORITIES.items()}
    path.write_bytes(json.encode({names[role]: token for role, token in tokens.items()}))
    return path
