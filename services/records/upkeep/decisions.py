"""What the log does not tell, carried over to books that are made again: what operators and managers decided, and times as first read."""

from sqlalchemy import Connection, text

from services.records.ingest import tables

_CARRIED = (tables.parks, tables.record_times, tables.notes, tables.webhooks)


def carry_over(connection: Connection, old: str, new: str) -> None:
    """Copies from one schema to the other. Who is parked in the old is tried again in the new."""
    for table in _CARRIED:
        names = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "id")
        order = ", ".join(f'"{column.name}"' for column in table.primary_key)
        connection.execute(
            text(
                f'INSERT INTO "{new}".{table.name} ({names}) '  # noqa: S608
                f'SELECT {names} FROM "{old}".{table.name} ORDER BY {order}'
            )
        )
    connection.execute(
        text(
            f'INSERT INTO "{new}".parks (authority, action, said, by, at) '  # noqa: S608
            "SELECT authority, 'retried', 'the books are made again', 'rebuild', now() FROM ("
            f'SELECT DISTINCT ON (authority) authority, action FROM "{new}".parks ORDER BY authority, id DESC) p '
            "WHERE action = 'parked'"
        )
    )
