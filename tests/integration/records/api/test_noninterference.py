"""An authority's answers depend on another's records only where these name it.

Two worlds differ in nothing but what authority B tells without naming A. Whatever A has told, also about orders that it
invented and references that it guessed, A's answers must be the same, to the byte, and so must be the statements that they take.
"""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, event

from contracts.codes import EndReason
from contracts.events import Fact, OrderEnded, TransferAnswered, TransferReceived, TransferRequested
from tests.integration.records.api.test_audit import ASKED_WITH, routes
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support.desk import ManagersView, client, token
from tests.support.lives import imposed

MakeBench = Callable[[str], Bench]
A, B, C = "S12000005", "S12000036", "S12000049"
TODAY = "2025-08-29"
GROWING = {"GET /v1/audit"}
"""With each look."""
SUBJECTS = ("X/1", "X/2", "X/3")
"""Few references and days, so that guesses of A often hit."""


def told(chance: random.Random, names: tuple[str, ...]) -> Iterator[tuple[str, Fact]]:
    """Yield random statements about orders, which name only these other authorities."""
    for subject in SUBJECTS:
        stated: list[Fact] = [
            imposed(date(2025, 3, 3) + timedelta(days=chance.randrange(2))),
            TransferRequested(ref="t1", requested_on=date(2025, 4, 1), to=chance.choice(names)),
            TransferAnswered(ref="t1", answered_on=date(2025, 4, 2), accepted=chance.random() < 0.7),
            OrderEnded(ended_on=date(2025, 4, 2), reason=EndReason.TRANSFERRED_OUT),
            TransferReceived(
                received_on=date(2025, 4, 3), from_=chance.choice(names), from_subject=chance.choice(SUBJECTS)
            ),
        ]
        yield from ((subject, fact) for fact in stated if chance.random() < 0.6)


def addresses(service: str) -> Iterator[str]:
    """Yield every address at which an authority can ask about its orders."""
    for name, policy in routes(service):
        path = ASKED_WITH.get(name, name.removeprefix("GET "))
        if policy.who.of_the_nation or name in GROWING:
            continue
        if "{subject" in name:
            yield from (path.replace("CPO/1", subject) for subject in SUBJECTS)
        else:
            yield path
    yield from (f"/v1/{path}" for path in ("worklist?within=250", "counted?month=2025-04", "findings?limit=1"))


class Answered(NamedTuple):
    """An authority's answer, and the work that was done for it: the same work takes the same time."""

    told: dict[str, bytes]
    done: list[tuple[str, int]]
    """Each statement, with the number of its rows."""


def answers(sender: Sender, authority: str) -> Answered:
    done: list[tuple[str, int]] = []

    def note(_c: object, cursor: Any, statement: str, *_: object) -> None:
        done.append((statement, cursor.rowcount))

    bench = sender.bench
    view = ManagersView(client(bench.database, bench.domain, TODAY), authority)
    headers = token(authority, "orders:read", "orders:manage") | {"x-request-id": "alike"}
    event.listen(Engine, "after_cursor_execute", note)
    try:
        found = {path: view.client.get(path, headers=headers) for path in addresses(bench.domain.service)}
    finally:
        event.remove(Engine, "after_cursor_execute", note)
    return Answered({path: f"{one.status_code} ".encode() + one.content for path, one in found.items()}, done)


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
@pytest.mark.parametrize("seed", range(6))
def test_records_that_do_not_name_an_authority_change_none_of_its_answers(
    bench: MakeBench, service: str, seed: int
) -> None:
    chance = random.Random(seed)
    of_a = list(told(chance, (B, C)))
    shared = list(told(chance, (A, C)))
    sender = Sender(bench(service))
    for subject, fact in of_a:
        sender.tell(A, fact, subject=subject)
    for subject, fact in shared:
        sender.tell(C, fact, subject=subject)
    answers(sender, A)  # the first time finds no session to go on with
    before = answers(sender, A)
    for subject, fact in told(chance, (C, B)):
        sender.tell(B, fact, subject=subject)
    after = answers(sender, A)
    assert after.told == before.told
    assert after.done == before.done
    assert len(before.told) > 15
    assert len(before.done) > len(before.told)


def test_the_worlds_would_differ_if_everything_were_matched(bench: MakeBench) -> None:
    """The test above can fail: what national viewers are told does change."""
    orders = Sender(bench("orders"))
    orders.tell(A, imposed(date(2025, 3, 3)), TransferRequested(ref="t1", requested_on=date(2025, 4, 1), to=B))
    api = client(orders.bench.database, orders.bench.domain, TODAY)
    before = api.get("/v1/transfers", headers=token(None, "national:inspect")).json()
    orders.tell(B, imposed(date(2025, 3, 3)), subject="E/7")
    assert api.get("/v1/transfers", headers=token(None, "national:inspect")).json() != before
