"""Records operators' commands, in the transaction that carries them out."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from services.chassis.audit.model import WHOLE_SERVICE, Entry, Kind, Purpose
from services.chassis.audit.store import append
from services.chassis.clock import system_clock


def operated(
    connection: Connection,
    command: str,
    authority: str = WHOLE_SERVICE,
    *,
    by: str | None = None,
    shown: Sequence[str] | None = None,
    about: Sequence[str] = (),
    **detail: Any,
) -> None:
    """Record that an operator gave a command: a view if references were `shown`, or else an act, `about` these references if there are any.

    It is recorded under the name of the user who is signed in, unless `by` is given. `detail` names no order and no person.
    """
    entry = Entry(
        authority,
        system_clock(),
        by or getpass.getuser(),
        "",
        "operator",
        Purpose.OPERATION,
        Kind.ACT if shown is None else Kind.LOOK,
        f"payback {command}",
        len(shown or about),
        shown or about,
        detail,
    )
    append(connection, entry)


@contextmanager
def owning_the_audit(connection: Connection) -> Iterator[None]:
    """Allow the deletion of references and old entries during the block. The user must be able to take the role of the audit, which no
    service can.
    """
    role = str(connection.scalar(text("SELECT current_user")))
    quoted = connection.dialect.identifier_preparer.quote_identifier
    connection.execute(text(f"SET LOCAL ROLE {quoted(f'{role}_audit')}"))
    yield
    connection.execute(text(f"SET LOCAL ROLE {quoted(role)}"))
