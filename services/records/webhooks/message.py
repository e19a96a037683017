"""One change of the feed as a message."""

from datetime import datetime

from pydantic import Field

from services.chassis.schema import Schema
from services.records.webhooks.feed import Told
from services.records.webhooks.signing import Message


class Change(Told, description="The same as in the feed, with the authority."):
    authority: str
    service: str


class Body(Schema, description="As in Standard Webhooks."):
    type: str = Field(description="The service and the kind of change, as in `orders.refused`.")
    timestamp: datetime = Field(description="When it changed.")
    data: Change


def message_of(service: str, authority: str, told: Told) -> Message:
    """Return a change as a message. Its id is the place in the feed, so that it is the same each time."""
    change = Change(**told.model_dump(), authority=authority, service=service)
    body = Body(type=f"{service}.{told.kind}", timestamp=told.at, data=change)
    return Message(f"{service}.{authority}.{told.cursor}", body.model_dump_json().encode())
