"""Two mappings of one authority in one folder: each counts its events by itself, and people are told of two keys."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli import command_line
from services.connect import home
from services.connect.home import home_of
from services.connect.mapping.model import SYSTEM
from services.connect.state import State
from tests.support.made.extracts import HEADINGS, mapping, order, taken, xlsx
from tests.support.platform import Platform, platform

payback = command_line(["services.connect.commands"])


@pytest.fixture
def server() -> Iterator[Platform]:
    with platform() as running:
        yield running


def send(path: Path, table: Path, server: Platform) -> Result:
    (path.parent / "token").write_text("secret")
    where = ["--orders", server.address, "--unpaid-work", server.address, "--token-file", str(path.parent / "token")]
    done = CliRunner().invoke(payback, ["connect", "send", str(path), str(table), *where, "--patience", "5"])
    assert done.exit_code == 0, done.output
    return done


def check(path: Path, table: Path) -> str:
    done = CliRunner().invoke(payback, ["connect", "check", str(path), str(table)])
    assert done.exit_code == 0, done.output
    return done.stdout


def book(folder: Path, day: int, *orders: list[Any]) -> Path:
    return taken(xlsx(folder / f"{orders[0][0]}-{day}.xlsx", {"Orders": [HEADINGS, *orders]}), day)


def several(server: Platform) -> list[tuple[str, int]]:
    """Return the numbers of a source that different events have."""
    ids: dict[tuple[str, int], set[str]] = {}
    for event in server.kept:
        ids.setdefault((event["source"], event["sequence"]), set()).add(event["id"])
    return [number for number, found in ids.items() if len(found) > 1]


def test_each_mapping_has_a_source_of_its_own_that_stays(tmp_path: Path, server: Platform) -> None:
    one, other = mapping(tmp_path / "mainland.yaml"), mapping(tmp_path / "isles.yaml")
    for day in (2, 3, 4):
        send(one, book(tmp_path, day, order("A1", Hours=40 + day)), server)
        send(other, book(tmp_path, day, order("B1", Hours=60 + day)), server)
    sources = {order: {e["source"] for e in server.kept if e["subject"] == order} for order in ("A1", "B1")}
    assert [len(found) for found in sources.values()] == [1, 1], "the source changed from day to day"
    assert sources["A1"] != sources["B1"]
    assert several(server) == []
    assert not any("isles" in source or "mainland" in source for found in sources.values() for source in found)


def test_mappings_that_share_a_key_have_sources_of_their_own_all_the_same(tmp_path: Path, server: Platform) -> None:
    one, other = mapping(tmp_path / "mainland.yaml"), mapping(tmp_path / "isles.yaml")
    send(one, book(tmp_path, 2, order("A1")), server)
    home_of(other).folder.mkdir()
    shutil.copy(home_of(one).key, home_of(other).key)
    done = send(other, book(tmp_path, 2, order("B1")), server)
    assert "count" not in done.output.partition("Read")[0]
    assert several(server) == []
    people = {event["data"]["person_ref"] for event in server.kept if "person_ref" in event["data"]}
    assert len(people) == 1


def test_a_state_that_sent_before_keeps_its_source(tmp_path: Path, server: Platform) -> None:
    """Or everything would be sent again under another name, and its numbers would begin anew."""
    path = mapping(tmp_path / "orders.yaml")
    send(path, book(tmp_path, 2, order("A1")), server)
    with closing(State(home_of(path).state)) as state, state.transaction():
        state._run("DELETE FROM notes WHERE name = 'system'")
    before = len(server.kept)
    send(path, book(tmp_path, 2, order("A1")), server)
    assert len(server.kept) == before
    send(path, book(tmp_path, 3, order("A1", Hours=120)), server)
    assert {e["source"] for e in server.kept[before:]} == {"/authorities/S12000027/systems/connect"}


def test_two_states_that_share_a_source_part_and_send_nothing_again(
    tmp_path: Path, server: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = mapping(tmp_path / "mainland.yaml"), mapping(tmp_path / "isles.yaml")
    with monkeypatch.context() as before_there_were_names:
        before_there_were_names.setattr(home, "_own_system", lambda *_: SYSTEM)
        for day in (2, 3):
            send(one, book(tmp_path, day, order("A1", Hours=40 + day)), server)
            send(other, book(tmp_path, day, order("B1", Hours=60 + day)), server)
    for path in (one, other):
        with closing(State(home_of(path).state)) as state, state.transaction():
            state._run("DELETE FROM notes WHERE name = 'system'")
    twice, sent = several(server), len(server.kept)
    assert twice
    told = [send(path, book(tmp_path, 3, order(ref)), server).output for path, ref in ((one, "A1"), (other, "B1"))]
    assert all("sent under one source" in each for each in told)
    assert len(server.kept) == sent + 2, "each has changed hours, and nothing is sent again"
    for day in (4, 5):
        for path, ref in ((one, "A1"), (other, "B1")):
            done = send(path, book(tmp_path, day, order(ref, Hours=100 + day)), server)
            assert "one source" not in done.output, "it is told once"
    assert several(server) == twice
    later = {(event["subject"], event["source"]) for event in server.kept[sent:] if event["subject"] != "-"}
    assert len(later) == 2
    assert not any(source.endswith("/connect") for _, source in later)


def test_a_mapping_that_names_its_source_keeps_it_beside_an_old_state(tmp_path: Path, server: Platform) -> None:
    one, other = mapping(tmp_path / "mainland.yaml"), mapping(tmp_path / "isles.yaml")
    other.write_text(other.read_text().replace("tables:", "system: isles\ntables:"))
    for path, ref in ((one, "A1"), (other, "B1")):
        send(path, book(tmp_path, 2, order(ref)), server)
        with closing(State(home_of(path).state)) as state, state.transaction():
            state._run("DELETE FROM notes WHERE name = 'system'")
    for path, ref in ((one, "A1"), (other, "B1")):
        assert "one source" not in send(path, book(tmp_path, 3, order(ref, Hours=90)), server).output
    assert {event["source"].rpartition("/")[2] for event in server.kept[-4:]} == {"connect", "isles"}


def test_a_second_mapping_with_a_key_of_its_own_is_warned_of_before_it_sends(tmp_path: Path, server: Platform) -> None:
    one, other = mapping(tmp_path / "mainland.yaml"), mapping(tmp_path / "isles.yaml")
    alone = check(one, book(tmp_path, 2, order("A1")))
    send(one, book(tmp_path, 2, order("A1")), server)
    told = check(other, book(tmp_path, 2, order("B1")))
    assert "counts as two" not in alone
    assert "would count as two" in told
    assert "copy mainland.connect/key into it" in told
    done = send(other, book(tmp_path, 2, order("B1")), server)
    assert "a person who is in the tables of both counts as two" in " ".join(done.output.split())
    assert "as two" not in send(other, book(tmp_path, 3, order("B1", Hours=120)), server).output, "it is told once"


def test_a_mapping_without_people_needs_no_key(tmp_path: Path, server: Platform) -> None:
    send(mapping(tmp_path / "register.yaml"), book(tmp_path, 2, order("A1")), server)
    other = tmp_path / "contacts.yaml"
    other.write_text(
        "authority: S12000027\ntables: [{sheet: Orders, order: Ref, states: {contact.made: {made_on: First contact}}}]"
    )
    assert "as two" not in check(other, book(tmp_path, 2, order("B1")))
