"""What the desk is told from outside."""

from pydantic import Field

from services.chassis.settings import (
    Group,
    HttpSettings,
    LogSettings,
    MetricsSettings,
    Settings,
    SiteSettings,
    TokenSettings,
)


class PlatformSettings(Group):
    """Where the services are that the desk asks."""

    orders_url: str = Field(default="http://127.0.0.1:8101", pattern="^https?://")
    unpaid_work_url: str = Field(default="http://127.0.0.1:8102", pattern="^https?://")
    reporting_url: str = Field(default="http://127.0.0.1:8103", pattern="^https?://")
    public_reporting_url: str = Field(
        default="", description="where people find the figures; nothing leaves the link out"
    )
    timeout_seconds: float = Field(default=10.0, gt=0)


class ApiSettings(Settings):
    """For `api`."""

    tokens: TokenSettings
    platform: PlatformSettings = PlatformSettings()
    http: HttpSettings = HttpSettings(port=8104, requests_per_minute=600)
    site: SiteSettings = SiteSettings()
    metrics: MetricsSettings = MetricsSettings(port=9104)
    logs: LogSettings = LogSettings()
