"""An authority's own targets: beside the national standards in all that its managers see, and in no cell."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest

from contracts.codes import Setting, WorkType
from contracts.events import PlacementStarted
from services.chassis.failures import Refused
from services.records.api.management import Own
from services.records.config.targets import HEADING, targets
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support.desk import ManagersView, client, new_client
from tests.support.lives import imposed

MakeBench = Callable[[str], Bench]
A, B = "S12000005", "S12000036"
MONDAY = date(2025, 3, 3)
RULE = f"{A},placement,5,working days,2025-01-01,committee decision of 12 December 2024"
STANDARD_DUE, TARGET_DUE = "2025-03-12", "2025-03-10"


def a_file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "targets.csv"
    path.write_text("\n".join([",".join(HEADING), *lines]) + "\n")
    return path


def asked(bench: Bench, path: Path, today: str, authority: str = A) -> ManagersView:
    own = Own(targets=targets(path))
    return ManagersView(new_client(bench.database, bench.domain, today, own), authority)


@pytest.fixture
def work(bench: MakeBench) -> Bench:
    """Return three orders of unpaid work: begun in time, late by the target only, and not yet; and one of another authority."""
    one = bench("unpaid_work")
    sender = Sender(one)
    for number, started in enumerate((date(2025, 3, 10), date(2025, 3, 11), None)):
        sender.tell(A, imposed(MONDAY), subject=f"CPO/{number}")
        if started:
            placement = PlacementStarted(started_on=started, setting=Setting.GROUP, work_type=WorkType.GARDENING)
            sender.tell(A, placement, subject=f"CPO/{number}")
    sender.tell(B, imposed(MONDAY), subject="E/1")
    sender.tell(A, imposed(date(2024, 12, 30)), subject="CPO/old")
    return one


def placement_clock(view: ManagersView, subject: str) -> dict[str, object]:
    clocks = view.get(f"ledgers/{subject}")["clocks"]
    found: dict[str, object] = next(clock for clock in clocks if clock["standard"] == "placement")
    return found


@pytest.mark.parametrize(
    ("subject", "state", "own"),
    [("CPO/0", "met", "met"), ("CPO/1", "met", "met_late"), ("CPO/2", "due", "overdue"), ("CPO/old", "overdue", None)],
)
def test_clocks(work: Bench, tmp_path: Path, subject: str, state: str, own: str | None) -> None:
    clock = placement_clock(asked(work, a_file(tmp_path, RULE), "2025-03-11"), subject)
    assert clock["state"] == state
    assert clock["limit"] == 7
    target = clock["own_target"]
    if own is None:  # imposed before the target held
        assert target is None
        return
    assert isinstance(target, dict)
    assert target == {
        "standard": "placement", "limit": 5, "unit": "working days", "in_force_from": "2025-01-01",
        "source": "committee decision of 12 December 2024", "due_on": TARGET_DUE, "state": own,
    }  # fmt: skip


def test_worklists(work: Bench, tmp_path: Path) -> None:
    """What is due by the target is there as soon as the target is near, and says both days."""
    for with_target, days, listed in ((True, 4, True), (True, 3, False), (False, 4, False), (False, 6, True)):
        path = a_file(tmp_path, *([RULE] if with_target else []))
        items = asked(work, path, "2025-03-04").get("worklist", within=days)["items"]
        found = [item for item in items if (item["subject"], item["standard"]) == ("CPO/2", "placement")]
        assert bool(found) == listed
        if found:
            assert found[0]["due_on"] == STANDARD_DUE
            assert found[0]["own_target_on"] == (TARGET_DUE if with_target else None)
    view = asked(work, a_file(tmp_path, RULE), "2025-03-04")
    assert view.pages("worklist", "items", within=250, limit=1) == view.get("worklist", within=250)["items"]


def test_every_row_lies_within_the_days_that_its_list_names(work: Bench, tmp_path: Path) -> None:
    """On each of twenty days: by the own target, be it strict or not, or by the nation's day, whichever the row shows."""
    seen = set[str]()
    for number, limit in product(range(20), (0, 5)):
        today = f"{MONDAY + timedelta(days=number)}"
        view = asked(work, a_file(tmp_path, RULE.replace("placement,5", f"placement,{limit}")), today)
        until = view.get("duties", limit=0)["until"]
        listed = []
        for urgency in ("overdue", "today", "soon", "past_target"):
            rows = view.pages("duties", "items", urgency=urgency, limit=2)
            assert {which(row["day"], today, until) for row in rows} <= {HEADINGS[urgency]}
            assert all(row["day"] in (row["due_on"], row["own_target_on"]) for row in rows)
            assert [row["day"] for row in rows] == sorted(row["day"] for row in rows)
            seen |= {urgency} if rows else set()
            listed += rows
        worklist = view.get("worklist", within=5, limit=1000)["items"]
        assert {place_of(row) for row in listed} == {place_of(row) for row in worklist}
        assert all(min(row["due_on"], row["own_target_on"] or row["due_on"]) <= until for row in worklist)
        soon = view.get("orders", due_within=5)["orders"]
        assert all(today <= row["next_due_on"] <= until for row in soon), "the nation's days, as the desk says"
    assert seen == set(HEADINGS)


