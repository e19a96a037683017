"""What the processes of reporting may do with its tables. Releases are made by operators, who work as the owner."""

from sqlalchemy import Connection, text

from services.chassis.guarding import roles
from services.chassis.guarding.roles import CHANGE, NOTHING, READ, Rights, role_of_api, role_of_worker

API = Rights(
    READ,
    {
        "sessions": CHANGE,
        "budgets": CHANGE,
        "release_files": "SELECT, INSERT, DELETE",
        "releases": "SELECT, UPDATE (status, published_at, held_at)",  # it publishes what is held, at the announced moment
        **dict.fromkeys(("put_aside", "rounding_key"), NOTHING),
    },
)
"""Shows figures; it cannot change one, nor know the key by which public ones are rounded, which would outlast a break-in."""
WORKER = Rights(
    READ,
    {
        **dict.fromkeys(("cells", "checkpoints", "positions", "present", "put_aside"), CHANGE),
        **dict.fromkeys(("budgets", "rounding_key", "sessions"), NOTHING),
    },
)
"""Takes figures in, and cannot touch what was released, nor who is signed in."""


def build(connection: Connection) -> None:
    """For each migration that makes a table which these change. Raises Refused where there are no such roles and none may be made."""
    owner = str(connection.scalar(text("SELECT current_user")))
    given = {role_of_api(owner): API, role_of_worker(owner): WORKER}
    roles.make(connection, *given)
    for role, rights in given.items():
        roles.give(connection, role, rights)
        roles.let_add_to_the_audit(connection, owner, role)
