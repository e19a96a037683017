"""Settings of the desk, from the environment."""

from pathlib import Path

from pydantic import Field, SecretStr

from services.chassis.settings import (
    Group,
    HttpSettings,
    LogSettings,
    MetricsSettings,
    OidcSettings,
    Settings,
    SiteSettings,
    TokenSettings,
)


class PlatformSettings(Group):
    """The addresses of the services that the desk asks."""

    orders_url: str = Field(default="http://127.0.0.1:8101", pattern="^https?://")
    unpaid_work_url: str = Field(default="http://127.0.0.1:8102", pattern="^https?://")
    reporting_url: str = Field(default="http://127.0.0.1:8103", pattern="^https?://")
    public_reporting_url: str = Field(default="", description="the address of the figures; empty leaves the link out")
    timeout_seconds: float = Field(default=10.0, gt=0)


class SmtpSettings(Group):
    """The mail server."""

    host: str = Field(default="127.0.0.1")
    port: int = Field(default=25, ge=1, le=65535)
    start_tls: bool = Field(
        default=True, description="whether the connection must be encrypted before anything is sent"
    )
    user: str = ""
    password: SecretStr = SecretStr("")
    sender: str = Field(default="payback@localhost", description="the sender of the e-mail")
    timeout_seconds: float = Field(default=20.0, gt=0)


class MorningSettings(Settings):
    """Settings of `morning`."""

    platform: PlatformSettings = PlatformSettings()
    smtp: SmtpSettings = SmtpSettings()
    desk_url: str = Field(
        default="http://127.0.0.1:8104", pattern="^https?://", description="where people open the desk"
    )
    recipients_path: Path | None = Field(
        default=None, description="JSON: authority to {token_path, to, weekly}; without it, nobody gets the e-mail"
    )
    logs: LogSettings = LogSettings()


class ApiSettings(Settings):
    """Settings of `api`."""

    tokens: TokenSettings
    platform: PlatformSettings = PlatformSettings()
    http: HttpSettings = HttpSettings(port=8104, requests_per_minute=600, signed_in_at_once=30)
    """A page waits most of its time for other services, so more may be at work."""
    site: SiteSettings = SiteSettings()
    oidc: OidcSettings = OidcSettings()
    metrics: MetricsSettings = MetricsSettings(port=9104)
    logs: LogSettings = LogSettings()
