"""Day after day of full extracts: the events that must come out, once each, with what they say and when."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli import command_line
from tests.support.made.extracts import HEADINGS, SESSIONS, mapping, order, taken, xlsx
from tests.support.platform import Platform, platform

payback = command_line(["services.connect.commands"])
SESSION_HEADINGS = ["Ref", "Session", "Day", "Attendance", "Hours"]


@pytest.fixture
def server() -> Iterator[Platform]:
    with platform() as running:
        yield running


class Office:
    """One authority with one mapping."""

    def __init__(
        self, folder: Path, server: Platform, more: str = "vanished: report", sessions: str | None = None
    ) -> None:
        self.folder, self.server = folder, server
        self.mapping = mapping(folder / "orders.yaml", more, sessions)
        (folder / "token").write_text("secret")

    def book(self, day: int, *orders: list[Any], sessions: list[list[Any]] | None = None, name: str = "") -> Path:
        sheets = {"Orders": [HEADINGS, *orders]}
        if sessions is not None:
            sheets["Sessions"] = [SESSION_HEADINGS, *sessions]
        return taken(xlsx(self.folder / (name or f"day{day}.xlsx"), sheets), day)

    def send(self, *files: Path, status: int = 0, options: tuple[str, ...] = ()) -> Result:
        before = len(self.server.kept)
        where = ["--orders", self.server.address, "--unpaid-work", self.server.address]
        where += ["--token-file", str(self.folder / "token"), "--patience", "5", *options]
        done = CliRunner().invoke(payback, ["connect", "send", str(self.mapping), *map(str, files), *where])
        assert done.exit_code == status, done.output
        self.new = [event for event in self.server.kept[before:] if event["subject"] != "-"]
        self.beats = [event for event in self.server.kept[before:] if event["subject"] == "-"]
        return done

    def said(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return subject, type and data of the events of the last sending, in order of subject and type."""
        found = [(event["subject"], event["type"].split(".", 2)[2], event["data"]) for event in self.new]
        return sorted(found, key=lambda one: (one[0], one[1], str(one[2])))


@pytest.fixture
def office(tmp_path: Path, server: Platform) -> Office:
    return Office(tmp_path, server)


def test_four_days(office: Office) -> None:
    first = office.book(2, order("A1"), order("A2", First_contact=""))
    office.send(first)
    assert [(subject, kind) for subject, kind, _ in office.said()] == [
        ("A1", "contact.made.v1"), ("A1", "order.imposed.v1"), ("A2", "order.imposed.v1"),
    ]  # fmt: skip
    assert {event["time"] for event in office.new} == {"2026-03-02T18:00:00Z"}
    imposed = office.said()[1][2]
    assert imposed["age_at_imposition"] == 35
    assert "dob" not in str(office.server.kept).lower()
    assert "1990" not in str([event["data"] for event in office.server.kept])

    second = office.book(3, order("A1"), order("A2", First_contact=date(2026, 3, 3)), order("A3"))
    office.send(second)
    assert [(subject, kind) for subject, kind, _ in office.said()] == [
        ("A2", "contact.made.v1"), ("A3", "contact.made.v1"), ("A3", "order.imposed.v1"),
    ]  # fmt: skip

    office.send(second)
    assert (office.said(), office.beats) == ([], [])

    office.send(office.book(4, order("A1", First_contact=date(2026, 2, 2)), order("A2", First_contact=""), order("A3")))
    assert office.said() == [
        ("A1", "contact.made.v1", {"made_on": "2026-02-02"}),
        ("A2", "fact.withdrawn.v1", {"fact": "first_contact"}),
    ]
    assert {event["time"] for event in office.new} == {"2026-03-04T18:00:00Z"}
    ids = [event["id"] for event in office.server.kept]
    assert len(set(ids)) == len(ids)
    assert [event["sequence"] for event in office.server.kept] == list(range(1, len(ids) + 1))


def test_a_quiet_day_is_told_from_silence(office: Office) -> None:
    office.send(office.book(2, order("A1")))
    office.send(office.book(3, order("A1")))
    assert office.said() == []
    assert [event["data"] for event in office.beats] == [{"nothing_to_report_since": "2026-03-03"}]


