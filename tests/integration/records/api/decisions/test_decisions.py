"""Managers decide: missed duties acknowledged, closed days and targets set, each with who and when, and without a restart."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import text

from contracts.events import ContactMade
from services.chassis.api.auth import Identity, mint
from services.chassis.audit import store
from services.chassis.audit.model import Entry
from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.records.api.decisions import keeping
from services.records.api.decisions.feeds import READS_PER_MINUTE, hash_of, name_in_audit
from services.records.ingest import recount
from services.records.ingest import worker as worker_module
from services.records.ingest.recount import differences
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support.asking import InThisThread, in_one_minute
from tests.support.desk import ManagersView, client, keys, token
from tests.support.lives import event, imposed

MakeBench = Callable[[str], Bench]
A, B = "S12000005", "S12000036"
MONDAY = date(2025, 3, 3)
TODAY = "2025-03-11"


class Manager(ManagersView):
    """A manager who may also decide."""

    def __init__(
        self, bench: Bench, authority: str = A, scopes: tuple[str, ...] = ("orders:read", "orders:manage")
    ) -> None:
        super().__init__(client(bench.database, bench.domain, TODAY), authority)
        self.headers = token(authority, *scopes)

    def tell(self, method: str, path: str, body: object = None) -> Any:
        """Send a decision and return the answer; any status but 200 fails."""
        answer = self.client.request(method, f"/v1/{path}", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def duties(self, **parameters: object) -> list[tuple[str, str]]:
        """Order and standard of the worklist, over all pages."""
        return [(one["subject"], one["standard"]) for one in self.pages("worklist", "items", **parameters)]


@pytest.fixture
def sender(bench: MakeBench) -> Sender:
    """Return a sender of five orders that have missed first contact and case management meeting, and of one of another authority."""
    sender = Sender(bench("orders"))
    for number in range(5):
        sender.tell(A, imposed(MONDAY), subject=f"CPO/{number}")
    sender.tell(B, imposed(MONDAY), subject="E/1")
    return sender


@pytest.fixture
def orders(sender: Sender) -> Bench:
    """Return the events of those orders."""
    return sender.bench


def acknowledge(subject: str, standard: str, due_on: str, reason: str | None = "too_late") -> dict[str, object]:
    return {"duties": [{"subject": subject, "standard": standard, "due_on": due_on}], "reason": reason}


def test_what_is_acknowledged_leaves_the_list_on_every_page_and_comes_back(orders: Bench) -> None:
    manager = Manager(orders)
    everything = manager.duties()
    assert len(everything) > 9
    told = manager.tell("POST", "acknowledgements", acknowledge("CPO/2", "first_contact", "2025-03-04"))
    assert told == {"acknowledged": 1, "refused": []}
    left = [duty for duty in everything if duty != ("CPO/2", "first_contact")]
    for limit in (1, 2, 3, 200):
        assert manager.duties(limit=limit) == left
    assert manager.duties(acknowledged=True) == everything
    reasons = {one["subject"]: one["acknowledged"] for one in manager.get("worklist", acknowledged=True)["items"][:5]}
    assert reasons == {f"CPO/{number}": "too_late" if number == 2 else None for number in range(5)}
    manager.tell("POST", "acknowledgements", acknowledge("CPO/2", "first_contact", "2025-03-04", None))
    assert manager.duties() == everything
    history = manager.get("acknowledgements")["acknowledgements"]
    assert [(one["reason"], one["by"]) for one in history] == [(None, "somebody"), ("too_late", "somebody")]


def test_what_is_never_recorded_is_left_out_of_the_list_on_request_and_still_counted(sender: Sender) -> None:
    manager = Manager(sender.bench)
    assert {one["standard"]: one["overdue"] for one in manager.get("duties")["never_recorded"]} == {
        "case_meeting": 5,
        "first_contact": 5,
    }
    known = [
        acknowledge("CPO/4", one["standard"], one["due_on"])
        for one in manager.get("duties", urgency="overdue")["items"]
        if one["subject"] == "CPO/4"
    ]
    for one in known:
        manager.tell("POST", "acknowledgements", one)
    assert manager.get("duties")["never_recorded"] == [], "four are few"
    for one in known:
        manager.tell("POST", "acknowledgements", {**one, "reason": None})
    for number in range(5, 12):
        sender.tell(A, imposed(MONDAY), subject=f"CPO/{number}")
    told = manager.get("duties")["never_recorded"]
    assert {one["standard"]: (one["overdue"], one["orders"]) for one in told} == {
        "case_meeting": (12, 12),
        "first_contact": (12, 12),
    }
    sender.tell(A, ContactMade(made_on=date(2025, 3, 10)), subject="CPO/0")
    whole, apart = (manager.get("duties", limit=100, unrecorded=word) for word in ("true", "false"))
    assert [one["standard"] for one in apart["never_recorded"]] == ["case_meeting"]
    assert apart["counts"] == whole["counts"]
    assert {"standard": "case_meeting", "urgency": "overdue", "number": 12}.items() <= apart["counts"][0].items()
    assert {one["standard"] for one in apart["items"]} == {"first_contact"}
    assert {one["standard"] for one in whole["items"]} == {"case_meeting", "first_contact"}
    pages = manager.pages("duties", "items", urgency="overdue", limit=3, unrecorded="false")
    assert [one["standard"] for one in pages] == ["first_contact"] * 11
    asked = {"urgency": "overdue", "standard": "case_meeting", "limit": 5, "unrecorded": "false"}
    assert len(manager.pages("duties", "items", **asked)) == 12


def test_a_due_date_that_moves_is_another_duty(sender: Sender) -> None:
    manager = Manager(sender.bench)
    manager.tell("POST", "acknowledgements", acknowledge("CPO/2", "first_contact", "2025-03-04"))
    sender.send(event(imposed(date(2025, 3, 4)), "CPO/2", A, recorded=datetime(2026, 1, 2, tzinfo=UTC)))
    assert ("CPO/2", "first_contact") in manager.duties()


def test_nothing_is_kept_of_undoing_what_was_not_acknowledged(orders: Bench) -> None:
    """Else anything at all could be written down for good in the place of a standard, such as the name of a person."""
    manager = Manager(orders)
    for subject, standard in (("CPO/2", "first_contact"), ("CPO/2", "Jo Blog of 1 High Street"), ("anything", "plan")):
        told = manager.tell("POST", "acknowledgements", acknowledge(subject, standard, "2025-03-04", None))
        assert told["acknowledged"] == 0
        assert [one["why"] for one in told["refused"]] == ["This is not acknowledged"]
    assert manager.get("acknowledgements")["acknowledgements"] == []
    with orders.database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM notes")) == 0
        assert (
            connection.scalar(text("SELECT count(*) FROM orders_audit.audit_names WHERE 'anything' = ANY(shown)")) == 0
        )


@pytest.mark.parametrize(
    ("subject", "standard", "due_on"),
    [("CPO/2", "plan", "2025-03-31"), ("CPO/2", "first_contact", "2025-03-05"), ("E/1", "first_contact", "2025-03-04")],
)
def test_only_what_is_overdue_of_ones_own_can_be_acknowledged(
    orders: Bench, subject: str, standard: str, due_on: str
) -> None:
    told = Manager(orders).tell("POST", "acknowledgements", acknowledge(subject, standard, due_on))
    assert told["acknowledged"] == 0
    assert [one["subject"] for one in told["refused"]] == [subject]
    assert len(Manager(orders, B).duties()) > 0


def test_an_authority_whose_counting_takes_long_waits_for_the_next_time_and_nobody_else_does(
    orders: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All wait while one is counted again, and a closed day is quickly set."""
    manager, other, worker, now = Manager(orders), Manager(orders, B), orders.worker(), [1000.0]
    real = recount.recount

    def slow(*args: Any) -> Any:
        now[0] += 10 * (args[2].authority == A)
        return real(*args)

    monkeypatch.setattr(worker_module, "monotonic", lambda: now[0])
    monkeypatch.setattr(worker_module, "recount", slow)
    manager.tell("PUT", "own/closed-days", {"day": "2025-03-05", "name": "Fire"})
    assert not worker.is_up_to_date(), "it has not been counted again for long"
    worker.start(orders.sources)
    manager.tell("PUT", "own/closed-days", {"day": "2025-03-06", "name": "Fire"})
    assert worker.is_up_to_date()
    other.tell("PUT", "own/closed-days", {"day": "2025-03-05", "name": "Fire"})
    assert not worker.is_up_to_date(), "others do not wait for it"
    worker.start(orders.sources)  # in which it is counted again too, since its days are read
    manager.tell("PUT", "own/closed-days", {"day": "2025-03-07", "name": "Fire"})
    now[0] += 10 * worker_module.RESTS - 1
    assert worker.is_up_to_date()
    now[0] += 1
    assert not worker.is_up_to_date(), "its turn comes"


