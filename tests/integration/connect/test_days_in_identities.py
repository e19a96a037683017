"""A session without a number is identified by its day, however that is written, and one that was sent keeps its identity."""

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from services.connect.comparing import rows
from services.connect.mapping.forms import Binding
from tests.integration.connect.test_days import Office
from tests.support.made.extracts import HEADINGS, order, taken, xlsx
from tests.support.platform import Platform, platform

SESSIONS = """
  - sheet: Sessions
    order: Ref
    vanished: withdraw
    states:
      session.recorded:
        ref: {joined: [Day]}
        session_on: Day
        attendance: Attendance
        activity: {always: unpaid_work}
        work_type: {always: other}
        minutes_credited: {column: Hours, times: 60, blank: 0}
"""
DAY = date(2026, 2, 20)
WAYS: list[Any] = ["20/02/2026", "20.2.26", "20 Feb 2026", "Friday, 20 February 2026", "2026-02-20", "20260220", DAY,
                   "20/02/2026 00:00", datetime.combine(DAY, time()), 46073]  # fmt: skip


@pytest.fixture
def server() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def office(tmp_path: Path, server: Platform) -> Office:
    made = Office(tmp_path, server)
    made.mapping.write_text(made.mapping.read_text() + SESSIONS)
    return made


def book(office: Office, day: int, *days: Any, hours: Any = 6) -> Path:
    sessions = [["Ref", "Day", "Attendance", "Hours"], *(["A1", one, "Attended", hours] for one in days)]
    return taken(xlsx(office.folder / f"{day}.xlsx", {"Orders": [HEADINGS, order("A1")], "Sessions": sessions}), day)


def as_before(patch: pytest.MonkeyPatch) -> None:
    """Let days in identities be taken as they are written, and rows be known as they were then."""
    patch.setattr(Binding, "_days_in", lambda *_: ())
    patch.setattr(rows, "_VERSION", 4)


def refs(office: Office) -> list[str]:
    return [data["ref"] for _, kind, data in office.said() if kind.startswith("session")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_day_is_the_same_however_it_is_written(way: Any, office: Office) -> None:
    office.send(book(office, 2, way))
    assert refs(office) == ["2026-02-20"]
    office.send(book(office, 3, DAY))
    assert office.new == []
    office.send(book(office, 4, way, "20/2/2026"))
    assert office.new == [], "a second row of the same says the same"


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("then", ["20/02/2026", DAY, None], ids=repr)
def test_what_was_sent_under_a_day_as_written_keeps_that(
    way: Any, then: Any, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or everything would be sent again, and the old withdrawn."""
    with monkeypatch.context() as before:
        as_before(before)
        office.send(book(office, 2, way))
        [former] = refs(office)
    now = way if then is None else then
    office.send(book(office, 3, now))
    assert office.new == []
    office.send(book(office, 4, now, hours=5))
    assert [(kind, data["ref"]) for _, kind, data in office.said()] == [("session.recorded.v1", former)]
    done = office.send(book(office, 5, now, hours="six"), status=1)
    assert office.new == [], "a cell that cannot be read takes nothing back"
    assert "'six' is not a number" in done.output
    office.send(book(office, 6))
    assert [(kind, data["fact"]) for _, kind, data in office.said()] == [("fact.withdrawn.v1", f"session/{former}")]


def test_two_ways_that_were_sent_as_two_sessions_become_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        as_before(before)
        office.send(book(office, 2, DAY, "20/02/2026"))
        assert {*refs(office)} == {"2026-02-20", "20/02/2026"}
    office.send(book(office, 3, DAY, "20/02/2026"))
    assert [(kind, data["fact"]) for _, kind, data in office.said()] == [("fact.withdrawn.v1", "session/20/02/2026")]


def test_times_of_one_day_are_still_told_apart(office: Office) -> None:
    office.send(book(office, 2, datetime.combine(DAY, time(9, 30)), datetime.combine(DAY, time(14))))
    assert len(set(refs(office))) == 2
