"""Carries over to rebuilt tables what the log does not hold: decisions of operators and managers, and times as first read."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, text

from services.records.ingest import tables

_CARRIED = (tables.parks, tables.record_times, tables.notes, tables.webhooks)


_SIGNED = (tables.tree_leaves, tables.tree_nodes, tables.tree_heads, tables.tree_keys)
"""Tables of signed content, which must stay as it is and so is never made again."""


def carry_over(connection: Connection, old: str, new: str) -> None:
    """Copy decisions from one schema to the other. An authority parked in the old one is tried again in the new one."""
    for table in _CARRIED:
        _copy(connection, table, old, new)
    _try_again(connection, new)


def hold_up(connection: Connection, old: str) -> None:
    """Lock the tables of decisions until the transaction ends."""
    connection.execute(text(f'LOCK TABLE "{old}".parks, "{old}".notes, "{old}".webhooks IN SHARE MODE'))


def carry_over_late(connection: Connection, old: str, new: str) -> None:
    """Copy, under the lock of `hold_up`, what was decided since `carry_over`, and how far each webhook has got. The authorities concerned
    are tried again.
    """
    same = "(n.authority, n.action, n.by, n.at) = (o.authority, o.action, o.by, o.at)"
    late = f'NOT EXISTS (SELECT FROM "{new}".parks n WHERE {same})'
    concerned = connection.scalars(text(f'SELECT DISTINCT authority FROM "{old}".parks o WHERE {late}')).all()  # noqa: S608
    _copy(connection, tables.parks, old, new, late)
    _try_again(connection, new, concerned)
    same = "(n.authority, n.kind, n.key, n.by, n.at) = (o.authority, o.kind, o.key, o.by, o.at)"
    _copy(connection, tables.notes, old, new, f'NOT EXISTS (SELECT FROM "{new}".notes n WHERE {same})')
    connection.execute(text(f'DELETE FROM "{new}".webhooks'))  # noqa: S608
    _copy(connection, tables.webhooks, old, new)


def _try_again(connection: Connection, new: str, authorities: Sequence[str] | None = None) -> None:
    """Try these parked authorities again, or all of them."""
    connection.execute(
        text(
            f'INSERT INTO "{new}".parks (authority, action, said, by, at) '  # noqa: S608
            "SELECT authority, 'retried', 'the books are made again', 'rebuild', now() FROM ("
            f'SELECT DISTINCT ON (authority) authority, action FROM "{new}".parks ORDER BY authority, id DESC) p '
            "WHERE action = 'parked' AND coalesce(authority = ANY(CAST(:codes AS text[])), true)"
        ),
        {"codes": authorities},
    )


def carry_over_signed(connection: Connection, old: str, new: str) -> None:
    """Copy signed trees. Closing a day waits until the transaction ends, since checkpoints are locked.

    The next head looks at the whole log again, since events may have other offsets in the log from which the tables are now made.
    """
    for table in _SIGNED:
        _copy(connection, table, old, new)
    connection.execute(text(f'UPDATE "{new}".tree_heads SET next_offset = 0'))  # noqa: S608


def _copy(connection: Connection, table: Table, old: str, new: str, which: str = "true") -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "id")
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    connection.execute(
        text(
            f'INSERT INTO "{new}".{table.name} ({names}) '  # noqa: S608
            f'SELECT {names} FROM "{old}".{table.name} o WHERE {which} ORDER BY {order}'
        )
    )