@pytest.mark.parametrize(
    "path", ["acknowledgements", "own/closed-days", "own/targets", "own/aims", "own/feeds", "own/feed-references"]
)
def test_who_may_only_read_decides_nothing(orders: Bench, path: str) -> None:
    reader = Manager(orders, scopes=("orders:read", "events:write"))
    method = "POST" if path == "acknowledgements" else "PUT"
    assert reader.client.request(method, f"/v1/{path}", json={}, headers=reader.headers).status_code == 403


def test_a_closed_day_moves_due_dates_at_once_and_figures_as_soon_as_a_worker_looks(orders: Bench) -> None:
    manager, other = Manager(orders), Manager(orders, B)
    worker = orders.worker()
    before = other.get("worklist")
    manager.tell("PUT", "own/closed-days", {"day": "2025-03-05", "name": "Water main burst"})
    clock = next(c for c in manager.get("orders/CPO/1")["clocks"] if c["standard"] == "case_meeting")
    assert clock["due_on"] == "2025-03-11"
    assert clock["not_counted"] == [{"day": "2025-03-05", "name": "our own offices closed"}]
    assert not worker.is_up_to_date()
    worker.start(orders.sources)
    assert worker.is_up_to_date()
    assert orders.cells()[f"pending_case_meeting|{A}|2025-03-11|"] == 5
    assert orders.cells()[f"pending_case_meeting|{B}|2025-03-10|"] == 1
    assert other.get("worklist") == before
    standards = manager.get("standards")
    assert standards["closed_days"] == ["2025-03-05"]
    assert [one["cells_changed"] > 0 for one in standards["recounts"]] == [True]
    manager.tell("DELETE", "own/closed-days?day=2025-03-05")
    worker.start(orders.sources)
    assert orders.cells()[f"pending_case_meeting|{A}|2025-03-10|"] == 5
    with orders.database.connect() as connection:
        assert differences(connection, orders.domain, A) == {}
    changes = manager.get("own/closed-days")
    assert changes["now"] == []
    assert [(one["content"], one["by"]) for one in changes["changes"]] == [
        (None, "somebody"),
        ({"name": "Water main burst"}, "somebody"),
    ]


