"""Brings the schema of reporting up to date."""

from services.chassis import logs
from services.chassis.migrations import migrate
from services.reporting.settings import MIGRATIONS, SCHEMA, MigrateSettings


def run_migrate(settings: MigrateSettings) -> int:
    """Run pending migrations. Returns the exit status."""
    logs.configure(settings.logs, SCHEMA)
    database = settings.database
    migrate(database.url.get_secret_value(), database.schema_name, MIGRATIONS, database.role)
    return 0
