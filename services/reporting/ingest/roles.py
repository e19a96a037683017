"""The rights of reporting's processes on its tables. Releases are made by operators, who work as the owner."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from services.chassis.guarding import roles
from services.chassis.guarding.roles import CHANGE, NOTHING, READ, Rights, role_of_api, role_of_worker

API = Rights(
    READ,
    {
        "sessions": CHANGE,
        "budgets": CHANGE,
        "release_files": "SELECT, INSERT, DELETE",
        # It publishes a held release at the announced moment.
        "releases": "SELECT, UPDATE (status, published_at, held_at)",
        **dict.fromkeys(("put_aside", "rounding_key"), NOTHING),
    },
)
"""Shows figures. It can neither change one, nor read the key by which public ones are rounded: a stolen key would outlast a break-in."""
WORKER = Rights(
    READ,
    {
        **dict.fromkeys(("cells", "checkpoints", "positions", "present", "put_aside"), CHANGE),
        **dict.fromkeys(("budgets", "rounding_key", "sessions"), NOTHING),
    },
)
"""Stores figures, and cannot change what was released, nor see who is signed in."""


def lacking(connection: Connection, owner: str) -> Iterator[str]:
    """Yield, in words, the rights that processes need and lack."""
    for role, rights in _given(owner).items():
        yield from roles.lacking(connection, role, rights)


def _given(owner: str) -> dict[str, Rights]:
    return {role_of_api(owner): API, role_of_worker(owner): WORKER}


def build(connection: Connection) -> None:
    """Grant the rights. Call it in each migration that makes a table which API or worker changes. Raises Refused if the roles do not exist
    and may not be made.
    """
    owner = str(connection.scalar(text("SELECT current_user")))
    given = _given(owner)
    roles.make(connection, *given)
    for role, rights in given.items():
        roles.give(connection, role, rights)
        roles.let_add_to_the_audit(connection, owner, role)