def test_a_decision_bears_the_name_in_the_token_and_the_audit_who_it_is(orders: Bench) -> None:
    manager = Manager(orders)
    morag = Identity("u-17", frozenset({"orders:read", "orders:manage"}), A, "Morag MacLeod")
    manager.headers = {"Authorization": f"Bearer {mint(keys().private, morag, timedelta(hours=1), system_clock)}"}
    changed = manager.tell("PUT", "own/closed-days", {"day": "2025-04-07", "name": "Gala day"})
    assert [one["by"] for one in changed["changes"]] == ["Morag MacLeod"]
    assert manager.get("audit", who="u-17")["entries"][0]["detail"] == {"setting": "2025-04-07"}


def test_a_target_holds_at_once_and_changes_no_cell(orders: Bench) -> None:
    manager, cells = Manager(orders), orders.cells()
    target = {
        "standard": "plan",
        "since": "2025-01-01",
        "limit": 6,
        "unit": "working days",
        "source": "committee, 1 December",
    }
    manager.tell("PUT", "own/targets", target)
    assert ("CPO/1", "plan") in manager.duties(within=0)
    assert ("E/1", "plan") not in Manager(orders, B).duties(within=5)
    counts = {(one["standard"], one["urgency"]): one["number"] for one in manager.get("duties")["counts"]}
    assert counts["plan", "today"] == 5, "it is due today by the own target"
    assert ("plan", "soon") not in counts
    manager.tell("PUT", "own/feeds", {"hash": hash_of("o" * 43), "name": "Team North"})
    shown = manager.client.get("/v1/feed", headers={"Payback-Feed": "o" * 43}).json()["days"]
    assert {"day": TODAY, "title": "Case management plan (our own target)", "number": 5} in shown
    own = next(c for c in manager.get("orders/CPO/1")["clocks"] if c["standard"] == "plan")["own_target"]
    assert (own["limit"], own["due_on"], own["state"]) == (6, "2025-03-11", "due")
    manager.tell("DELETE", "own/targets?standard=plan&since=2025-01-01")
    assert ("CPO/1", "plan") not in manager.duties(within=0)
    assert orders.cells() == cells


