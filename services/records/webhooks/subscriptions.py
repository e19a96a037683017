"""The receivers of an authority in PostgreSQL: who they are, how far each has got, and who is sending to each now."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, or_, select, text, update

from services.records.ingest.tables import webhooks
from services.records.webhooks.feed import Place
from services.records.webhooks.retrying import Course, Fault

_WAITING = text(
    "SELECT w.webhook, w.authority, w.stopped_at IS NOT NULL AS stopped, first.at AS since, "
    "w.stopped_at IS NULL AND w.next_at <= :now AND coalesce(w.leased_until <= :now, true) AS due "
    "FROM webhooks w LEFT JOIN shards s USING (authority) LEFT JOIN LATERAL "
    "(SELECT c.at FROM changes c WHERE c.authority = w.authority AND (c.version, c.number) > "
    "(CASE WHEN s.generation = w.generation THEN w.version ELSE 0 END, "
    "CASE WHEN s.generation = w.generation THEN w.number ELSE 0 END) "
    "ORDER BY c.version, c.number LIMIT 1) first ON true"
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One receiver."""

    webhook: str
    authority: str
    name: str
    url: str
    secret: str
    """Sealed, as is the former one."""
    by: str
    at: datetime
    place: Place
    """The next message is the one after this place."""
    course: Course
    former: str | None = None
    former_until: datetime | None = None
    """Messages are signed with the former secret as well until then."""
    delivered_at: datetime | None = None
    lease: int = 0
    """Grows each time a sender takes the receiver, so that a sender that was overtaken writes nothing."""

    def sealed(self, now: datetime) -> Iterator[str]:
        """Yield the secrets with which messages are signed, the newest first."""
        yield self.secret
        if self.former and self.former_until and now < self.former_until:
            yield self.former

    def rotated(self, secret: str, now: datetime, overlap: timedelta) -> "Subscription":
        """Return the receiver with a new secret; the former one continues beside it for a while."""
        return replace(self, secret=secret, former=self.secret, former_until=now + overlap)


class Waiting(NamedTuple):
    """Messages that wait for a receiver, if any."""

    webhook: str
    authority: str
    stopped: bool
    since: datetime | None
    """When the first change that it has not been sent arrived; None if it has been sent everything."""
    due: bool
    """Whether it may be sent to now, and no other sender has it."""


def of(connection: Connection, authority: str) -> list[Subscription]:
    """Return all receivers of an authority, in the order in which they were made."""
    query = select(webhooks).where(webhooks.c.authority == authority).order_by(webhooks.c.at, webhooks.c.webhook)
    return [_read(row) for row in connection.execute(query)]


def one(connection: Connection, authority: str, webhook: str) -> Subscription | None:
    """Return one receiver of an authority, locked until the transaction ends; None if there is none."""
    query = select(webhooks).where(webhooks.c.authority == authority, webhooks.c.webhook == webhook)
    row = connection.execute(query.with_for_update()).one_or_none()
    return _read(row) if row else None


def add(connection: Connection, new: Subscription) -> None:
    connection.execute(webhooks.insert().values(**_whole(new)))


def change(connection: Connection, changed: Subscription) -> None:
    """Write a changed receiver. Progress of messages being sent meanwhile is lost, so they may be sent again."""
    values = _whole(replace(changed, lease=changed.lease + 1)) | {"leased_until": None}
    connection.execute(update(webhooks).where(webhooks.c.webhook == changed.webhook).values(**values))


def remove(connection: Connection, webhook: str) -> None:
    connection.execute(delete(webhooks).where(webhooks.c.webhook == webhook))


def waiting(connection: Connection, now: datetime) -> list[Waiting]:
    """Return the state of all receivers of all authorities."""
    return [
        Waiting(row.webhook, row.authority, row.stopped, row.since, row.due and row.since is not None)
        for row in connection.execute(_WAITING, {"now": now})
    ]


def take(connection: Connection, webhook: str, now: datetime, until: datetime) -> Subscription | None:
    """Take a receiver until then, so that nobody else sends to it. Returns None if somebody has it, or nothing may be sent."""
    free = or_(webhooks.c.leased_until.is_(None), webhooks.c.leased_until <= now)
    taking = update(webhooks).where(
        webhooks.c.webhook == webhook, webhooks.c.stopped_at.is_(None), webhooks.c.next_at <= now, free
    )
    values = {"lease": webhooks.c.lease + 1, "leased_until": until}
    row = connection.execute(taking.values(**values).returning(*webhooks.c)).one_or_none()
    return _read(row) if row else None


def settle(connection: Connection, sent: Subscription) -> bool:
    """Record how far it got, and give it back. Returns False, and writes nothing, if it was overtaken or changed meanwhile."""
    values = {**_standing(sent), "leased_until": None}
    ours = update(webhooks).where(webhooks.c.webhook == sent.webhook, webhooks.c.lease == sent.lease)
    return connection.execute(ours.values(**values)).rowcount == 1


def is_ours(connection: Connection, taken: Subscription) -> bool:
    """Return whether the receiver is still ours: nobody took, changed or removed it since."""
    return connection.scalar(select(webhooks.c.lease).where(webhooks.c.webhook == taken.webhook)) == taken.lease


def number_of(connection: Connection, authority: str) -> int:
    """Return how many receivers an authority has. Others that would add one wait until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"webhooks {authority}", 0))))
    query = select(func.count()).select_from(webhooks).where(webhooks.c.authority == authority)
    return connection.scalar(query) or 0


def _standing(of: Subscription) -> dict[str, Any]:
    course = of.course
    return {
        **of.place._asdict(),
        "delivered_at": of.delivered_at,
        "next_at": course.next_at,
        "attempts": course.attempts,
        "failing_since": course.failing_since,
        "fault": course.fault,
        "stopped_at": course.stopped_at,
    }


def _whole(of: Subscription) -> dict[str, Any]:
    names = ("webhook", "authority", "name", "url", "secret", "former", "former_until", "by", "at", "lease")
    return {name: getattr(of, name) for name in names} | _standing(of)


def _read(row: Row[Any]) -> Subscription:
    fault = Fault(row.fault) if row.fault else None
    return Subscription(
        row.webhook,
        row.authority,
        row.name,
        row.url,
        row.secret,
        row.by,
        row.at,
        Place(row.generation, row.version, row.number),
        Course(row.next_at, row.attempts, row.failing_since, fault, row.stopped_at),
        row.former,
        row.former_until,
        row.delivered_at,
        row.lease,
    )
