"""Brings the schema of a service of records up to date."""

from pathlib import Path

from sqlalchemy import Connection, text

from services.chassis import logs
from services.chassis.audit.model import Entry, Kind, Purpose
from services.chassis.audit.store import append
from services.chassis.migrations import migrate
from services.records.config.settings import MigrateSettings


def move_redrives(connection: Connection) -> None:
    """Move the history of refused events that were sent again into the audit."""
    connection.execute(
        text("SELECT set_config('search_path', concat_ws(',', current_schema(), current_user || '_audit'), true)")
    )
    for row in connection.execute(text("SELECT at, authority, events, by, why FROM redrives ORDER BY id")).all():
        detail = {"events": row.events, "why": row.why}
        said = (row.by, "", "operator", Purpose.OPERATION, Kind.ACT, "payback redrive", 0, (), detail)
        append(connection, Entry(row.authority, row.at, *said))
    connection.execute(text("DROP TABLE redrives"))


def run_migrate(name: str, migrations: Path, settings: MigrateSettings) -> int:
    """Run pending migrations. Returns the exit status."""
    logs.configure(settings.logs, name)
    database = settings.database
    migrate(database.url.get_secret_value(), database.schema_name, migrations, database.owner)
    return 0
