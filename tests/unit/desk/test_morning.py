"""The morning e-mail and the calendar: counts and links, over a real mail server, and no order's reference that was not asked for."""

from collections.abc import Iterator
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from icalendar import Calendar

from deploy.local.process import free_ports
from services.chassis.failures import Refused
from services.desk.model.calendar import DueOrder, Dues, DuesOfDay
from services.desk.model.duties import NeverRecorded
from services.desk.model.hours import Capacity
from services.desk.morning import run_morning
from services.desk.settings import MorningSettings, SmtpSettings
from services.desk.today import Choice, merged
from services.desk.words.calendar import as_ical
from services.desk.words.digest import digest, week_of
from services.desk.words.mail import message, morning_of
from tests.unit.desk.test_today import AT_RISK, DAY, held, task

FIFE = "S12000047"
TASKS = [task("FIFE/1", -3), task("FIFE/2", 0), task("FIFE/3", 2)]


CAPACITY = Capacity(DAY, DAY, DAY, 13, 4, 200.0, 10.0, 12.0, {})


class Kept:
    """The messages that the mail server took."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(  # noqa: N802 - the name that the server calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        made = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.messages.append(made)
        return "250 kept"


@pytest.fixture
def server() -> Iterator[tuple[Kept, int]]:
    """Yield a real SMTP server on this machine."""
    kept = Kept()
    (port,) = free_ports(1)
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield kept, port
    controller.stop()


def answer_to(request: httpx.Request) -> httpx.Response:
    """Return the services' answer, by path."""
    assert request.headers["Authorization"] == "Bearer secret-token"
    assert request.url.params.get("limit", "0") == "0", "an e-mail of counts reads out no order"
    answers: dict[str, Any] = {
        "/v1/duties": held(TASKS if request.url.port == 1 else []),
        "/v1/at-risk": AT_RISK,
        "/v1/capacity": CAPACITY,
        "/v1/findings/counts": {"newly_since": DAY, "rules": [{"rule": "x", "meaning": "", "remedy": "", "number": 9, "newly": 4}]},
        "/v1/held": {
            **dict.fromkeys(("orders", "orders_open", "orders_ended", "orders_withdrawn", "orders_not_imposed"), 0),
            "events": {}, "rejected": {}, "rejected_open": 1, "last_heard_at": None,
        },
    }  # fmt: skip
    return httpx.Response(200, content=msgspec.json.encode(answers[request.url.path]))


