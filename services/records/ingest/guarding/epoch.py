"""Notices that PostgreSQL may have gone back in time: a restored backup, or a failover to a replica that was behind."""

from sqlalchemy import Connection, text

LINEAGE = text(
    "SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()"
)
"""Which server and which timeline: a restore changes the first, a failover the second."""


def renewed(connection: Connection) -> bool:
    """Return whether the database now runs elsewhere. If so, every authority begins a new generation.

    The worker then reads lost events again. Readers have seen higher versions, and would take the lower ones for old; they always accept a
    new generation.
    """
    found = connection.scalar(LINEAGE)
    if connection.scalar(text("SELECT lineage FROM epoch")) == found:
        return False
    known = connection.scalar(text("SELECT lineage FROM epoch FOR UPDATE"))
    if known is None:
        connection.execute(text("INSERT INTO epoch VALUES (true, :found) ON CONFLICT DO NOTHING"), {"found": found})
    elif known != found:
        connection.execute(text("UPDATE epoch SET lineage = :found"), {"found": found})
        connection.execute(text("UPDATE shards SET generation = generation + 1"))
        return True
    return False
