"""Brings the schema of reporting up to date."""

from services.chassis import logs
from services.chassis.migrations import Gate, migrate
from services.chassis.settings import DatabaseSettings
from services.reporting.settings import MIGRATIONS, SCHEMA, MigrateSettings


def gate(database: DatabaseSettings) -> Gate:
    """Of the schema that the settings name."""
    return Gate(database.url.get_secret_value(), database.schema_name, MIGRATIONS)


def run_migrate(settings: MigrateSettings) -> int:
    """Run what is pending."""
    logs.configure(settings.logs, SCHEMA)
    database = settings.database
    migrate(database.url.get_secret_value(), database.schema_name, MIGRATIONS, database.role)
    return 0
