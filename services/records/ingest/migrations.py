"""Brings the schema of a service of records up to date."""

from importlib.resources import files
from pathlib import Path

from services.chassis import logs
from services.chassis.migrations import Gate, migrate
from services.chassis.settings import DatabaseSettings
from services.records.config.settings import MigrateSettings


def gate(database: DatabaseSettings) -> Gate:
    """Of the service whose schema the settings name."""
    migrations = Path(str(files(f"services.{database.schema_name}"))) / "migrations"
    return Gate(database.url.get_secret_value(), database.schema_name, migrations)


def run_migrate(name: str, migrations: Path, settings: MigrateSettings) -> int:
    """Runs what is pending."""
    logs.configure(settings.logs, name)
    database = settings.database
    migrate(database.url.get_secret_value(), database.schema_name, migrations, database.owner)
    return 0