def test_a_wrong_code_waits_until_it_is_mended_and_nothing_else_does(office: Office) -> None:
    done = office.send(office.book(2, order("A1"), order("A2", Court="Lerwik")), status=1)
    assert "Orders!E3: court 'Lerwik' is not known; did you mean 'Lerwick Sheriff' (Sheriff summary)?" in done.stdout
    assert [(subject, kind) for subject, kind, _ in office.said()] == [
        ("A1", "contact.made.v1"), ("A1", "order.imposed.v1"), ("A2", "contact.made.v1"),
    ]  # fmt: skip
    again = office.send(office.book(3, order("A1"), order("A2", Court="Lerwik")), status=1)
    assert "Orders!E3" in again.stdout, "what is wrong is told every day"
    office.send(office.book(4, order("A1"), order("A2")))
    assert [(subject, kind) for subject, kind, _ in office.said()] == [("A2", "order.imposed.v1")]


def test_what_was_said_stands_while_its_row_is_wrong(office: Office) -> None:
    office.send(office.book(2, order("A1"), order("A2")))
    office.send(office.book(3, order("A1", Date_of_order="soon"), order("A2")), status=1)
    assert office.said() == []


def test_a_row_that_is_gone_is_reported_and_still_counts(office: Office) -> None:
    office.send(office.book(2, order("A1"), order("A2")))
    done = office.send(office.book(3, order("A1")))
    assert GONE in done.stdout.splitlines()
    assert office.said() == []
    office.send(office.book(4, order("A1"), order("A2", Hours=80)))
    assert [(subject, kind) for subject, kind, _ in office.said()] == [("A2", "order.imposed.v1")]


GONE = "Orders: the imposition and first contact of order A2 have gone; they still count."


def test_a_row_that_is_gone_is_reported_until_it_comes_back(office: Office) -> None:
    office.send(office.book(2, order("A1"), order("A2")))
    third = office.book(3, order("A1"))
    for book in (third, third, office.book(4, order("A1"), order("A3"))):
        lines = office.send(book).stdout.splitlines()
        assert lines.count(GONE) == 1
        assert any(line.startswith("2 facts gone from the tables still count. Put them back, or") for line in lines)
    done = office.send(office.book(5, order("A1"), order("A2"), order("A3")))
    assert "still count" not in done.stdout


def test_an_order_that_ended_and_left_the_table_is_reported_once(office: Office) -> None:
    office.send(office.book(2, order("A1"), order("A2", Ended=date(2026, 3, 1), Why_ended="completed")))
    ended = GONE.replace("and first contact", "first contact and the end").replace("imposition ", "imposition, ")
    assert ended in office.send(office.book(3, order("A1"))).stdout
    assert "still count" not in office.send(office.book(4, order("A1"))).stdout


def test_a_deleted_date_that_is_only_reported_is_reported_each_day(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server, "cleared: report")
    office.send(office.book(2, order("A1")))
    for day in (3, 4, 5):
        done = office.send(office.book(day, order("A1", First_contact="")))
        assert done.stdout.count("first contact of order A1 is now blank; it still counts.") == 1


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("withdraw", [("A2", "fact.withdrawn.v1", {"fact": key}) for key in ("first_contact", "imposed")]),
        ("{ended: other}", [("A2", "order.ended.v1", {"ended_on": "2026-03-03", "reason": "other"})]),
    ],
)
def test_a_mapping_that_is_changed_decides_on_rows_that_went_before(
    policy: str, said: list[Any], office: Office
) -> None:
    office.send(office.book(2, order("A1"), order("A2")))
    office.send(office.book(3, order("A1")))
    mapping(office.mapping, f"vanished: {policy}")
    done = office.send(office.book(5, order("A1")))
    assert office.said() == said
    assert "still count" not in done.stdout
    office.send(office.book(6, order("A1")))
    assert office.said() == []