HEADINGS = {"overdue": "before", "past_target": "before", "today": "today", "soon": "ahead"}


def which(day: str, today: str, until: str) -> str:
    """Return where a day lies: before today, today, within the days ahead, or beyond."""
    if day <= today:
        return "today" if day == today else "before"
    return "ahead" if day <= until else "beyond"


def place_of(row: dict[str, str]) -> tuple[str, str, str]:
    return row["subject"], row["standard"], row["due_on"]


def test_another_authority_and_the_cells_know_nothing_of_it(work: Bench, tmp_path: Path) -> None:
    path = a_file(tmp_path, RULE)
    cells = work.cells()
    assert placement_clock(asked(work, path, "2025-03-11", B), "E/1")["own_target"] is None
    assert asked(work, path, "2025-03-11", B).get("standards")["own_targets"] == []
    assert len(asked(work, path, "2025-03-11").get("standards")["own_targets"]) == 1
    work.worker()
    assert work.cells() == cells
    assert cells[f"placement|{A}|2025-03-01|band=within_7"] == 2


def test_lists_and_later_rows(bench: MakeBench, tmp_path: Path) -> None:
    one = bench("orders")
    Sender(one).tell(A, imposed(MONDAY))
    later = RULE.replace("placement,5", "case_meeting,3"), f"{A},case_meeting,2,days,2025-02-01,a stricter one"
    view = asked(one, a_file(tmp_path, *later), "2025-03-06")
    (row,) = view.get("orders")["orders"]
    assert (row["overdue"], row["overdue_by_own_target"]) == (["first_contact"], ["case_meeting"])
    plain = ManagersView(client(one.database, one.domain, "2025-03-06"), A).get("orders")["orders"][0]
    assert plain["overdue_by_own_target"] == []
    clocks = {clock["standard"]: clock["own_target"] for clock in view.get("orders/CPO/1")["clocks"]}
    assert clocks["case_meeting"]["source"] == "a stricter one"
    assert clocks["plan"] is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"{A},placement,five,working days,2025-01-01,x", "line 2: expected"),
        (f"{A},placement,5,weeks,2025-01-01,x", "units are working days, days, months"),
        (f"{A},reviews,5,days,2025-01-01,x", "there can be targets for"),
        ("S99000005,placement,5,days,2025-01-01,x", "no authority"),
        (f"{A},placement,5,days,2025-01-01,", "and a source"),
        (f"{A},placement,-5,days,2025-01-01,x", "0 or more"),
    ],
)
def test_a_file_with_a_fault_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        targets(a_file(tmp_path, line))
    with pytest.raises(Refused, match="cannot be read"):
        targets(tmp_path / "nowhere.csv")
