"""Who works with an order, from a column of a table to the events: a code, never a name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.connect.test_days import Office
from tests.support.made.extracts import HEADINGS, order, taken, xlsx
from tests.support.platform import platform

TEAM = "caseload: {column: Team, codes: {Lerwick team: team-1}}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with platform() as server:
        yield Office(tmp_path, server, TEAM)


def book(office: Office, day: int, *orders: list[Any]) -> Path:
    rows = {"Orders": [[*HEADINGS, "Team"], *orders]}
    return taken(xlsx(office.folder / f"day{day}.xlsx", rows), day)


def teams(office: Office) -> list[tuple[str, str, str | None]]:
    said = [(event["subject"], event["type"].split(".", 2)[2], event.get("caseload")) for event in office.new]
    return sorted(said, key=str)


def test_every_fact_of_a_row_says_who_works_with_the_order(office: Office) -> None:
    office.send(
        book(office, 2, [*order("A1"), "team-3"], [*order("A2", First_contact=""), "Lerwick Team"], [*order("A3"), ""])
    )
    assert teams(office) == [
        ("A1", "contact.made.v1", "team-3"),
        ("A1", "order.imposed.v1", "team-3"),
        ("A2", "order.imposed.v1", "team-1"),
        ("A3", "contact.made.v1", None),
        ("A3", "order.imposed.v1", None),
    ]


def test_an_order_that_changes_hands_is_told_once_and_nothing_else_is_said_again(office: Office) -> None:
    office.send(book(office, 2, [*order("A1"), "team-3"], [*order("A2"), "team-3"]))
    changed = book(office, 3, [*order("A1"), "team-4"], [*order("A2"), "team-3"])
    office.send(changed)
    assert teams(office) == [("A1", "order.imposed.v1", "team-4")]
    office.send(changed)
    assert office.new == []


def test_a_name_is_refused_without_being_repeated_and_holds_nothing_back(office: Office) -> None:
    done = office.send(book(office, 2, [*order("A1"), "Magnus Tait"]), status=1)
    assert "Orders!K2: team is not a code with a digit in it" in done.stdout
    assert teams(office) == [("A1", "contact.made.v1", None), ("A1", "order.imposed.v1", None)]
    assert "Magnus" not in done.stdout + str(office.server.kept)