def test_a_row_that_is_gone_is_taken_back_where_the_mapping_says_so(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server, "vanished: withdraw")
    office.send(office.book(2, order("A1"), order("A2")))
    day = office.book(3, order("A1"))
    tried = CliRunner().invoke(payback, ["connect", "check", str(office.mapping), str(day)])
    named = "ithdrawn of order A2, since no row states it any more: "
    assert f"Would be w{named}" in tried.stdout
    done = office.send(day)
    assert office.said() == [
        ("A2", "fact.withdrawn.v1", {"fact": "first_contact"}),
        ("A2", "fact.withdrawn.v1", {"fact": "imposed"}),
    ]
    assert (
        f"W{named}first contact and the imposition." in done.stdout
        or f"W{named}the imposition and first contact." in done.stdout
    )
    office.send(office.book(4, order("A1", Sex="F"), order("A2")))
    assert [(subject, kind) for subject, kind, _ in office.said()] == [
        ("A1", "order.imposed.v1"),
        ("A2", "contact.made.v1"),
        ("A2", "order.imposed.v1"),
    ]


def test_a_row_that_is_gone_ends_the_order_where_the_mapping_says_so(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server, "vanished: {ended: other}")
    office.send(office.book(2, order("A1"), order("A2")))
    done = office.send(office.book(3, order("A1")))
    assert office.said() == [("A2", "order.ended.v1", {"ended_on": "2026-03-03", "reason": "other"})]
    assert "Orders: order A2 has gone, which ends it." in done.stdout
    office.send(office.book(4, order("A1")))
    assert office.said() == []
    office.send(office.book(5, order("A1"), order("A2"), order("A3")))
    assert ("A2", "fact.withdrawn.v1", {"fact": "ended"}) in office.said()


def test_nothing_is_taken_for_gone_while_a_row_cannot_be_told(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server, "vanished: withdraw")
    office.send(office.book(2, order("A1"), order("A2")))
    office.send(office.book(3, order("A1"), order("")), status=1)
    assert office.said() == []


def test_a_file_that_lost_most_of_its_rows_is_not_believed(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server, "vanished: withdraw")
    office.send(office.book(2, *[order(f"A{n}") for n in range(40)]))
    half = office.book(3, *[order(f"A{n}") for n in range(20)])
    done = office.send(half, status=2)
    assert "Perhaps the file is incomplete" in done.stderr
    assert office.said() == []
    office.send(half, options=("--let-vanish",))
    assert len(office.said()) == 40


def test_extracts_out_of_order(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server, "vanished: withdraw")
    first = office.book(2, order("A1"), order("A2"), order("A9"))
    second = office.book(3, order("A1", Hours=80), order("A2"))
    office.send(second)
    office.send(first)
    assert [(subject, kind) for subject, kind, _ in office.said()] == [
        ("A9", "contact.made.v1"), ("A9", "fact.withdrawn.v1"), ("A9", "fact.withdrawn.v1"), ("A9", "order.imposed.v1"),
    ]  # fmt: skip
    times = {(event["type"], event["time"]) for event in office.new}
    assert ("scot.payback.order.imposed.v1", "2026-03-02T18:00:00Z") in times
    assert ("scot.payback.fact.withdrawn.v1", "2026-03-03T18:00:00Z") in times
    office.send(first)
    office.send(second)
    assert office.said() == []


def test_an_old_content_under_a_new_date_is_asked_about(office: Office) -> None:
    office.send(office.book(2, order("A1"), name="a.xlsx"))
    old = (office.folder / "a.xlsx").read_bytes()
    office.send(office.book(3, order("A1", Hours=80)))
    (office.folder / "b.xlsx").write_bytes(old)
    again = taken(office.folder / "b.xlsx", 4)
    done = office.send(again, status=2)
    assert "give the time when this file was taken as --taken" in done.stderr
    office.send(again, options=("--taken", "2026-03-04T18:00:00"))
    assert [data["requirements"] for _, _, data in office.said()] == [[{"kind": "unpaid_work", "hours": 100}]]


def test_two_statements_of_one_fact_are_a_fault_of_both(office: Office) -> None:
    done = office.send(office.book(2, order("A1"), order("A1", Hours=80)), status=1)
    assert "Orders, row 2 and Orders, row 3: the imposition of order A1 is stated in more than one way" in done.stdout
    assert [(subject, kind) for subject, kind, _ in office.said()] == [("A1", "contact.made.v1")]


