"""What the reporting service is told from outside."""

from pathlib import Path

from pydantic import Field

from services.chassis.settings import (
    DatabaseSettings,
    Group,
    HttpSettings,
    KafkaSettings,
    LogSettings,
    MetricsSettings,
    Settings,
    StreamSettings,
    TokenSettings,
)

SCHEMA = "reporting"
MIGRATIONS = Path(__file__).parent / "migrations"


class SiteSettings(Group):
    """How the pages present themselves."""

    title: str = Field(default="Payback", min_length=1, max_length=60)
    simulated: bool = Field(default=False, description="say on every page that the figures are not real")
    insecure_cookie: bool = Field(default=False, description="sign in over plain HTTP too, as on one's own machine")
    session_hours: int = Field(default=8, ge=1, le=24)


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
