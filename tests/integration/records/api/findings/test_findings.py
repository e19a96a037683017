"""An order's page, the lists, the list of what is wrong and its counts say the same of what is found."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import EndReason
from contracts.events import Fact, OrderEnded, PeriodClosed, TransferReceived, TransferRequested
from services.records.ingest.store import at
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import A, B, Sender, numbered
from tests.support.desk import ManagersView, client
from tests.support.lives import event, imposed
from tests.support.scenario import NOON

C = "S12000049"
TOLD_ON = at(NOON).date()
LEFT_ON = date(2025, 5, 6)


@pytest.fixture
def orders(bench: Callable[[str], Bench]) -> Sender:
    return Sender(bench("orders"))


def seen(sender: Sender, authority: str, today: date) -> ManagersView:
    return ManagersView(client(sender.bench.database, sender.bench.domain, f"{today}"), authority)


def left(day: date = LEFT_ON) -> OrderEnded:
    return OrderEnded(ended_on=day, reason=EndReason.TRANSFERRED_OUT)


def test_every_place_says_the_same_of_each_order(orders: Sender) -> None:
    """Forty orders of three authorities, told by halves: each rule about transfers, and rules about one record."""
    orders.send(*half_of_many())
    found = {code: agreed(seen(orders, code, date(2025, 6, 30))) for code in (A, B, C)}
    rules = {one["rule"] for each in found.values() for one in each}
    assert {rule for rule in rules if rule.startswith("transfer_")} == {
        *("transfer_out_unmatched", "transfer_in_unmatched", "transfer_in_twice"),
        *("transfer_out_twice", "transfer_in_circle", "transfer_perhaps_counted_twice"),
    }
    assert rules >= {"facts_without_order", "end_before_imposition"}


def half_of_many() -> list[Any]:
    chance = random.Random(11)
    told = []
    for number in range(40):
        begin = imposed(date(2025, 3, 1) + timedelta(days=number))
        asked = TransferRequested(ref="t1", requested_on=date(2025, 4, 28), to=B)
        sides: dict[tuple[str, str], list[Fact]] = {
            (A, f"CPO/{number}"): [begin, asked, left(), came(C, f"G/{number}")],
            (B, f"E/{number}"): [begin, came(A, f"CPO/{number}"), left(date(2025, 2, 3))],
            (C, f"G/{number}"): [begin, came(A, f"CPO/{number}")],
            (C, f"G/{number}-2"): [begin, came(A, f"CPO/{number}")],
        }
        told += [
            event(fact, subject, code, number)
            for (code, subject), facts in sides.items()
            for fact in facts
            if chance.random() < 0.6
        ]
    chance.shuffle(told)
    return told


def came(authority: str, subject: str) -> TransferReceived:
    return TransferReceived(received_on=LEFT_ON, from_=authority, from_subject=subject)


def agreed(view: ManagersView) -> list[dict[str, Any]]:
    """Return what is found, after every other place has said the same."""
    listed = view.pages("findings", "findings", limit=7)
    by_order: defaultdict[str, list[Any]] = defaultdict(list)
    for one in listed:
        by_order[one["subject"]].append(one)
    rows = {row["subject"]: row["findings"] for row in view.pages("orders", "orders", limit=5)}
    for subject in rows.keys() | by_order.keys():
        page = view.get(f"orders/{subject}")["findings"]
        assert sorted(map(str, page)) == sorted(map(str, by_order[subject]))
        if subject in rows:
            assert set(rows[subject]) == {one["rule"] for one in by_order[subject]}
            assert len(rows[subject]) == len(set(rows[subject]))
    counts = view.get("findings/counts")["rules"]
    assert {one["rule"]: one["number"] for one in counts} == number_of_orders(listed)
    return listed


def number_of_orders(listed: list[dict[str, Any]]) -> dict[str, int]:
    return {
        rule: len({one["subject"] for one in listed if one["rule"] == rule}) for rule in {o["rule"] for o in listed}
    }


def test_a_transfer_is_known_since_both_the_fact_came_and_the_time_was_over(orders: Sender) -> None:
    """An end of long ago that came today is new today; one that came before its time was over is new when that is over."""
    late = TOLD_ON - timedelta(days=3)
    orders.tell(A, imposed(date(2025, 3, 3)), left())
    orders.send(*(event(fact, "CPO/2", A, recorded=at(NOON)) for fact in (imposed(date(2025, 3, 4)), left(late))))
    soon = seen(orders, A, TOLD_ON + timedelta(days=6))
    assert known(soon) == {"CPO/1": f"{TOLD_ON}"}
    assert newly(soon) == {"transfer_out_unmatched": (1, 1)}
    over = orders.bench.domain.calendar.after(late, 21)
    later = seen(orders, A, over + timedelta(days=6))
    assert known(later) == {"CPO/1": f"{TOLD_ON}", "CPO/2": f"{over}"}
    assert newly(later) == {"transfer_out_unmatched": (2, 1)}
    assert [one["subject"] for one in later.get("findings", since=over)["findings"]] == ["CPO/2"]


def known(view: ManagersView) -> dict[str, str]:
    return {one["subject"]: one["since"] for one in view.get("findings")["findings"]}


def newly(view: ManagersView) -> dict[str, tuple[int, int]]:
    return {one["rule"]: (one["number"], one["newly"]) for one in view.get("findings/counts")["rules"]}


def test_what_is_found_about_the_authority_itself_has_its_day_too(bench: Callable[[str], Bench]) -> None:
    work = Sender(bench("unpaid_work"))
    work.send(*numbered([1, 4, 7]), replace(numbered([9])[0], sequence=7))
    work.tell(A, PeriodClosed(month="2025-03", orders_imposed=0, orders_ended=0, minutes_credited=90), subject="-")
    today = seen(work, A, TOLD_ON)
    listed = today.get("findings")["findings"]
    own = [one for one in listed if one["subject"] == "-"]
    assert {one["rule"] for one in own} == {"sequence_gap", "sequence_reused", "control_totals"}
    assert {one["since"] for one in listed} == {f"{TOLD_ON}"}
    assert newly(today)["sequence_gap"] == (2, 2)
    assert newly(seen(work, A, TOLD_ON + timedelta(days=8)))["sequence_gap"] == (2, 0)