def settings(tmp_path: Path, port: int, to: list[str]) -> MorningSettings:
    (tmp_path / "token").write_text("secret-token\n")
    recipients = tmp_path / "recipients.json"
    recipients.write_bytes(
        msgspec.json.encode({FIFE: {"to": to, "weekly": ["chief@fife.example"], "token_path": str(tmp_path / "token")}})
    )
    told = {"orders_url": "http://desk:1", "unpaid_work_url": "http://desk:2"}
    return MorningSettings.model_validate({
        "platform": told, "smtp": SmtpSettings(host="127.0.0.1", port=port, start_tls=False, sender="desk@fife.example"),
        "desk_url": "https://desk.example/", "recipients_path": recipients,
    })  # fmt: skip


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the services behind the desk answer as above."""
    client = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **kind: client(transport=httpx.MockTransport(answer_to), **kind))


@pytest.mark.usefixtures("services")
def test_everybody_named_gets_counts_and_links_and_no_reference(server: tuple[Kept, int], tmp_path: Path) -> None:
    kept, port = server
    assert run_morning(settings(tmp_path, port, ["mary@fife.example", "team@fife.example"])) == 0
    assert [made["To"] for made in kept.messages] == ["mary@fife.example", "team@fife.example"]
    made = kept.messages[0]
    assert made["Subject"] == "4 March: 1 overdue, 1 due today, 1 soon"
    said = made.get_content().replace("\r\n", "\n")
    assert "1 duty is overdue:\n  https://desk.example/?when=overdue" in said
    assert "8 records newly wrong:" in said
    assert "2 refused events to correct:" in said
    assert "FIFE/" not in made.as_string()
    assert "secret-token" not in made.as_string()


def test_what_is_never_recorded_is_a_line_of_its_own() -> None:
    never = NeverRecorded("completion", "Unpaid work completed", 12, 12)
    tasks = msgspec.structs.replace(held(TASKS), never_recorded=[never])
    said = message(
        morning_of("Fife", merged([tasks], AT_RISK, Choice()), 0, 0), "https://d", "a@b", "c@d"
    ).get_content()
    line = "No completion of unpaid work was ever recorded by this authority: 12 orders, 12 duties overdue"
    assert f"{line}:\n  https://d/?when=overdue&standard=completion\n" in said.replace("\r\n", "\n")


@pytest.mark.usefixtures("services")
def test_the_weekly_digest_goes_to_those_who_want_it(server: tuple[Kept, int], tmp_path: Path) -> None:
    kept, port = server
    assert run_morning(settings(tmp_path, port, []), weekly=True) == 0
    (made,) = kept.messages
    assert (made["To"], made["Subject"]) == ("chief@fife.example", "Week of 4 March: 1 overdue, 2 due")
    said = made.get_content().replace("\r\n", "\n")
    assert f"1 duty is overdue:\n  {TASKS[0].title}: 1\n  https://desk.example/?when=overdue" in said
    assert "the hours outstanding take 20 weeks" in said
    assert "8 records became wrong" in said
    assert "FIFE/" not in made.as_string()


def test_a_digest_says_nothing_of_what_need_not_be_corrected() -> None:
    today = merged([held(TASKS)], AT_RISK, Choice())
    for newly, refused in ((0, 0), (0, 1), (3, 0)):
        week = week_of(morning_of("Fife", today, newly, refused), today, CAPACITY)
        said = digest(week, "https://d", "a@b", "c@d").get_content()
        assert ("became wrong" in said) is bool(newly)
        assert ("to correct" in said) is bool(refused)


@pytest.mark.usefixtures("services")
def test_nobody_who_is_not_named_gets_anything(server: tuple[Kept, int], tmp_path: Path) -> None:
    kept, port = server
    assert run_morning(settings(tmp_path, port, [])) == 0
    assert kept.messages == []


@pytest.mark.usefixtures("services")
def test_a_server_that_is_away_is_told_by_the_exit_status(tmp_path: Path) -> None:
    assert run_morning(settings(tmp_path, 1, ["mary@fife.example"])) == 1


def test_it_is_off_until_somebody_is_named_and_a_wrong_file_is_refused(tmp_path: Path) -> None:
    assert run_morning(MorningSettings()) == 0
    for wrong in ("{", '{"S99": {"to": [], "token_path": "x"}}', '{"S12000047": {"to": []}}'):
        (tmp_path / "wrong.json").write_text(wrong)
        with pytest.raises(Refused):
            run_morning(MorningSettings(recipients_path=tmp_path / "wrong.json"))


def test_a_quiet_morning_says_so() -> None:
    made = message(
        morning_of("Fife", merged([held([])], AT_RISK, Choice()), 0, 0),
        "https://desk.example",
        "a@b.example",
        "c@d.example",
    )
    assert made["Subject"] == "4 March: nothing is overdue or due"
    assert "Nothing is overdue, due, or wrong." in made.get_content()


def test_a_calendar_has_one_event_a_day_under_the_same_id_each_time() -> None:
    tomorrow = DAY + timedelta(days=1)
    orders = Dues(DAY, 3, [DuesOfDay(DAY, "Plan", 2), DuesOfDay(tomorrow, "Plan", 1)])
    work = Dues(DAY, 0, [DuesOfDay(DAY, "First placement", 1)])
    written = as_ical([orders, work], "https://desk.example/")
    read = Calendar.from_ical(written)
    events = [(event.decoded("dtstart"), str(event["summary"]), str(event["uid"])) for event in read.walk("VEVENT")]
    assert events == [
        (DAY, "3 duties due", f"due-{DAY}@payback"),
        (tomorrow, "1 duty due", f"due-{tomorrow}@payback"),
    ]
    assert "First placement: 1" in str(read.walk("VEVENT")[0]["description"])
    assert written == as_ical([orders, work], "https://desk.example/")
    later = Dues(date(2026, 3, 5), 3, orders.days)
    assert [str(e["uid"]) for e in Calendar.from_ical(as_ical([later, work], "x")).walk("VEVENT")] == [
        uid for *_, uid in events
    ]


def test_a_calendar_names_orders_in_descriptions_only_and_only_if_both_services_do() -> None:
    orders = Dues(
        DAY, 3, [DuesOfDay(DAY, "Plan", 3)], [DueOrder(DAY, "Plan", "SH/1,a;b"), DueOrder(DAY, "Plan", "SH/2")]
    )
    work = Dues(DAY, 0, [DuesOfDay(DAY, "First placement", 1)], [DueOrder(DAY, "First placement", "SH/2")])
    [event] = Calendar.from_ical(as_ical([orders, work], "https://desk.example/")).walk("VEVENT")
    assert str(event["description"]) == "First placement: 1 (SH/2)\nPlan: 3 (SH/1,a;b, SH/2, 1 more)"
    assert "SH/" not in "".join(str(event[name]) for name in event if name != "DESCRIPTION")
    quiet = Dues(DAY, 0, work.days)
    assert b"SH/" not in as_ical([orders, quiet], "x"), "one of them was told first that it is taken back"
    assert as_ical([orders, quiet], "x") == as_ical([Dues(DAY, 3, orders.days), quiet], "x")
