"""Notices that PostgreSQL may have gone back: restored from a backup, or failed over to a replica that lacked the tail."""

from sqlalchemy import Connection, text

LINEAGE = text(
    "SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()"
)
"""Which server and which timeline: a restore makes another of the one, a failover of the other."""


def renewed(connection: Connection) -> bool:
    """Whether the database lives elsewhere than it did. Then every authority begins a new generation.

    Events that it no longer knows are read again. But versions that went back would be taken for old ones wherever higher ones were
    seen; a new generation is always believed.
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
