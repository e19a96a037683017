"""What the log does not tell, carried over to books that are made again: what operators and managers decided, and times as first read."""

from sqlalchemy import Connection, Table, text

from services.records.ingest import tables

_CARRIED = (tables.parks, tables.record_times, tables.notes, tables.webhooks)


_SIGNED = (tables.tree_leaves, tables.tree_nodes, tables.tree_heads, tables.tree_keys)
"""What authorities were given signed must stay as it is, so it is never made again."""


def carry_over(connection: Connection, old: str, new: str) -> None:
    """Copies from one schema to the other. Who is parked in the old is tried again in the new."""
    for table in _CARRIED:
        _copy(connection, table, old, new)
    connection.execute(
        text(
            f'INSERT INTO "{new}".parks (authority, action, said, by, at) '  # noqa: S608
            "SELECT authority, 'retried', 'the books are made again', 'rebuild', now() FROM ("
            f'SELECT DISTINCT ON (authority) authority, action FROM "{new}".parks ORDER BY authority, id DESC) p '
            "WHERE action = 'parked'"
        )
    )


def carry_over_late(connection: Connection, old: str, new: str) -> None:
    """Copies what managers decided since, who is told of changes by now, and signed trees.

    Who decides something waits until the transaction ends; so does who closes a day, since checkpoints are locked.
    """
    connection.execute(text(f'LOCK TABLE "{old}".notes, "{old}".webhooks IN SHARE MODE'))
    same = "(n.authority, n.kind, n.key, n.by, n.at) = (o.authority, o.kind, o.key, o.by, o.at)"
    _copy(connection, tables.notes, old, new, f'NOT EXISTS (SELECT FROM "{new}".notes n WHERE {same})')
    connection.execute(text(f'DELETE FROM "{new}".webhooks'))  # noqa: S608
    _copy(connection, tables.webhooks, old, new)
    for table in _SIGNED:
        _copy(connection, table, old, new)


def _copy(connection: Connection, table: Table, old: str, new: str, which: str = "true") -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "id")
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    connection.execute(
        text(
            f'INSERT INTO "{new}".{table.name} ({names}) '  # noqa: S608
            f'SELECT {names} FROM "{old}".{table.name} o WHERE {which} ORDER BY {order}'
        )
    )
