"""The settings of an authority's managers: closed days, targets and aims. Every change is kept, with the person and the time."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, computed_field

from contracts.receipts.keys import public_key
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.audit import watching
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.api.decisions.keeping import keep
from services.records.api.management import Deciding, Management, Manager
from services.records.api.paging import Day
from services.records.config.targets import STANDARDS
from services.records.ingest import notes
from services.records.ingest.notes import Content, Kind, Note
from services.records.model.standards import Unit

Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Standard = Literal["first_contact", "case_meeting", "plan", "induction", "placement"]
assert Standard.__args__ == STANDARDS  # type: ignore[attr-defined]
MOST = 500
"""Most changes shown in one answer."""
REFERENCES = "references"
"""The key of the only entry that says whether feeds may name orders."""


class ClosedDay(
    Schema,
    description="A day on which the authority's own offices are closed. It is no working day for its orders, nor in the nation's figures.",
):
    day: Day = Field(ge=date(2011, 1, 1), le=date(2060, 12, 31))
    name: Words = Field(examples=["Glasgow Fair"])


class TargetSet(
    Schema,
    description="The authority's own target, for orders imposed on or after a day. It changes no national figure.",
):
    standard: Standard
    since: Day
    limit: int = Field(ge=0, le=400)
    unit: Unit
    source: Words = Field(description="Who decided it, and when.")


class Aim(Schema, description="What is changed in order to meet a standard more often."):
    standard: Standard
    since: Day = Field(description="The day from which the change holds.")
    target: int = Field(ge=1, le=100, description="The share, in percent, that is aimed at.")
    change: Words = Field(description="What is changed. Nothing about any person.")


class Feed(Schema, description="An address at which a calendar program sees what is due without signing in."):
    hash: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of its secret, which is not shown.")
    name: Words = Field(description="Whose calendar it is for, such as a team's.")
    references: bool = Field(
        False,
        description="Whether it names the orders that are due, beside counts. Only if the authority allows it, and only at a new address.",
    )


class FeedReferences(Schema, description="Allows that calendar addresses opened from now on name orders."):
    source: Words = Field(description="Who decided it, and when.", examples=["Data protection lead, 2 December"])


class SigningKey(Schema, description="A public key of Ed25519 with which the authority signs its events."):
    x: str = Field(pattern="^[A-Za-z0-9_-]{43}$", description="As in a JWK: 32 bytes in base64url.")
    required: bool = Field(
        False,
        description="Whether the service from now on refuses events over HTTP without a signature by one of the authority's keys.",
    )

    @computed_field(description="The name of the key: its thumbprint (RFC 7638).")  # type: ignore[prop-decorator]
    @property
    def kid(self) -> str:
        return str(public_key(self.x)["kid"])


class Change(Schema, description="One decision. `content` is none where it removes the entry with this key."):
    key: str
    content: dict[str, Any] | None
    by: str
    at: datetime
    names_orders: bool | None = Field(
        None, description="Of a calendar address in force: whether it names orders now. None for everything else."
    )


class Decided(Schema, description="The entries in force, and all changes, the latest first."):
    now: list[Change]
    changes: list[Change]


def routers(management: Management) -> list[APIRouter]:
    """Return the routes of each kind of setting."""
    return [
        _closed_days(management),
        _targets(management),
        _aims(management),
        _feeds(management),
        _feed_references(management),
        _signing_keys(management),
    ]


def _closed_days(management: Management) -> APIRouter:
    routes = _routes(management, "closed-days", Kind.CLOSED_DAY)

    @routes.put("/closed-days", summary="Sets a closed day; within seconds, workers count again what it affects")
    def put_closed_day(manager: Deciding, asked: ClosedDay) -> Decided:
        return _set(management, manager, Kind.CLOSED_DAY, asked, "day")

    @routes.delete("/closed-days", summary="Removes a closed day")
    def delete_closed_day(manager: Deciding, day: Day) -> Decided:
        return _take_back(management, manager, Kind.CLOSED_DAY, f"{day}")

    return routes


def _targets(management: Management) -> APIRouter:
    routes = _routes(management, "targets", Kind.TARGET)

    @routes.put("/targets", summary="Sets a target of the authority's own, in force at once")
    def put_target(manager: Deciding, asked: TargetSet) -> Decided:
        return _set(management, manager, Kind.TARGET, asked, "standard", "since")

    @routes.delete("/targets", summary="Removes a target")
    def delete_target(manager: Deciding, standard: Standard, since: Day) -> Decided:
        return _take_back(management, manager, Kind.TARGET, f"{standard} {since}")

    return routes


def _aims(management: Management) -> APIRouter:
    routes = _routes(management, "aims", Kind.AIM)

    @routes.put("/aims", summary="Notes what is changed in order to meet a standard")
    def put_aim(manager: Deciding, asked: Aim) -> Decided:
        return _set(management, manager, Kind.AIM, asked, "standard", "since")

    @routes.delete("/aims", summary="Removes an aim")
    def delete_aim(manager: Deciding, standard: Standard, since: Day) -> Decided:
        return _take_back(management, manager, Kind.AIM, f"{standard} {since}")

    return routes


def _feeds(management: Management) -> APIRouter:
    routes = _routes(management, "feeds", Kind.FEED)

    @routes.put(
        "/feeds", summary="Opens an address at which a calendar program sees what is due", responses=documented(409)
    )
    def put_feed(manager: Deciding, asked: Feed) -> Decided:
        if asked.references:
            _check_may_name_orders(management, manager.authority, asked.hash)
        return _set(management, manager, Kind.FEED, asked, "hash")

    @routes.delete("/feeds", summary="Closes it")
    def delete_feed(manager: Deciding, hash: Annotated[str, Query(pattern="^[0-9a-f]{64}$")]) -> Decided:  # noqa: A002
        with transaction(management.database) as connection:
            if hash not in {note.key for note in notes.holding(connection, manager.authority, Kind.FEED)}:
                raise Problem(404, "There is no such feed")
        return _take_back(management, manager, Kind.FEED, hash)

    return routes


def _check_may_name_orders(management: Management, authority: str, key: str) -> None:
    """Raise Problem 409 unless the authority allows it, and for an address that was given to somebody for less."""
    with transaction(management.database) as connection:
        if not notes.holding(connection, authority, Kind.FEED_REFERENCES):
            raise Problem(409, "The authority does not allow calendar addresses to name orders")
        earlier = notes.was_written(connection, authority, Kind.FEED, key)
        if earlier and not notes.feed_names_orders(connection, authority, key):
            raise Problem(
                409, "This address was opened before, without references or before they were allowed: open another"
            )


def _feed_references(management: Management) -> APIRouter:
    routes = _routes(management, "feed-references", Kind.FEED_REFERENCES)

    @routes.put("/feed-references", summary="Allows that calendar addresses opened from now on name orders")
    def put_feed_references(manager: Deciding, asked: FeedReferences) -> Decided:
        content = asked.model_dump(mode="json")
        return _keep(management, manager.authority, _of_references(management, manager, content))

    @routes.delete(
        "/feed-references", summary="No longer allows it: at once, all addresses show counts, and stay so for good"
    )
    def delete_feed_references(manager: Deciding) -> Decided:
        return _keep(management, manager.authority, _of_references(management, manager, None))

    return routes


def _of_references(management: Management, manager: Manager, content: Content | None) -> Note:
    return Note(Kind.FEED_REFERENCES, REFERENCES, content, manager.name, management.clock())


def _signing_keys(management: Management) -> APIRouter:
    routes = _routes(management, "signing-keys", Kind.SIGNING_KEY)

    @routes.put(
        "/signing-keys", summary="Registers a key with which events are signed, and sets whether they must be signed"
    )
    def put_signing_key(manager: Deciding, asked: SigningKey) -> Decided:
        return _set(management, manager, Kind.SIGNING_KEY, asked, "kid")

    @routes.delete(
        "/signing-keys",
        summary="Removes a key: events signed with it are no longer accepted",
        responses=documented(409),
    )
    def delete_signing_key(manager: Deciding, kid: Annotated[str, Query(pattern="^[A-Za-z0-9_-]{43}$")]) -> Decided:
        with transaction(management.database) as connection:
            held = notes.holding(connection, manager.authority, Kind.SIGNING_KEY)
        if [note.key for note in held if (note.content or {})["required"]] == [kid]:
            raise Problem(
                409,
                "Only this key requires signatures. Register another one that requires them, or register this one again "
                "without the requirement, to accept unsigned events",
            )
        return _take_back(management, manager, Kind.SIGNING_KEY, kid)

    return routes


def _routes(management: Management, path: str, kind: Kind) -> APIRouter:
    routes = APIRouter(prefix="/v1/own", tags=["own settings"], route_class=Written)
    routes.add_api_route(
        f"/{path}",
        _telling(management, kind),
        methods=["GET"],
        name=f"get_{path.replace('-', '_')}",
        summary=f"The authority's {path}, and changes",
    )
    return routes


def _telling(management: Management, kind: Kind) -> Callable[..., Decided]:
    def get_decided(authority: OwnAuthority, limit: Annotated[int, Query(ge=1, le=MOST)] = MOST) -> Decided:
        return _decided(management, authority, kind, limit)

    return get_decided


def _set(management: Management, manager: Manager, kind: Kind, asked: BaseModel, *key: str) -> Decided:
    """Keep a setting: the members named in `key` become the note's key, and the others its content."""
    told: Content = asked.model_dump(mode="json")
    note = Note(kind, " ".join(told.pop(name) for name in key), told, manager.name, management.clock())
    return _keep(management, manager.authority, note)


def _take_back(management: Management, manager: Manager, kind: Kind, key: str) -> Decided:
    return _keep(management, manager.authority, Note(kind, key, None, manager.name, management.clock()))


def _keep(management: Management, authority: str, note: Note) -> Decided:
    with transaction(management.database) as connection:
        if keep(connection, authority, [note]):
            watching.act(connection, note.at, setting=note.key)
    return _decided(management, authority, note.kind, MOST)


def _decided(management: Management, authority: str, kind: Kind, limit: int) -> Decided:
    with transaction(management.database) as connection:
        now, changes = notes.holding(connection, authority, kind), notes.history(connection, authority, kind, limit)
        naming = [
            notes.feed_names_orders(connection, authority, note.key) if kind is Kind.FEED else None for note in now
        ]
    return Decided(
        now=[_told(note, names) for note, names in zip(now, naming, strict=True)],
        changes=[_told(note) for note in changes],
    )


def _told(note: Note, names_orders: bool | None = None) -> Change:
    return Change(key=note.key, content=note.content, by=note.by, at=note.at, names_orders=names_orders)
