"""`payback release`: from a draft to a withdrawn release, and what it refuses."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from services.chassis.clock import FixedClock
from services.chassis.failures import Refused
from services.chassis.settings import DatabaseSettings
from services.operations.rights import audit
from services.reporting import commands
from tests.integration.reporting.conftest import NOW, Feed, cell, position

GLASGOW = "S12000049"


@pytest.fixture(autouse=True)
def _surroundings(database_settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables that an operator has in the environment, on a certain day."""
    monkeypatch.setenv("PAYBACK_DATABASE_URL", database_settings.url.get_secret_value())
    monkeypatch.setenv("PAYBACK_DATABASE_SCHEMA_NAME", database_settings.schema_name)
    monkeypatch.setattr(commands, "system_clock", FixedClock(NOW))


@pytest.fixture
def _figures(feed: Feed) -> None:
    feed([position(GLASGOW, service=service) for service in ("orders", "unpaid_work")])
    feed([cell("orders_imposed", GLASGOW, month, "", 300) for month in ("2026-02", "2026-03")])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.commands, ["release", *arguments])


def told(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.strip()


def listed() -> list[list[str]]:
    return [line.split("\t") for line in told("list").splitlines()]


@pytest.mark.usefixtures("_figures")
def test_a_release_is_made_published_and_withdrawn() -> None:
    assert listed() == []
    name = told("make", "--note", "The first")
    assert name == "2026-03.1", "the month before the last by default"
    ((shown, status, month, known_on, content_hash),) = listed()
    assert (shown, status, month, known_on) == (name, "draft", "2026-03", "2026-05-09"), "the last day that is over"
    assert len(content_hash) == 64
    told("publish", name)
    assert listed()[0][1] == "published"
    told("withdraw", name, "--note", "A wrong year")
    assert listed()[0][1] == "withdrawn"


@pytest.mark.usefixtures("_figures")
def test_it_is_announced_moved_held_and_let_go() -> None:
    told("announce", "2026-03", "2026-06-09")
    told("move", "2026-03", "2026-06-10", "--reason", "A late answer")
    assert [line.split("\t") for line in run("calendar").stdout.splitlines()] == [
        ["2026-03", "2026-06-09", "2026-05-10", ""],
        ["2026-03", "2026-06-10", "2026-05-10", "A late answer"],
    ]
    name = told("make")
    assert told("hold", name) == "2026-06-10T09:30:00+01:00"
    assert listed()[0][1] == "held"
    told("move", "2026-03", "2026-06-11", "--reason", "A later answer")
    told("let-go", name)
    assert listed()[0][1] == "draft"
    told("call-off", "2026-03", "--reason", "No answer")
    assert told("calendar").splitlines()[-1].split("\t")[1] == "called off"
    verified = CliRunner().invoke(audit.commands, ["audit", "verify"])
    assert verified.stdout.strip() == "reporting: 7 entries, none changed"


@pytest.mark.usefixtures("_figures")
def test_a_correction_names_what_was_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = told("make", "--publish")
    told("note", wrong, "--reason", "Look out")
    monkeypatch.setattr(commands, "system_clock", FixedClock(NOW + timedelta(hours=1)))
    right = told("make")
    assert run("publish", right, "--corrects", wrong).exit_code == 2
    told("publish", right, "--corrects", wrong, "--reason", "A wrong year")
    assert [row[:2] for row in listed()] == [[right, "published"], [wrong, "published"]]


@pytest.mark.usefixtures("_figures")
def test_it_is_published_at_once_if_told_so_and_known_on_the_day_given() -> None:
    name = told("make", "--month", "2026-02", "--known-on", "2026-04-30", "--publish")
    assert [row[:4] for row in listed()] == [[name, "published", "2026-02", "2026-04-30"]]


@pytest.mark.usefixtures("_figures")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("publish", "2026-03.9"), "There is no release"),
        (("withdraw", "2026-03.9", "--note", "x"), "There is no release"),
        (("make", "--month", "2026-05"), "whole months"),
        (("announce", "2026-03", "2026-05-12"), "four weeks ahead"),
        (("move", "2026-03", "2026-06-12", "--reason", "x"), "were not announced"),
        (("hold", "2026-03.9"), "There is no release"),
        (("make", "--known-on", "2027-01-01"), "a later day that is over"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, Refused)
    assert result.exception.exit_status == 3
    assert words in str(result.exception)
    assert listed() == []


@pytest.mark.parametrize(
    "arguments",
    [("make", "--month", "March"), ("make", "--known-on", "yesterday"), ("withdraw", "2026-03.1"), ("publish",)],
)
def test_what_does_not_parse_is_a_fault_of_the_command(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, (result.output, result.exception)


@pytest.mark.usefixtures("_figures")
def test_a_withdrawal_says_why(database: Engine) -> None:
    name = told("make", "--publish")
    assert run("withdraw", name).exit_code == 2
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT status FROM releases").scalar_one() == "published"
