"""Everything that an authority needs to send its events. It depends only on msgspec and httpx.

source = Source("S12000005", system="case", software="acme-case/4.2")
with Spool(Path("payback.spool")) as spool:
    client = Client(spool, {Topic.ORDERS: orders, Topic.UNPAID_WORK: unpaid_work}, token=lambda: token)
    client.put(source.event(OrderReceived(received_on=day), subject="CPO/2025/0001", recorded_at=now))
    client.send()
"""

from contracts.client.clients import AsyncClient, Client
from contracts.client.delivery import NotSent
from contracts.client.pseudonym import pseudonym
from contracts.client.source import Message, NotAcceptable, Source, message
from contracts.client.spool import Queued, Result, Spool, SpoolBusy, SpoolFull
from contracts.events import Topic

__all__ = [
    "AsyncClient",
    "Client",
    "Message",
    "NotAcceptable",
    "NotSent",
    "Queued",
    "Result",
    "Source",
    "Spool",
    "SpoolBusy",
    "SpoolFull",
    "Topic",
    "message",
    "pseudonym",
]
