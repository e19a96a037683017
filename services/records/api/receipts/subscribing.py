"""Receivers of webhooks, which send refusals and findings to an authority's own programs. Managers register them.

A secret is shown once, when it is made. The audit records each act, but neither the secret nor the address.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Connection

from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.audit import watching
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.api.decisions.own_settings import Words
from services.records.api.management import Deciding, Management, Manager
from services.records.api.paging import Word
from services.records.api.receipts.following import place_of
from services.records.webhooks import subscriptions
from services.records.webhooks.addresses import LONGEST, fault_of
from services.records.webhooks.feed import Place, end_of, generation_of
from services.records.webhooks.retrying import taken
from services.records.webhooks.signing import Safe, new_secret
from services.records.webhooks.subscriptions import Subscription

MOST = 5
"""Most receivers that one authority may have at one service."""


class NewWebhook(Schema, description="A receiver."):
    name: Words = Field(description="The name of the program, such as the case system's.")
    url: Annotated[str, Field(min_length=1, max_length=LONGEST)] = Field(
        description="The address to which messages are posted."
    )
    after: Annotated[str, Field(max_length=40)] | None = Field(
        default=None,
        description="`next` of the feed, to begin there; empty for its beginning. Without it, only what is new is sent.",
    )


class Overlap(Schema, description="How long messages are also signed with the former secret."):
    overlap_hours: int = Field(default=24, ge=0, le=168)


class Resumption(Schema, description="Where a receiver goes on."):
    after: Annotated[str, Field(max_length=40)] | None = Field(
        default=None,
        description="`next` of the feed, to send again or skip changes; by default, where it stopped.",
    )


class Webhook(Schema, description="A receiver, and its state."):
    webhook: str = Field(description="Its name here and in the audit.")
    name: str
    url: str
    by: str
    at: datetime = Field(description="When it was made.")
    next: str = Field(description="How far in the feed it has accepted messages.")
    delivered_at: datetime | None = Field(description="When it last accepted one.")
    failing_since: datetime | None
    attempts: int = Field(description="Attempts that failed in a row.")
    next_at: datetime | None = Field(description="The earliest time of the next attempt; none where it is stopped.")
    fault: str | None = Field(description="Why the last attempt failed.")
    stopped_at: datetime | None = Field(description="When sending to it stopped; `fault` says why.")
    former_secret_until: datetime | None = Field(description="Until when messages are signed with two secrets.")


class Webhooks(Schema, description="All receivers of an authority."):
    webhooks: list[Webhook]


class Opened(Schema, description="A receiver, and the secret that was made for it."):
    webhook: Webhook
    secret: str = Field(description="Shown only now. With it, the receiver verifies the signature.")


def router(management: Management) -> APIRouter:
    """Return the routes by which managers register receivers."""
    routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=Written)
    _list(routes, management)
    _make(routes, management)
    _change(routes, management)
    return routes


def _list(routes: APIRouter, management: Management) -> None:
    @routes.get("", summary="The receivers of webhooks, and the state of each")
    def get_webhooks(manager: Deciding) -> Webhooks:
        with transaction(management.database) as connection:
            return Webhooks(webhooks=[_told(one) for one in subscriptions.of(connection, manager.authority)])


def _make(routes: APIRouter, management: Management) -> None:
    networks = management.own.webhooks.networks

    @routes.post("", summary="Adds a receiver, and shows its secret once", responses=documented(409))
    def post_webhook(manager: Deciding, asked: NewWebhook) -> Opened:
        safe = _safe(management)
        if fault := fault_of(asked.url, networks):
            raise Problem(422, f"This address cannot be used for a receiver: {fault}")
        secret = new_secret()
        with transaction(management.database) as connection:
            if subscriptions.number_of(connection, manager.authority) >= MOST:
                raise Problem(409, f"An authority may have {MOST} receivers at most")
            place = _begin(connection, manager.authority, asked.after)
            new = _new(manager, asked, safe.seal(secret), place, management.clock())
            subscriptions.add(connection, new)
            watching.act(connection, new.at, webhook=new.webhook, made=asked.name)
        return Opened(webhook=_told(new), secret=secret)

    @routes.post(
        "/{webhook}/secret",
        summary="Makes a new secret; the former one stays valid for a while",
        responses=documented(404),
    )
    def post_secret(manager: Deciding, webhook: Word, asked: Overlap) -> Opened:
        safe, secret, now = _safe(management), new_secret(), management.clock()
        with _changing(management, manager, webhook, "secret made anew") as (connection, found):
            rotated = found.rotated(safe.seal(secret), now, timedelta(hours=asked.overlap_hours))
            subscriptions.change(connection, rotated)
        return Opened(webhook=_told(rotated), secret=secret)


def _change(routes: APIRouter, management: Management) -> None:
    @routes.post("/{webhook}/resume", summary="Tries a receiver again at once", responses=documented(404))
    def post_resume(manager: Deciding, webhook: Word, asked: Resumption) -> Webhook:
        with _changing(management, manager, webhook, "resumed") as (connection, found):
            place = found.place if asked.after is None else _begin(connection, manager.authority, asked.after)
            resumed = replace(found, course=taken(management.clock()), place=place)
            subscriptions.change(connection, resumed)
        return _told(resumed)

    @routes.delete("/{webhook}", summary="Removes a receiver", responses=documented(404))
    def delete_webhook(manager: Deciding, webhook: Word) -> Webhooks:
        with _changing(management, manager, webhook, "taken away") as (connection, found):
            subscriptions.remove(connection, found.webhook)
            left = subscriptions.of(connection, manager.authority)
        return Webhooks(webhooks=[_told(one) for one in left])


def _safe(management: Management) -> Safe:
    if not management.own.webhooks.keys:
        raise Problem(409, "Webhooks are off here: the operator has set no key for their secrets")
    return Safe(management.own.webhooks.keys)


@contextmanager
def _changing(
    management: Management, manager: Manager, webhook: str, done: str
) -> Iterator[tuple[Connection, Subscription]]:
    """Change one receiver of the manager's own authority, in a transaction that also records in the audit what was done to it."""
    with transaction(management.database) as connection:
        found = subscriptions.one(connection, manager.authority, webhook)
        if found is None:
            raise Problem(404, "There is no such receiver")
        yield connection, found
        watching.act(connection, management.clock(), webhook=webhook, done=done)


def _begin(connection: Connection, authority: str, after: str | None) -> Place:
    if after is None:
        return end_of(connection, authority)
    return place_of(after, generation_of(connection, authority))


def _new(manager: Manager, asked: NewWebhook, sealed: str, place: Place, now: datetime) -> Subscription:
    named = (f"wh_{token_hex(8)}", manager.authority, asked.name, asked.url, sealed, manager.name)
    return Subscription(*named, now, place, taken(now))


def _told(of: Subscription) -> Webhook:
    course = of.course
    return Webhook(
        webhook=of.webhook,
        name=of.name,
        url=of.url,
        by=of.by,
        at=of.at,
        next=str(of.place),
        delivered_at=of.delivered_at,
        failing_since=course.failing_since,
        attempts=course.attempts,
        next_at=None if course.stopped_at else course.next_at,
        fault=course.fault.words if course.fault else None,
        stopped_at=course.stopped_at,
        former_secret_until=of.former_until,
    )
