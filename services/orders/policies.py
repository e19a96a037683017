"""Policies of the routes of this service."""

from services.chassis.api.policy import MIB, Policies, Policy, Who
from services.records.api.policies import COMMON_POLICIES

POLICIES: Policies = {
    **COMMON_POLICIES,
    "GET /v1/orders": Policy(Who.OWN_ORDERS),
    "GET /v1/orders/{subject:path}": Policy(Who.OWN_ORDERS),
    "GET /v1/returns/cpo": Policy(Who.OWN_ORDERS, answer=64 * MIB),
    "GET /v1/transfers": Policy(Who.INSPECTOR, answer=64 * MIB),
}
