"""Brings the schema of a service of records up to date."""

from pathlib import Path

from services.chassis import logs
from services.chassis.migrations import migrate
from services.records.config.settings import MigrateSettings


def run_migrate(name: str, migrations: Path, settings: MigrateSettings) -> int:
    """Runs what is pending."""
    logs.configure(settings.logs, name)
    database = settings.database
    migrate(database.url.get_secret_value(), database.schema_name, migrations, database.owner)
    return 0
