"""What the reporting service is told from outside."""

from pathlib import Path

from services.chassis.settings import (
    DatabaseSettings,
    HttpSettings,
    KafkaSettings,
    LogSettings,
    MetricsSettings,
    Settings,
    SiteSettings,
    StreamSettings,
    TokenSettings,
)

SCHEMA = "reporting"
MIGRATIONS = Path(__file__).parent / "migrations"


class MigrateSettings(Settings):
    """For `migrate`."""

    database: DatabaseSettings
    logs: LogSettings = LogSettings()


class WorkerSettings(Settings):
    """For `worker`."""

    kafka: KafkaSettings
    database: DatabaseSettings
    stream: StreamSettings = StreamSettings()
    metrics: MetricsSettings = MetricsSettings(port=9113)
    logs: LogSettings = LogSettings()


class ApiSettings(Settings):
    """For `api`."""

    database: DatabaseSettings
    tokens: TokenSettings
    http: HttpSettings = HttpSettings(port=8103, requests_per_minute=3_000)
    site: SiteSettings = SiteSettings()
    metrics: MetricsSettings = MetricsSettings(port=9103)
    logs: LogSettings = LogSettings()
