"""Limits how often one address may be wrong: with sign-ins, cookies that we did not make, or secret addresses. Each is asked of somebody
else, or goes on record, and anybody can make them up.
"""

from math import ceil

from starlette.types import Scope

from services.chassis.api.callers import address_of
from services.chassis.api.problems import Problem
from services.chassis.guarding.budgets import Budgets, Spent

MOST_WRONG = 20
"""How often one address may be wrong in a minute about one kind of thing."""
MOST_WRONG_ALL = 600
"""How often all addresses together may be, where what is asked is shared with people who are right."""


def may_guess(scope: Scope, kind: str, most_of_all: int | None = None) -> bool:
    """Return whether the address of the request was not wrong too often in this minute, nor all together."""
    budgets, keys = _counted(scope, kind)
    limits = (MOST_WRONG, most_of_all)
    return all(most is None or budgets.spent(key).requests < most for key, most in zip(keys, limits, strict=True))


def check_guesses(scope: Scope, kind: str) -> None:
    """Raise Problem 429 where the address was wrong too often in this minute."""
    if not may_guess(scope, kind):
        budgets, _ = _counted(scope, kind)
        wait = {"Retry-After": str(ceil(budgets.seconds_left()))}
        raise Problem(429, f"Too many {kind} were wrong: try again later", headers=wait)


def count_wrong(scope: Scope, kind: str) -> None:
    """Note that the address of the request was wrong once more."""
    budgets, keys = _counted(scope, kind)
    for key in keys:
        budgets.take(key, Spent(1))


def _counted(scope: Scope, kind: str) -> tuple[Budgets, tuple[str, str]]:
    budgets: Budgets = scope["app"].state.budgets
    return budgets, (f"{kind} {address_of(scope).key}", f"{kind} of all")
