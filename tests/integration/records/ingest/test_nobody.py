"""A pseudonym with more orders than any person has, such as one for all who have none, counts as nobody, and costs no more than others."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import event, text

from contracts.codes import EndReason
from contracts.events import Fact, FactWithdrawn, OrderEnded
from services.records.ingest import store
from services.records.ingest.recount import differences
from services.records.model import people
from services.records.model.people import MEASURES, OPEN, Stay
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import A, Sender
from tests.support import lives
from tests.support.lives import imposed

MONDAY = date(2025, 3, 3)
MOST = 3
MakeBench = Callable[[str], Bench]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_STAYS", MOST)
    monkeypatch.setattr(store, "MOST_STAYS", MOST)


def counted(bench: Bench) -> int:
    return sum(n for key, n in bench.cells().items() if key.startswith(tuple(MEASURES)))


def differing(bench: Bench) -> dict[tuple[str, date, str], int]:
    with bench.database.connect() as connection:
        return differences(connection, bench.domain, A)


@pytest.mark.usefixtures("few")
def test_it_counts_as_nobody_for_as_long_as_it_has_too_many(bench: MakeBench) -> None:
    orders = Sender(bench("orders"))
    for number in range(MOST + 3):
        orders.tell(A, imposed(MONDAY + timedelta(days=40 * number)), subject=f"CPO/{number}")
        assert (counted(orders.bench) > 0) is (number < MOST)
        assert differing(orders.bench) == {}
    assert orders.imposed() == MOST + 3, "each order counts"
    for number in range(3):
        orders.tell(A, FactWithdrawn(fact="order"), subject=f"CPO/{number}")
        assert differing(orders.bench) == {}
    assert counted(orders.bench) > 0


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("seed", range(4))
def test_cells_are_the_sum_of_the_records_whatever_becomes_of_its_orders(bench: MakeBench, seed: int) -> None:
    orders, chance = Sender(bench("orders")), random.Random(seed)
    for number in range(40):
        subject, on = f"CPO/{chance.randrange(8)}", MONDAY + timedelta(days=chance.randrange(90))
        fact: Fact = chance.choice([imposed(on), imposed(on), OrderEnded(ended_on=on, reason=EndReason.COMPLETED)])
        orders.send(lives.event(fact, subject, A, number, lives.RECORDED + timedelta(minutes=number)))
        assert differing(orders.bench) == {}


MANY = text(
    "INSERT INTO persons (authority, person_ref, begun, ended, is_new, orders) "
    "SELECT :a, person, date '2000-01-01' + n, :open, true, 1 FROM unnest(CAST(:people AS text[])) person, generate_series(1, 9000) n"
)
LAST = date(2000, 1, 1) + timedelta(days=9000)


@pytest.mark.parametrize("beside", [0, 500])
def test_no_more_of_it_is_read_than_shows_that_it_is_nobody(bench: MakeBench, beside: int) -> None:
    """Not even where much changes of somebody else."""
    one, person, busy = bench("orders"), "person-of-tests-0001", "person-of-tests-0002"
    with one.database.begin() as connection:
        connection.execute(MANY, {"a": A, "people": [person], "open": OPEN})
        read: list[int] = []
        event.listen(connection.engine, "after_cursor_execute", lambda *said: read.append(said[1].rowcount))
        last = Stay(person, LAST, OPEN, True)
        others = [Stay(busy, LAST + timedelta(days=number), OPEN, True) for number in range(beside)]
        known = store.load_people(connection, [(A, stay) for stay in (last, *others)])[A][person]
    assert known[last] == 1, "what changes is among it"
    assert people.MOST_STAYS < sum(read) <= people.MOST_STAYS + 3