def test_a_second_statement_on_a_later_day_is_a_fault_too(office: Office) -> None:
    office.send(office.book(2, order("A1")))
    office.send(office.book(3, order("A1"), order("A1", Hours=80)), status=1)
    assert office.said() == []


def test_sheets_of_events(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server, "vanished: report", sessions="vanished: withdraw")
    day = date(2026, 3, 1)
    done = ["A1", "s1", day, "Attended", 3.5]
    office.send(office.book(2, order("A1"), sessions=[done, ["A1", "s2", day, "DNA", ""]]))
    minutes = {
        data["ref"]: data["minutes_credited"] for _, kind, data in office.said() if kind == "session.recorded.v1"
    }
    assert minutes == {"s1": 210, "s2": 0}
    office.send(office.book(3, order("A1"), sessions=[["A1", "s1", day, "Attended", 4]]))
    assert office.said() == [
        ("A1", "fact.withdrawn.v1", {"fact": "session/s2"}),
        ("A1", "session.recorded.v1", office.said()[1][2] | {"minutes_credited": 240}),
    ]
    office.send(office.book(4, order("A1"), sessions=[["A1", "s1", day, "DNA", 4]]), status=1)
    assert office.said() == []


WORK = date(2026, 3, 1)


def session(ref: str, number: str) -> list[Any]:
    return [ref, number, WORK, "Attended", 3.5]


def strange(done: Result) -> list[str]:
    return [line for line in done.stdout.splitlines() if "was never sent" in line]


@pytest.fixture
def squad(tmp_path: Path, server: Platform) -> Office:
    return Office(tmp_path, server, "vanished: withdraw", sessions="vanished: withdraw")


def test_a_row_about_an_order_that_nobody_knows_is_named_until_it_is_corrected(squad: Office) -> None:
    sessions = [session("CPO/12", "s1"), session("CP0/21", "s2"), session("CP0/21", "s3"), session("Q", "s4")]
    book = squad.book(2, order("CPO/12"), order("CPO/0021"), sessions=sessions)
    told = [
        "Sessions!A3, A4: order 'CP0/21' is not in Orders and was never sent; did you mean 'CPO/0021'?",
        "Sessions!A5: order 'Q' is not in Orders and was never sent",
    ]
    checked = CliRunner().invoke(payback, ["connect", "check", str(squad.mapping), str(book)])
    assert strange(checked) == told
    done = squad.send(book)
    assert strange(done) == told
    assert "3 rows name an order that is not known. What is said of it is sent all the same." in done.stdout
    assert {data["ref"] for _, kind, data in squad.said() if kind.startswith("session")} == {"s1", "s2", "s3", "s4"}
    assert strange(squad.send(squad.book(3, order("CPO/12"), order("CPO/0021"), sessions=sessions))) == told
    assert squad.said() == []
    mended = [session("CPO/12", "s1"), session("CPO/0021", "s2"), session("CPO/0021", "s3")]
    assert strange(squad.send(squad.book(4, order("CPO/12"), order("CPO/0021"), sessions=mended))) == []


def test_an_order_that_cannot_be_read_or_was_sent_before_is_known(squad: Office) -> None:
    refused = order("A2", Court="Lerwik")
    sessions = [session("A1", "s1"), session("A2", "s2")]
    assert strange(squad.send(squad.book(2, order("A1"), refused, sessions=sessions), status=1)) == []
    alone = taken(xlsx(squad.folder / "day3.xlsx", {"Sessions": [SESSION_HEADINGS, *sessions, session("A3", "s3")]}), 3)
    assert strange(squad.send(alone)) == [
        "Sessions!A4: order 'A3' is not in Orders and was never sent; did you mean 'A1' or 'A2'?"
    ]


def test_a_row_that_cannot_be_read_names_its_order_all_the_same(squad: Office) -> None:
    wrong = ["CP0/12", "s1", WORK, "Perhaps", 3]
    done = squad.send(squad.book(2, order("CPO/12"), sessions=[wrong]), status=1)
    assert "Sessions!D2: attendance 'Perhaps' is not known" in done.stdout
    assert strange(done) == ["Sessions!A2: order 'CP0/12' is not in Orders and was never sent; did you mean 'CPO/12'?"]


