"""A worker that takes over ends the session of a predecessor that hangs in the middle of a commit, instead of waiting."""

import logging
import time
from collections.abc import Collection

from sqlalchemy import Engine, text

from services.chassis.database import transaction

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
"""How long a commit that is still running may take to finish."""
_HOLDERS = text(
    "SELECT DISTINCT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'transactionid' AND l.granted "
    "AND a.application_name = current_setting('application_name') AND a.pid <> pg_backend_pid() AND l.transactionid IN ("
    "SELECT xmax FROM checkpoints WHERE topic = ANY(:topics) UNION ALL SELECT xmax FROM shards WHERE authority = ANY(:authorities) "
    "UNION ALL SELECT xmax FROM publications WHERE authority = ANY(:authorities))"
)
"""Sessions of this service that hold locks on any of these rows."""


def end_predecessors(database: Engine, topics: Collection[str], authorities: Collection[str]) -> int:
    """End sessions that still lock rows which this worker now owns, and return their number. Such a session has committed nothing. Raises
    Away.
    """
    found = _holders(database, topics, authorities)
    if not found:
        return 0
    time.sleep(GRACE_SECONDS)
    still = found & _holders(database, topics, authorities)
    with transaction(database) as connection:
        connection.execute(text("SET LOCAL ROLE NONE"))  # back to the user who signed in, to whom the sessions belong
        for pid in still:
            log.warning("ended the session of a predecessor that stood still in a commit: %d", pid)
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return len(still)


def _holders(database: Engine, topics: Collection[str], authorities: Collection[str]) -> set[int]:
    with transaction(database) as connection:
        return set(connection.scalars(_HOLDERS, {"topics": list(topics), "authorities": list(authorities)}))