def test_an_orders_part_of_the_nations_numbers_is_told(orders: Bench) -> None:
    manager = Manager(orders)
    mine = {(c["measure"], c["category"]): c["value"] for c in manager.get("counted/CPO/1")["cells"]}
    assert mine["orders_imposed", "sex=female"] == 1
    month = {(c["measure"], c["category"]): c["value"] for c in manager.get("counted", month="2025-03")["cells"]}
    assert month["orders_imposed", ""] == 5
    assert manager.ask("counted/E/1").status_code == 404


def test_a_feed_shows_counts_to_whoever_knows_the_secret_until_it_is_closed(orders: Bench) -> None:
    manager = Manager(orders)
    secret = "s" * 43
    opened = manager.tell("PUT", "own/feeds", {"hash": hash_of(secret), "name": "Team North"})
    assert secret not in str(opened)

    def asked(told: str) -> Response:
        return manager.client.get("/v1/feed", headers={"Payback-Feed": told})

    found = asked(secret)
    assert found.status_code == 200
    assert "CPO" not in found.text
    assert found.json()["overdue"] == len(manager.duties(within=0))
    assert {"day": "2025-03-31", "title": "Case management plan", "number": 5} in found.json()["days"]
    assert asked("t" * 43).status_code == 404
    other = Manager(orders, B)
    taken = other.client.delete("/v1/own/feeds", params={"hash": hash_of(secret)}, headers=other.headers)
    assert taken.status_code == 404
    assert asked(secret).status_code == 200
    body = {"hash": hash_of(secret), "name": "Ours now"}
    assert other.client.put("/v1/own/feeds", json=body, headers=other.headers).status_code == 200
    assert asked(secret).json() == found.json(), "who comes to know the address does not take it over"
    other.client.delete("/v1/own/feeds", params={"hash": hash_of(secret)}, headers=other.headers)
    assert asked(secret).json() == found.json()
    manager.tell("DELETE", f"own/feeds?hash={hash_of(secret)}")
    assert asked(secret).status_code == 404
    assert other.client.put("/v1/own/feeds", json=body, headers=other.headers).status_code == 200
    assert asked(secret).status_code == 404, "an address that was closed stays closed"


SOURCE = {"source": "Data protection lead, 3 March"}


