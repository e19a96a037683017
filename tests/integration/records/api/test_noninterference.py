"""What an authority is answered depends on another's records only where these name it.

Two worlds differ in nothing but what authority B tells without naming A. Whatever A has told, also about orders that it
invented and references that it guessed, A's answers must be the same, to the byte.
"""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from contracts.codes import EndReason
from contracts.events import Fact, OrderEnded, TransferAnswered, TransferReceived, TransferRequested
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support.desk import ManagersView, client, token
from tests.support.lives import imposed

MakeBench = Callable[[str], Bench]
A, B, C = "S12000005", "S12000036", "S12000049"
TODAY = "2025-08-29"
SUBJECTS = ("X/1", "X/2", "X/3")
"""Few references and days, so that guesses of A often hit."""


def told(chance: random.Random, names: tuple[str, ...]) -> Iterator[tuple[str, Fact]]:
    """Random statements about orders, which name only these other authorities."""
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


def answers(orders: Sender, authority: str) -> dict[str, bytes]:
    """All that the authority can ask about its orders."""
    api = client(orders.bench.database, orders.bench.domain, TODAY)
    view = ManagersView(api, authority)
    paths = ["findings", "orders", "worklist", "standards", "returns/annual-report?year=2024-25"]
    paths += [f"orders/{subject}" for subject in SUBJECTS]
    found = {path: view.client.get(f"/v1/{path}", headers=view.headers) for path in paths}
    return {path: f"{one.status_code} ".encode() + one.content for path, one in found.items()}


@pytest.mark.parametrize("seed", range(8))
def test_records_that_do_not_name_an_authority_change_none_of_its_answers(bench: MakeBench, seed: int) -> None:
    chance = random.Random(seed)
    of_a = list(told(chance, (B, C)))
    shared = list(told(chance, (A, C)))
    orders = Sender(bench("orders"))
    for subject, fact in of_a:
        orders.tell(A, fact, subject=subject)
    for subject, fact in shared:
        orders.tell(C, fact, subject=subject)
    before = answers(orders, A)
    for subject, fact in told(chance, (C, B)):
        orders.tell(B, fact, subject=subject)
    assert answers(orders, A) == before


def test_the_worlds_would_differ_if_everything_were_matched(bench: MakeBench) -> None:
    """The test above can fail: what national viewers are told does change."""
    orders = Sender(bench("orders"))
    orders.tell(A, imposed(date(2025, 3, 3)), TransferRequested(ref="t1", requested_on=date(2025, 4, 1), to=B))
    api = client(orders.bench.database, orders.bench.domain, TODAY)
    before = api.get("/v1/transfers", headers=token(None, "national:inspect")).json()
    orders.tell(B, imposed(date(2025, 3, 3)), subject="E/7")
    assert api.get("/v1/transfers", headers=token(None, "national:inspect")).json() != before
