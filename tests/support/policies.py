"""Policies for applications that a test is made of."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.chassis.api.policy import Policies, Policy, names_of_routes


def any_policy(routers: Sequence[APIRouter], policy: Policy = Policy(body=1 << 23, lines=1 << 29)) -> Policies:  # noqa: B008
    """The same for every route."""
    return dict.fromkeys(names_of_routes(routers), policy)
