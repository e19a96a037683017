"""However many transfers one authority makes up that name another, the other's pages come as fast as ever, and show what third ones say."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, text

from contracts.codes import EndReason
from contracts.events import Fact, OrderEnded, TransferAnswered, TransferReceived, TransferRequested
from services.chassis.database import engine, settings_of
from services.orders.transfers import MOST_ASKED, MOST_CLAIMED
from services.records.model.limit import MOST_FACTS
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import IMPOSED, LATE, LEFT, Sender
from tests.support.desk import ManagersView, client
from tests.support.lives import imposed

MakeBench = Callable[[str], Bench]
VICTIM, GREEDY, THIRD = "S12000005", "S12000036", "S12000049"
ASKED = TransferRequested(ref="t", requested_on=date(2025, 4, 28), to=VICTIM)
CLAIMED = TransferReceived(received_on=date(2025, 5, 6), from_=VICTIM, from_subject="CPO/1")
OTHER = imposed(date(2025, 3, 3), hours=120)
"""An order of the same day on other terms."""
REFUSED = TransferAnswered(ref="a", answered_on=date(2025, 4, 29), accepted=False)
MANY = 400
SECONDS = 1.5
"""How long a statement may take: to look at so many orders of so many facts takes longer, on any machine."""
COPY = text(
    "INSERT INTO records SELECT (jsonb_populate_record(r, jsonb_build_object('subject', 'X/' || n))).* "
    "FROM records r CROSS JOIN generate_series(1, :many) n WHERE r.authority = :authority AND r.subject = 'CPO/1'"
)


def flooded(bench: MakeBench, *facts: Fact) -> Sender:
    """Return orders of the victim, and very many large ones of somebody else that name it."""
    sender = Sender(bench("orders"))
    sender.tell(VICTIM, IMPOSED)
    sender.tell(GREEDY, OTHER, *facts, REFUSED)
    with sender.bench.database.begin() as connection:
        connection.execute(_LARGER, {"authority": GREEDY, "facts": MOST_FACTS - 10})
        connection.execute(COPY, {"authority": GREEDY, "many": MANY})
    return sender


_LARGER = text(
    "UPDATE records SET facts = (SELECT json_object_agg(key, value) FROM (SELECT key, value FROM json_each(facts) UNION ALL "
    "SELECT 'transfer_answer/b' || n, value FROM json_each(facts), generate_series(1, :facts) n WHERE key LIKE 'transfer_answer/%') f) "
    "WHERE authority = :authority"
)
"""Each event that tells one fact more takes a turn of a worker; this makes the same record."""


def view(sender: Sender) -> ManagersView:
    """Return the API as the victim sees it."""
    settings = settings_of(sender.bench.database).model_copy(update={"statement_timeout_seconds": SECONDS})
    hurried = engine(settings)
    event.listen(sender.bench.database, "engine_disposed", lambda _: hurried.dispose())
    return ManagersView(client(hurried, sender.bench.domain, LATE), VICTIM)


def rules(asked: ManagersView) -> list[tuple[str, str]]:
    found: list[dict[str, Any]] = asked.get("findings")["findings"]
    return [(one["rule"], one["detail"]) for one in found]


def test_requests_without_end_do_not_keep_the_one_that_is_asked_from_its_orders(bench: MakeBench) -> None:
    sender = flooded(bench, ASKED)
    asked = view(sender)
    assert [one["subject"] for one in asked.get("orders")["orders"]] == ["CPO/1"]
    assert asked.get("orders/CPO/1")["findings"] == []
    assert rules(asked) == []
    assert asked.get("findings/counts")["rules"] == []


def test_what_a_third_one_asks_is_shown_beside_requests_without_end(bench: MakeBench) -> None:
    sender = flooded(bench, ASKED)
    sender.tell(THIRD, IMPOSED, ASKED, subject="E/7")
    assert rules(view(sender)) == [("transfer_perhaps_counted_twice", f"E/7 of {THIRD} may be the same")]


def test_of_one_authority_the_latest_requests_count(bench: MakeBench) -> None:
    sender = Sender(bench("orders"))
    sender.tell(VICTIM, IMPOSED)
    sender.tell(GREEDY, IMPOSED, ASKED)
    with sender.bench.database.begin() as connection:
        connection.execute(COPY, {"authority": GREEDY, "many": MOST_ASKED + 30})
    assert len(rules(view(sender))) == MOST_ASKED
    later = TransferRequested(ref="t", requested_on=date(2025, 5, 2), to=VICTIM)
    sender.tell(GREEDY, IMPOSED, later, subject="LATEST/1")
    told = [detail for _, detail in rules(view(sender))]
    assert f"LATEST/1 of {GREEDY} may be the same" in told
    assert len(told) == MOST_ASKED


def test_claims_without_end_do_not_keep_an_authority_from_the_order_that_they_are_about(bench: MakeBench) -> None:
    sender = flooded(bench, CLAIMED)
    sender.tell(VICTIM, LEFT)
    asked = view(sender)
    order = asked.get("orders/CPO/1")
    assert len(order["transfers"]) == MOST_CLAIMED
    assert [one["rule"] for one in order["findings"]] == ["transfer_out_twice"]
    assert rules(asked) == [("transfer_out_twice", f"said to have come from it by {GREEDY}")]


@pytest.mark.parametrize("left", [False, True])
def test_of_what_is_said_to_be_taken_nothing_hides_what_is_not(bench: MakeBench, *, left: bool) -> None:
    """Requests that the asked one took up are none that wait, however many they are."""
    sender = Sender(bench("orders"))
    sender.tell(VICTIM, IMPOSED)
    sender.tell(GREEDY, IMPOSED, ASKED)
    with sender.bench.database.begin() as connection:
        connection.execute(COPY, {"authority": GREEDY, "many": MOST_ASKED})
    taken = [
        TransferReceived(received_on=date(2025, 5, 6), from_=GREEDY, from_subject=f"X/{n + 1}")
        for n in range(MOST_ASKED)
    ]
    for number, fact in enumerate(taken):
        sender.tell(VICTIM, IMPOSED, fact, subject=f"E/{number}")
    if left:
        sender.tell(GREEDY, OrderEnded(ended_on=date(2025, 5, 6), reason=EndReason.TRANSFERRED_OUT))
    told = [one for one in rules(view(sender)) if one[0] == "transfer_perhaps_counted_twice"]
    assert told == [("transfer_perhaps_counted_twice", f"CPO/1 of {GREEDY} may be the same")]