def test_what_was_sent_about_an_order_that_is_taken_back_is_named_from_the_next_time(squad: Office) -> None:
    sessions = [session("A1", "s1")]
    squad.send(squad.book(2, order("A1"), order("B2"), sessions=sessions))
    squad.send(squad.book(3, order("B2"), sessions=sessions))
    assert strange(squad.send(squad.book(4, order("B2"), sessions=sessions))) == [
        "Sessions!A2: order 'A1' is not in Orders and was never sent"
    ]


def test_where_no_table_states_orders_none_is_missed(tmp_path: Path, server: Platform) -> None:
    office = Office(tmp_path, server)
    office.mapping.write_text("authority: S12000027\ntables:" + SESSIONS.format(more="vanished: report"))
    done = office.send(office.book(2, sessions=[session("A1", "s1")]))
    assert (strange(done), len(office.said())) == ([], 1)


def test_the_platform_is_away_and_nothing_is_lost(tmp_path: Path) -> None:
    with platform(*[503] * 50) as away:
        office = Office(tmp_path, away)
        done = office.send(office.book(2, order("A1")), status=2, options=("--patience", "0.1"))
        assert "Nothing is lost" in done.stderr
    with platform() as back:
        office.server = back
        office.send(office.folder / "day2.xlsx")
        assert len(office.said()) == 2


def test_what_the_platform_refuses_is_told_where_it_stands_and_sent_again_once_mended(
    tmp_path: Path, server: Platform
) -> None:
    office = Office(tmp_path, server)
    done = office.send(office.book(2, order("A1"), order("bad1")), status=1)
    assert "Orders, row 3: the platform refused it: reason: " in done.stdout
    again = office.send(office.folder / "day2.xlsx", status=1)
    assert "Orders, row 3: the platform refused it" in again.stdout, "it is told again until somebody mends it"
    ended = order("bad2", Ended=date(2026, 2, 20), Why_ended="Completed")
    told = office.send(office.book(3, order("A1"), order("A2"), ended), status=1)
    assert "Orders!J4: the platform refused it: reason: not a code of the list. Use a code." in told.stdout


def test_a_sign_of_life_is_no_event(office: Office) -> None:
    done = office.send(office.book(2, order("A1")))
    assert "2 events to send, and a sign of life:" in done.stdout
    assert "2 events and a sign of life accepted, 0 refused by the platform." in done.stdout
    again = office.send(office.book(3, order("A1")))
    assert "0 events and a sign of life accepted, 0 refused by the platform." in again.stdout


def test_the_key_is_made_once_and_asked_for_when_it_is_gone(office: Office) -> None:
    done = office.send(office.book(2, order("A1")))
    key = office.folder / "orders.connect" / "key"
    assert f"A key was made in {key}" in done.stdout
    assert "Back up the folder" in done.stdout
    assert key.stat().st_mode & 0o777 == 0o600
    assert "A key was made" not in office.send(office.book(3, order("A1"))).stdout
    kept = key.read_text()
    key.unlink()
    assert "Restore it from your backup" in office.send(office.book(4, order("A1")), status=2).stderr
    key.write_text("00" * 32)
    assert "is not the key" in office.send(office.book(4, order("A1")), status=2).stderr
    key.write_text(kept)
    office.send(office.book(4, order("A1")))


def test_check_changes_nothing(office: Office) -> None:
    file = office.book(2, order("A1"))
    before = sorted(path.name for path in office.folder.iterdir())
    done = CliRunner().invoke(payback, ["connect", "check", str(office.mapping), str(file)])
    assert done.exit_code == 0
    assert "2 events would be sent, and a sign of life:" in done.stdout
    assert sorted(path.name for path in office.folder.iterdir()) == before


def test_the_short_form_sends(office: Office) -> None:
    office.mapping.write_text(
        office.mapping.read_text()
        + f"platform: {{orders: '{office.server.address}', unpaid_work: '{office.server.address}', token_file: token}}\n"
    )
    done = CliRunner().invoke(payback, ["connect", str(office.mapping), str(office.book(2, order("A1")))])
    assert done.exit_code == 0, done.output
    assert len(office.server.kept) == 3
    assert datetime.fromisoformat(office.server.kept[0]["time"]) == datetime(2026, 3, 2, 18, tzinfo=UTC)
