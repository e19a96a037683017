"""Settings of the reporting service."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from services.chassis.settings import (
    DatabaseSettings,
    Group,
    HttpSettings,
    KafkaSettings,
    LogSettings,
    MetricsSettings,
    OidcSettings,
    Settings,
    SiteSettings,
    StreamSettings,
    TokenSettings,
    TracingSettings,
)
from services.chassis.streaming.seal import sealer
from services.reporting.ingest.believing import Believing

SCHEMA = "reporting"
MIGRATIONS = Path(__file__).parent / "migrations"


class AggregatesSettings(Group):
    """The keys that check each service's seals. Without one, any writer to the topic is accepted."""

    orders_key: SecretStr = SecretStr("")
    unpaid_work_key: SecretStr = SecretStr("")

    @field_validator("orders_key", "unpaid_work_key")
    @classmethod
    def _is_long(cls, key: SecretStr) -> SecretStr:
        sealer(key.get_secret_value())
        return key

    @property
    def believing(self) -> Believing:
        """Return the checks of the seals."""
        keys = {"orders": self.orders_key, "unpaid_work": self.unpaid_work_key}
        return Believing({service: sealer(key.get_secret_value()) for service, key in keys.items()})


class MigrateSettings(Settings):
    """Settings of `migrate`."""

    database: DatabaseSettings
    logs: LogSettings = LogSettings()


class WorkerSettings(Settings):
    """Settings of `worker`."""

    kafka: KafkaSettings
    database: DatabaseSettings
    stream: StreamSettings = StreamSettings()
    aggregates: AggregatesSettings = AggregatesSettings()
    metrics: MetricsSettings = MetricsSettings(port=9113)
    logs: LogSettings = LogSettings()


class ReadingSettings(Group):
    """A replica of the database, for reading figures."""

    url: SecretStr | None = Field(
        default=None, description="where figures are read, if elsewhere than where sessions and the audit are written"
    )
    behind_seconds: float = Field(
        default=300.0, gt=0, description="how long the copy may lack what was written, until nobody is served from it"
    )

    def of(self, database: DatabaseSettings) -> DatabaseSettings:
        """Return the settings of the database from which figures are read."""
        return database.model_copy(update={"url": self.url}) if self.url else database


class ApiSettings(Settings):
    """Settings of `api`."""

    database: DatabaseSettings
    reading: ReadingSettings = ReadingSettings()
    tokens: TokenSettings
    http: HttpSettings = HttpSettings(port=8103, requests_per_minute=3_000, caller_seconds=600)
    site: SiteSettings = SiteSettings()
    oidc: OidcSettings = OidcSettings()
    metrics: MetricsSettings = MetricsSettings(port=9103)
    logs: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
