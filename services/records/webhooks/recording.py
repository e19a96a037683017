"""Audit entries about receivers: the orders that each was shown, and that sending to one stopped."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from services.chassis.api.policy import Role
from services.chassis.audit.model import Entry, Kind, Purpose
from services.chassis.audit.store import append
from services.records.webhooks.subscriptions import Subscription


def record_look(connection: Connection, to: Subscription, references: Sequence[str], at: datetime) -> None:
    """Record that a receiver is about to see these orders."""
    if references:
        role, purpose = Role.VENDOR_MACHINE.title, Purpose.DATA_QUALITY
        who = (to.webhook, to.authority, role, purpose, Kind.LOOK, "webhook")
        append(connection, Entry(to.authority, at, *who, len(references), references))


def record_stop(connection: Connection, to: Subscription, at: datetime) -> None:
    """Record that the platform stops sending to a receiver."""
    detail = {"webhook": to.webhook, "stopped": str(to.course.fault)}
    who = ("platform", "", "platform", Purpose.OPERATION, Kind.ACT, "webhook")
    append(connection, Entry(to.authority, at, *who, 0, (), detail))
