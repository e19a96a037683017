"""Settings of a service of records, from the environment."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from cryptography.fernet import Fernet
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
    TracingSettings,
)
from services.chassis.streaming.seal import Sealer, sealer


class CacheSettings(Group):
    """The size of a worker's cache."""

    records: int = Field(
        default=20_000,
        ge=1,
        description="orders kept in memory, at about 20 KB each at most: one of more than 100 facts counts for several",
    )


class CalendarSettings(Group):
    """Closed days, besides weekends and bank holidays."""

    closed_days_path: Path | None = Field(default=None, description="authority,day,name in CSV; by default none")


class ApiHttpSettings(HttpSettings):
    """HTTP limits of the intake, where senders may need many requests."""

    requests_per_minute: int = Field(default=12_000, ge=0, description=REQUESTS_PER_MINUTE)


class ReturnsSettings(Group):
    """How the yearly returns are made."""

    path: Path | None = Field(
        default=None,
        description="a folder of mappings in TOML that stand in place of those shipped; by default none",
    )


class TargetSettings(Group):
    """An authority's own targets, beside the national standards."""

    path: Path | None = Field(
        default=None, description="authority,standard,limit,unit,since,source in CSV; by default none"
    )


class AggregatesSettings(Group):
    """Settings for publishing national cells."""

    key: SecretStr = Field(
        default=SecretStr(""),
        description="seals cells, so that reporting knows whose they are; several during a change, separated by commas, the newest first",
    )

    @field_validator("key")
    @classmethod
    def _is_long(cls, key: SecretStr) -> SecretStr:
        sealer(key.get_secret_value())
        return key

    @property
    def sealer(self) -> Sealer | None:
        """Return the sealer of messages; None without a key."""
        return sealer(self.key.get_secret_value())


class WebhookSettings(Group):
    """Settings of webhooks: allowed receivers, and how often to try one that fails."""

    key: SecretStr = Field(
        default=SecretStr(""),
        description="seals secrets: 32 bytes in URL-safe base64; several during a change, the newest first; none turns webhooks off",
    )
    allowed_networks: str = Field(
        default="",
        description="private networks, separated by commas, that receivers may be in; those on this machine need no TLS",
    )
    ca_path: Path | None = Field(
        default=None, description="certificate authorities for checking receivers, in place of the usual ones"
    )
    timeout_seconds: float = Field(default=10.0, gt=0, le=60, description="for one message, including the name lookup")
    poll_seconds: float = Field(default=1.0, gt=0, description="how often to look for messages to send")
    retry_first_seconds: float = Field(default=5.0, gt=0)
    retry_longest_seconds: float = Field(default=3600.0, gt=0)
    give_up_hours: float = Field(
        default=72.0, gt=0, description="with failures only, after which a receiver is stopped"
    )

    @field_validator("key")
    @classmethod
    def _are_keys(cls, key: SecretStr) -> SecretStr:
        for one in _parts(key.get_secret_value()):
            Fernet(one)
        return key

    @field_validator("allowed_networks")
    @classmethod
    def _are_networks(cls, allowed: str) -> str:
        for one in _parts(allowed):
            ip_network(one)
        return allowed

    @property
    def keys(self) -> list[str]:
        """Return the keys: the first seals secrets, and any opens them. Returns none if webhooks are off."""
        return _parts(self.key.get_secret_value())

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the private networks that receivers may be in."""
        return tuple(map(ip_network, _parts(self.allowed_networks)))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


class MigrateSettings(Settings):
    """Settings of `migrate`."""

    database: DatabaseSettings
    logs: LogSettings = LogSettings()


class ApiSettings(Settings):
    """Settings of `api`."""

    kafka: KafkaSettings
    database: DatabaseSettings
    http: ApiHttpSettings
    tokens: TokenSettings
    metrics: MetricsSettings
    calendar: CalendarSettings = CalendarSettings()
    returns: ReturnsSettings = ReturnsSettings()
    targets: TargetSettings = TargetSettings()
    webhooks: WebhookSettings = WebhookSettings()
    logs: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()


class WorkerSettings(Settings):
    """Settings of `worker`."""

    kafka: KafkaSettings
    database: DatabaseSettings
    metrics: MetricsSettings
    calendar: CalendarSettings = CalendarSettings()
    stream: StreamSettings = StreamSettings()
    cache: CacheSettings = CacheSettings()
    aggregates: AggregatesSettings = AggregatesSettings()
    logs: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()


class SenderSettings(Settings):
    """Settings of `webhooks`."""

    database: DatabaseSettings
    metrics: MetricsSettings
    webhooks: WebhookSettings
    logs: LogSettings = LogSettings()
