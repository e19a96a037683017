"""Programs that receive refusals and findings. Pure."""

from datetime import datetime

from msgspec import Struct


class Receiver(Struct, frozen=True):
    """A program that receives refusals and findings, and its state."""

    webhook: str
    name: str
    url: str
    by: str
    at: datetime
    delivered_at: datetime | None
    failing_since: datetime | None
    attempts: int
    next_at: datetime | None
    fault: str | None
    stopped_at: datetime | None
    former_secret_until: datetime | None


class Receivers(Struct, frozen=True):
    """All receivers of the authority at one service."""

    webhooks: list[Receiver]


class OpenedReceiver(Struct, frozen=True):
    """A receiver, and its secret, which is shown only this once."""

    webhook: Receiver
    secret: str
