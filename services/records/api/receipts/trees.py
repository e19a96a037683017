"""Proof of the events that the platform accepted: signed heads of an authority's tree, paths to them, and the keys."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Engine

from contracts.receipts.merkle import consistency
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.audit import watching
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.api.paging import Day, Word
from services.records.trees import keeping


class HeadView(Schema, description="The tree of the authority's accepted events at the close of a day."):
    day: date
    size: int = Field(description="How many events there are in it.")
    root: str
    signed: str = Field(description="All of this as a JWS in compact form.")


class Heads(Schema, description="Heads, the latest first."):
    heads: list[HeadView]
    next: str | None = Field(description="Give it as `before` for the next page.")


class LeafView(Schema, description="One accepted event, with what joins it to the head."):
    number: int
    entry: str = Field(description="The entry about it, as JSON, exactly as it was hashed.")
    salt: str
    path: list[str]


class SignedReceipt(Schema, description="What `payback receipt verify` reads."):
    head: str
    leaf: LeafView


class GrowthView(Schema, description="What proves that a tree begins with a smaller one."):
    size: int = Field(description="Of the smaller one.")
    path: list[str]


class TreeKeys(Schema, description="A JWK set (RFC 7517)."):
    keys: list[dict[str, Any]]


def router(database: Engine) -> APIRouter:
    """Return the routes that prove what was accepted."""
    routes = APIRouter(prefix="/v1/evidence", tags=["evidence"], route_class=Written)

    @routes.get("/heads", summary="Signed heads of the tree of accepted events, the latest first")
    def get_heads(
        authority: OwnAuthority,
        before: Day | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Heads:
        with transaction(database) as connection:
            found = keeping.heads(connection, authority, before, limit)
        watching.show(())
        views = [HeadView(day=one.day, size=one.size, root=one.root.hex(), signed=one.signed) for one in found]
        return Heads(heads=views, next=f"{found[-1].day}" if len(found) == limit else None)

    @routes.get("/receipts/{event_id:path}", summary="Proof that an event was accepted", responses=documented(404))
    def get_receipt(
        event_id: Word,
        authority: OwnAuthority,
        after: Annotated[
            int, Query(ge=-1, le=2**62, description="Number of a leaf, to get the next event with the same id")
        ] = -1,
    ) -> SignedReceipt:
        with transaction(database) as connection:
            head = keeping.latest_head(connection, authority)
            leaf = keeping.leaf_of(connection, authority, event_id, range(after + 1, head.size)) if head else None
        if head is None or leaf is None:
            raise Problem(404, "No event with this id was accepted by the last day that was closed, or it was erased")
        return SignedReceipt(
            head=head.signed, leaf=LeafView(number=leaf.number, entry=leaf.entry, salt=leaf.salt, path=leaf.path)
        )

    @routes.get(
        "/consistency", summary="Proof that the tree has only grown between two sizes", responses=documented(422)
    )
    def get_consistency(
        authority: OwnAuthority,
        old: Annotated[int, Query(ge=1, le=2**62)],
        new: Annotated[int, Query(ge=1, le=2**62)],
    ) -> GrowthView:
        with transaction(database) as connection:
            head = keeping.latest_head(connection, authority)
            if head is None or not old <= new <= head.size:
                raise Problem(
                    422, "Give two sizes of the tree, the smaller first, neither larger than that of the last head"
                )
            path = keeping.path_of(connection, authority, consistency(old, new))
        watching.show(())
        return GrowthView(size=old, path=path)

    @routes.get("/keys", summary="The keys by which heads are checked")
    def get_keys() -> TreeKeys:
        with transaction(database) as connection:
            return TreeKeys(keys=keeping.public_keys(connection))

    return routes
