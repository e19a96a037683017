"""Walls between authorities: PostgreSQL shows an API only the rows of the authority that asks, even if a query forgets to filter.

An API works in a role that owns nothing and is under row-level security. Each of its transactions begins by naming the authority; without
one, it sees no rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from sqlalchemy import Connection, Engine, event

from contracts.authorities import codes_of
from services.chassis.database import driver_of, engine, in_transactions
from services.chassis.guarding.roles import role_of_api
from services.chassis.settings import DatabaseSettings

AUTHORITY, CODES = "payback.authority", "payback.codes"
"""Settings of a session: the authority's code, and all codes that it ever had, separated by commas."""


class Sight(NamedTuple):
    """The authority whose rows are visible, or all of them."""

    authority: str = ""
    whole_nation: bool = False


NOBODY = Sight()
_sight: ContextVar[Sight] = ContextVar("sight", default=NOBODY)


def role_of_nation(owner: str) -> str:
    """Return the role that sees the rows of all authorities, and changes none."""
    return f"{owner}_nation"


def behind(settings: DatabaseSettings) -> Engine:
    """Return an engine for an API. Its transactions see the rows that the caller may see."""
    made = in_transactions(engine(settings, role_of_api(settings.owner)))
    nation = role_of_nation(settings.owner)

    def tell(connection: Connection) -> None:
        sight = _sight.get()
        told = {AUTHORITY: sight.authority, CODES: ",".join(codes_of(sight.authority)) if sight.authority else ""}
        if sight.whole_nation:
            told["role"] = nation
        _set(connection, told)

    event.listen(made, "begin", tell)
    return made


def _set(connection: Connection, told: dict[str, str]) -> None:
    """Set values until the transaction ends. Together with its BEGIN this is one round trip."""
    driver = driver_of(connection)
    given = [text for pair in told.items() for text in pair]
    with driver.pipeline():
        driver.execute(f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(told))}".encode(), given)


def sees(sight: Sight) -> None:
    """Make these rows visible to this request from here on."""
    _sight.set(sight)


@contextmanager
def seeing(sight: Sight) -> Iterator[None]:
    """Make these rows visible during the block, or those that `sees` sets; afterwards the earlier ones."""
    token = _sight.set(sight)
    try:
        yield
    finally:
        _sight.reset(token)
