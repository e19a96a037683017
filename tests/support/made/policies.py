"""Policies for applications that a test consists of."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.chassis.api.policy import Policies, Policy, names_of_routes
from services.orders.policies import POLICIES as ORDERS
from services.unpaid_work.policies import POLICIES as UNPAID_WORK


def any_policy(routers: Sequence[APIRouter], policy: Policy = Policy(body=1 << 23, lines=1 << 29)) -> Policies:  # noqa: B008
    """Return the same policy for every route."""
    return dict.fromkeys(names_of_routes(routers), policy)


def own_policies(routers: Sequence[APIRouter]) -> Policies:
    """Return the policies in the tables of the services of records."""
    return {name: {**ORDERS, **UNPAID_WORK}[name] for name in names_of_routes(routers)}
