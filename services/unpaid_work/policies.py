"""Policies of the routes of this service."""

from services.chassis.api.policy import MIB, Policies, Policy, Who
from services.records.api.policies import COMMON_POLICIES

POLICIES: Policies = {
    **COMMON_POLICIES,
    "GET /v1/orders": Policy(Who.OWN_ORDERS),
    "GET /v1/ledgers/{subject:path}": Policy(Who.OWN_ORDERS),
    "GET /v1/at-risk": Policy(Who.OWN_ORDERS),
    "GET /v1/capacity": Policy(Who.OWN_ORDERS, answer=MIB),
    "GET /v1/sequence": Policy(Who.OWN_EVENTS),
    "GET /v1/returns/unpaid-work": Policy(Who.OWN_ORDERS, answer=64 * MIB),
}
