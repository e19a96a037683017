"""What a service of records reads from the environment."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from services.chassis.settings import (
    REQUESTS_PER_MINUTE,
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
from services.chassis.streaming.seal import Sealer, sealer


class CacheSettings(Group):
    """How much a worker remembers."""

    records: int = Field(default=20_000, ge=1, description="orders kept in memory, at about 20 KB each at most")


class CalendarSettings(Group):
    """Which days are no working days, beyond weekends and bank holidays."""

    closed_days_path: Path | None = Field(default=None, description="authority,day,name in CSV; none where not given")


class ApiHttpSettings(HttpSettings):
    """Whoever sends one event a request may need many."""

    requests_per_minute: int = Field(default=12_000, ge=0, description=REQUESTS_PER_MINUTE)


class ReturnsSettings(Group):
    """How the yearly returns are made."""

    path: Path | None = Field(
        default=None,
        description="a folder of mappings in TOML that stand in place of those shipped; none where not given",
    )


class TargetSettings(Group):
    """An authority's own targets, beside the national standards."""

    path: Path | None = Field(
        default=None, description="authority,standard,limit,unit,since,source in CSV; none where not given"
    )


class AggregatesSettings(Group):
    """What is published for the nation."""

    key: SecretStr = Field(
        default=SecretStr(""),
        description="seals it, so that reporting knows whose it is; several while they change, separated by commas, the newest first",
    )

    @field_validator("key")
    @classmethod
    def _is_long(cls, key: SecretStr) -> SecretStr:
        sealer(key.get_secret_value())
        return key

    @property
    def sealer(self) -> Sealer | None:
        """Makes the seals; None on a machine without a key."""
        return sealer(self.key.get_secret_value())


class MigrateSettings(Settings):
    """For `migrate`."""

    database: DatabaseSettings
    logs: LogSettings = LogSettings()


class ApiSettings(Settings):
    """For `api`."""

    kafka: KafkaSettings
    database: DatabaseSettings
    http: ApiHttpSettings
    tokens: TokenSettings
    metrics: MetricsSettings
    calendar: CalendarSettings = CalendarSettings()
    returns: ReturnsSettings = ReturnsSettings()
    targets: TargetSettings = TargetSettings()
    logs: LogSettings = LogSettings()


class WorkerSettings(Settings):
    """For `worker`."""

    kafka: KafkaSettings
    database: DatabaseSettings
    metrics: MetricsSettings
    calendar: CalendarSettings = CalendarSettings()
    stream: StreamSettings = StreamSettings()
    cache: CacheSettings = CacheSettings()
    aggregates: AggregatesSettings = AggregatesSettings()
    logs: LogSettings = LogSettings()
