"""Each accepted event is in one number, and those that count are the rows that an authority has itself."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from contracts.authorities import AUTHORITIES
from contracts.events import ContactMade, Fact, FactWithdrawn, Heartbeat, PeriodClosed
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import A, Sender
from tests.support.desk import ManagersView, client
from tests.support.lives import event, imposed

MakeBench = Callable[[str], Bench]
TODAY = "2026-10-01"
PARTS = ("counting", "withdrawals", "of_withdrawn_orders", "about_itself", "replaced")
MONDAY = date(2025, 3, 3)


def standing(bench: Bench, authority: str = A) -> dict[str, Any]:
    found: dict[str, Any] = ManagersView(client(bench.database, bench.domain, TODAY), authority).get("held/facts")
    assert found["accepted"] == sum(found[name] for name in PARTS)
    return found


def test_corrections_withdrawals_and_signs_of_life_are_counted_apart(bench: MakeBench) -> None:
    orders = Sender(bench("orders"))
    assert standing(orders.bench)["accepted"] == 0
    told: list[tuple[Fact, str]] = [
        *((imposed(MONDAY), f"CPO/{number}") for number in range(4)),
        *((ContactMade(made_on=MONDAY), f"CPO/{number}") for number in range(3)),
        *((Heartbeat(), "-") for _ in range(2)),
        (PeriodClosed(month="2025-03", orders_imposed=4, orders_ended=0, minutes_credited=0), "-"),
        (ContactMade(made_on=date(2025, 3, 4)), "CPO/0"),
        (FactWithdrawn(fact="first_contact"), "CPO/1"),
        (FactWithdrawn(fact="order"), "CPO/2"),
    ]
    orders.send(*(event(fact, subject, A, number) for number, (fact, subject) in enumerate(told, 100)))
    found = standing(orders.bench)
    assert [found[name] for name in PARTS] == [4, 2, 2, 3, 2]
    assert found["kinds"] == [
        {"event": "order.imposed", "counting": 3, "withdrawn": 0},
        {"event": "contact.made", "counting": 1, "withdrawn": 1},
    ]


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_what_counts_is_what_the_orders_themselves_say(fed: MakeBench, service: str) -> None:
    """For every authority of the scenario, in which there is everything: each order is asked for its facts."""
    one, some = fed(service), 0
    for authority in AUTHORITIES:
        view = ManagersView(client(one.database, one.domain, TODAY), authority)
        found, kinds = standing(one, authority), Counter[tuple[str, str]]()
        assert found["accepted"] == view.get("held")["events"]["applied"]
        for subject in subjects(one, authority):
            order = view.get(f"{'orders' if service == 'orders' else 'ledgers'}/{subject}")
            whole = any(fact["key"] == "order" for fact in order["facts"])
            kinds.update(how for fact in order["facts"] for how in [said(fact, service, whole=whole)] if how)
        expected = {(one["event"], "counting"): one["counting"] for one in found["kinds"]}
        assert {name: number for name, number in expected.items() if number} == {
            name: number for name, number in kinds.items() if name[1] == "counting"
        }
        assert found["withdrawals"] == sum(number for (_, how), number in kinds.items() if how == "withdrawn")
        assert found["of_withdrawn_orders"] == sum(number for (_, how), number in kinds.items() if how == "void")
        some += found["replaced"]
    assert some


OF_WORK = ("induction", "placement", "session", "adjustment", "work_completed")


def said(fact: dict[str, Any], service: str, *, whole: bool) -> tuple[str, str] | None:
    """Return the kind of a fact and what has become of it; None for one of the other service's topic."""
    if (fact["key"].partition("/")[0] in OF_WORK) != (service == "unpaid_work"):
        return None
    if fact["withdrawn"]:
        return "", "withdrawn"
    return fact["type"].rpartition(".")[0], "void" if whole else "counting"


def subjects(bench: Bench, authority: str) -> list[str]:
    with bench.database.connect() as connection:
        query = text("SELECT subject FROM records WHERE authority = :authority AND subject <> '-' ORDER BY subject")
        return list(connection.scalars(query, {"authority": authority}))
