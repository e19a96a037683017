"""Policies of the routes that orders and unpaid work share."""

from contracts.decoding.codec import MAX_BYTES
from services.chassis.api.policy import KIB, MIB, Policies, Policy, Who

MOST_EVENTS = 100_000
"""Most events in one request: what is said about each must fit into one answer."""
MOST_IN_A_BATCH = 10_000
TOLD_BYTES = 4 * MIB
"""How much one answer says about refused events; the rest are only counted."""
PAGE_BYTES = 2 * MIB
"""How many bytes of refused events, as they arrived, a page holds; its last event may go beyond that."""

_EVENTS = Policy(Who.SENDER, body=8 * MIB, lines=512 * MIB, seconds=3600, items=MOST_EVENTS, answer=64 * MIB)
_SET = ("closed-days", "targets", "aims", "feeds", "feed-references", "signing-keys")
COMMON_POLICIES: Policies = {
    "POST /v1/events": _EVENTS,
    "POST /v1/validate": _EVENTS,
    "GET /v1/events/{event_id:path}": Policy(Who.OWN_EVENTS, answer=MIB),
    "GET /v1/rejections": Policy(Who.OWN_EVENTS, answer=6 * (PAGE_BYTES + MAX_BYTES) + 2 * MIB),
    "GET /v1/held": Policy(Who.OWN_EVENTS, answer=MIB),
    "GET /v1/held/facts": Policy(Who.OWN_EVENTS, answer=MIB),
    "GET /v1/evidence/heads": Policy(Who.OWN_EVENTS, answer=MIB),
    "GET /v1/evidence/receipts/{event_id:path}": Policy(Who.OWN_EVENTS, answer=MIB),
    "GET /v1/evidence/consistency": Policy(Who.OWN_EVENTS, answer=MIB),
    "GET /v1/evidence/keys": Policy(answer=MIB),
    "GET /v1/findings": Policy(Who.OWN_ORDERS),
    "GET /v1/standards": Policy(Who.OWN_ORDERS, answer=MIB),
    "GET /v1/returns/annual-report": Policy(Who.OWN_ORDERS, answer=MIB),
    "GET /v1/returns/reconciliation": Policy(Who.OWN_ORDERS, answer=MIB),
    "GET /v1/returns/whole": Policy(Who.OWN_ORDERS, answer=16 * MIB),
    "GET /v1/changes": Policy(Who.OWN_ORDERS, answer=MIB),
    "GET /v1/webhooks": Policy(Who.MANAGER, answer=MIB),
    "POST /v1/webhooks": Policy(Who.MANAGER, answer=MIB),
    "POST /v1/webhooks/{webhook}/secret": Policy(Who.MANAGER, answer=MIB),
    "POST /v1/webhooks/{webhook}/resume": Policy(Who.MANAGER, answer=MIB),
    "DELETE /v1/webhooks/{webhook}": Policy(Who.MANAGER, answer=MIB),
    "GET /v1/explain": Policy(Who.OWN_ORDERS),
    "GET /v1/counted": Policy(Who.OWN_ORDERS),
    "GET /v1/counted/{subject:path}": Policy(Who.OWN_ORDERS, answer=MIB),
    "GET /v1/worklist": Policy(Who.OWN_ORDERS),
    "GET /v1/duties": Policy(Who.OWN_ORDERS),
    "GET /v1/findings/counts": Policy(Who.OWN_ORDERS, answer=MIB),
    "GET /v1/acknowledgements": Policy(Who.OWN_ORDERS),
    "POST /v1/acknowledgements": Policy(Who.MANAGER, body=256 * KIB),
    **{f"GET /v1/own/{name}": Policy(Who.OWN_ORDERS) for name in _SET},
    **{f"{method} /v1/own/{name}": Policy(Who.MANAGER) for method in ("PUT", "DELETE") for name in _SET},
    "GET /v1/feed": Policy(answer=MIB),
    "GET /v1/audit": Policy(Who.MANAGER),
}