class Calendars:
    """The calendar addresses of a manager's authority, by letter."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager

    def open(self, letter: str, *, references: bool) -> int:
        """Return the status."""
        body = {"hash": self.key(letter), "name": f"Team {letter}", "references": references}
        manager = self.manager
        return manager.client.put("/v1/own/feeds", json=body, headers=manager.headers).status_code

    def key(self, letter: str) -> str:
        return hash_of(letter * 43)

    def read(self, letter: str) -> Response:
        """Ask as a calendar program, which sends no token."""
        return self.manager.client.get("/v1/feed", headers={"Payback-Feed": letter * 43})

    def named(self, letter: str) -> list[dict[str, str]] | None:
        """Return the orders of an answer; None if it holds counts only."""
        answer = self.read(letter)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, str]] | None = answer.json()["orders"]
        assert ("CPO" in answer.text) is (found is not None)
        told = {one["key"]: one["names_orders"] for one in self.manager.get("own/feeds")["now"]}
        assert told[self.key(letter)] is (found is not None), "its manager is told the same"
        return found

    def allow(self) -> None:
        self.manager.tell("PUT", "own/feed-references", SOURCE)

    def take_back(self) -> None:
        self.manager.tell("DELETE", "own/feed-references")


def looks(bench: Bench) -> list[Entry]:
    """Return what calendars were shown, the latest first."""
    with transaction(bench.database) as connection:
        found = [kept.entry for kept in store.search(connection, A, store.Question(), 1000)]
    return [entry for entry in found if entry.what == "GET /v1/feed"]


def test_a_feed_names_orders_only_if_it_was_opened_for_that_while_the_authority_allows_it(orders: Bench) -> None:
    mine, theirs = Calendars(Manager(orders)), Calendars(Manager(orders, B))
    assert mine.open("a", references=True) == 409, "nobody has allowed it"
    assert mine.open("a", references=False) == 200
    mine.allow()
    assert mine.named("a") is None, "whoever was given this address was given counts"
    assert mine.open("a", references=True) == 409
    assert theirs.open("t", references=True) == 409, "another authority's decision"
    assert mine.open("b", references=True) == 200
    assert mine.open("b", references=True) == 200, "told twice"
    found = mine.named("b")
    assert found
    assert found[0] == {"day": "2025-03-31", "title": "Case management plan", "subject": "CPO/0"}, "and no more"
    assert {one["subject"] for one in found} == {f"CPO/{number}" for number in range(5)}
    mine.allow()
    assert mine.named("b") == found, "allowed by other words, and not anew"
    mine.take_back()
    assert mine.named("b") is None, "at once"
    assert mine.open("c", references=True) == 409
    mine.allow()
    assert mine.named("b") is None, "for good"
    assert mine.open("b", references=True) == 409
    assert mine.open("c", references=True) == 200
    assert mine.named("c") == found
    assert mine.open("c", references=False) == 200
    assert mine.named("c") is None
    changes = mine.manager.get("own/feed-references")
    assert [one["content"] for one in changes["changes"]] == [SOURCE, None, SOURCE, SOURCE]
    assert [one["key"] for one in changes["now"]] == ["references"]


def test_what_a_feed_names_is_in_the_audit_before_it_is_answered(orders: Bench) -> None:
    mine = Calendars(Manager(orders))
    mine.open("a", references=False)
    mine.allow()
    mine.open("b", references=True)
    assert mine.named("a") is None
    assert looks(orders) == [], "counts are nobody's data"
    found = mine.named("b")
    [entry] = looks(orders)
    assert entry.who == name_in_audit(mine.key("b"))
    assert (entry.role, entry.of, entry.kind) == ("secret address", A, "look")
    assert list(entry.references) == list(dict.fromkeys(one["subject"] for one in found or ()))
    assert mine.manager.get("audit", reference="CPO/3", who=entry.who)["entries"][0]["count"] == 5
    with orders.database.begin() as connection:
        connection.exec_driver_sql("RESET ROLE")
        connection.exec_driver_sql("ALTER TABLE orders_audit.audit_entries RENAME TO away")
    gentle = InThisThread(mine.manager.client.app, raise_server_exceptions=False)
    answer = gentle.get("/v1/feed", headers={"Payback-Feed": "b" * 43})
    assert answer.status_code >= 500
    assert "CPO" not in answer.text
    assert mine.named("a") is None, "which shows no order and goes on"


def test_a_feed_that_names_orders_is_read_so_often_and_no_more(orders: Bench) -> None:
    mine = Calendars(Manager(orders))
    mine.open("a", references=False)
    mine.allow()
    for letter in "bc":
        mine.open(letter, references=True)
    in_one_minute(mine.manager.client.app)
    answers = [mine.read("b") for _ in range(READS_PER_MINUTE + 1)]
    assert [one.status_code for one in answers] == [200] * READS_PER_MINUTE + [429]
    assert "CPO" not in answers[-1].text
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert len(looks(orders)) == READS_PER_MINUTE
    assert mine.named("c")
    assert {mine.read("a").status_code for _ in range(READS_PER_MINUTE + 1)} == {200}


def closed(manager: Manager, day: int, method: str = "PUT") -> int:
    """Set or take back a closed day, and return the status."""
    body = {"day": f"2025-03-{day:02}", "name": "Closed"} if method == "PUT" else None
    path = "/v1/own/closed-days" + ("" if body else f"?day=2025-03-{day:02}")
    return manager.client.request(method, path, json=body, headers=manager.headers).status_code


def test_what_workers_count_again_for_changes_so_often_and_no_more(
    orders: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_CHANGES", 4)
    manager, other, worker = Manager(orders), Manager(orders, B), orders.worker()
    assert [closed(manager, 4) for _ in range(5)] == [200, 200, 200, 200, 429]
    worker.start(orders.sources)
    assert closed(manager, 5) == 429
    assert worker.is_up_to_date(), "what was refused has nobody count again"
    assert closed(other, 5) == 200, "each authority for itself"
    assert closed(manager, 4, "DELETE") == 200, "what is there can be taken back at any time"
    worker.start(orders.sources)
    assert [closed(manager, 4, "DELETE") for _ in range(3)] == [200, 200, 200]
    assert worker.is_up_to_date(), "nothing was there"


def test_there_are_so_many_entries_of_a_kind_and_no_more(orders: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_HELD", 2)
    manager = Manager(orders)
    assert [closed(manager, day) for day in (4, 5, 6, 5)] == [200, 200, 422, 200]
    assert closed(manager, 4, "DELETE") == 200
    assert closed(manager, 6) == 200
    assert [one["key"] for one in manager.get("own/closed-days")["now"]] == ["2025-03-05", "2025-03-06"]
