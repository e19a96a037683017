"""Releases: frozen, public, and with what moved."""

from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from services.chassis.api.auth import Identity
from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.settings import DatabaseSettings
from services.reporting.releases import index, publication
from services.reporting.releases.calendar import CannotRelease
from tests.integration.reporting.conftest import NOW, Feed, cell, position

GLASGOW, FIFE, EDINBURGH, ORKNEY = "S12000049", "S12000047", "S12000036", "S12000023"
SCOTLAND = "S92000003"
MARCH = date(2026, 3, 1)
KNOWN_ON = date(2026, 5, 9)
SEX = {GLASGOW: (170, 30), FIFE: (80, 20), EDINBURGH: (90, 25), ORKNEY: (6, 2)}
NATIONAL = Identity("analyst", frozenset({"national:read"}))
Headers = dict[str, str]


@pytest.fixture
def figures(feed: Feed) -> None:
    feed([position(code, service=service) for code in SEX for service in ("orders", "unpaid_work")])
    for month in ("2026-02", "2026-03"):
        for code, (men, women) in SEX.items():
            feed(
                [
                    cell("orders_imposed", code, month, "", men + women),
                    cell("orders_imposed", code, month, "sex=male", men),
                    cell("orders_imposed", code, month, "sex=female", women),
                ]
            )


def publish(database: Engine, clock: FixedClock) -> str:
    name = publication.make(database, MARCH, KNOWN_ON, clock)
    publication.publish(database, name, clock)
    clock.move(timedelta(hours=1))
    return name


def by_sex(client: TestClient, headers: Headers | None = None, **more: str) -> dict[tuple[str, str], float | None]:
    parameters = {"by": "authority,sex", "from": "2026-03", "to": "2026-03"} | more
    answer = client.get("/v1/indicators/orders_imposed/data", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return {(row["authority"], row["category"].removeprefix("sex=")): row["value"] for row in answer.json()["rows"]}


@pytest.mark.usefixtures("figures")
def test_the_public_sees_a_release_without_small_numbers(
    client: TestClient, database: Engine, glasgow: Headers, national: Headers
) -> None:
    publish(database, FixedClock(NOW))
    public = by_sex(client)
    assert {value for (code, _), value in public.items() if code != SCOTLAND} == {None}, "categories are told by year"
    assert public[SCOTLAND, "female"] in range(65, 95, 5)
    assert by_sex(client, national)[ORKNEY, "female"] == 2
    own = by_sex(client, glasgow)
    assert own[GLASGOW, "female"] == 30
    assert own[ORKNEY, "female"] is None


@pytest.mark.usefixtures("figures")
def test_a_release_never_changes(client: TestClient, database: Engine, feed: Feed) -> None:
    clock = FixedClock(NOW)
    name = publish(database, clock)
    before = by_sex(client)
    feed([cell("orders_imposed", GLASGOW, "2026-03", "sex=male", 180, "2026-05-09", version=9)])
    assert by_sex(client) == before
    second = publication.make(database, MARCH, KNOWN_ON, clock)
    assert second == "2026-03.2"
    assert by_sex(client) == before
    assert client.get("/v1/indicators/orders_imposed/data?release=2026-03.2").status_code == 404
    publication.publish(database, second, clock)
    assert by_sex(client, release=name) == before
    changes = client.get(f"/v1/releases/{second}/changes/cells").json()["changes"]
    assert [(c["category"], c["why"]) for c in changes] == [("sex=male", "late")]


@pytest.mark.usefixtures("figures")
def test_the_same_figures_have_the_same_hash(database: Engine, client: TestClient, national: Headers) -> None:
    clock = FixedClock(NOW)
    publication.make(database, MARCH, KNOWN_ON, clock)
    publication.make(database, MARCH, KNOWN_ON, clock)
    found = client.get("/v1/releases", headers=national).json()["releases"]
    assert len({release["content_hash"] for release in found}) == 1
    assert [release["status"] for release in found] == ["draft", "draft"]
    assert client.get("/v1/releases").json()["releases"] == []


@pytest.mark.usefixtures("figures")
def test_a_withdrawn_release_is_listed_and_not_served(client: TestClient, database: Engine) -> None:
    clock = FixedClock(NOW)
    name = publish(database, clock)
    publication.withdraw(database, name, clock, "An authority sent the wrong year")
    assert client.get("/v1/indicators/orders_imposed/data").status_code == 404
    listed = client.get("/v1/releases").json()["releases"]
    assert [(r["status"], r["note"]) for r in listed] == [("withdrawn", "An authority sent the wrong year")]


@pytest.mark.usefixtures("figures")
def test_a_release_is_compared_with_the_last_that_stood_when_it_was_made(database: Engine) -> None:
    clock = FixedClock(NOW)
    first, second = publish(database, clock), publish(database, clock)
    publication.withdraw(database, second, clock, "An authority sent the wrong year")
    clock.move(timedelta(hours=1))
    third = publish(database, clock)
    publication.withdraw(database, first, clock, "It was withdrawn too late for the third")
    with transaction(database) as connection:
        found = {each.id: each for each in index.all_releases(connection, NATIONAL)}
        before = {name: index.release_before(connection, found[name]) for name in (first, second, third)}
    assert {name: each and each.id for name, each in before.items()} == {first: None, second: first, third: first}


@pytest.mark.usefixtures("figures")
def test_a_draft_that_is_out_of_date_cannot_be_published(database: Engine) -> None:
    clock = FixedClock(NOW)
    first, second = (publication.make(database, MARCH, KNOWN_ON, clock) for _ in range(2))
    clock.move(timedelta(hours=1))
    publication.publish(database, first, clock)
    with pytest.raises(CannotRelease, match="made before the last publication"):
        publication.publish(database, second, clock)
    with pytest.raises(CannotRelease, match="is published, not draft"):
        publication.publish(database, first, clock)


def test_a_month_that_is_not_over_cannot_be_released(database: Engine) -> None:
    with pytest.raises(CannotRelease):
        publication.make(database, date(2026, 5, 1), KNOWN_ON, FixedClock(NOW))
    with pytest.raises(CannotRelease):
        publication.make(database, MARCH, date(2027, 1, 1), FixedClock(NOW))


def test_a_release_takes_a_day_that_is_over(database: Engine, feed: Feed) -> None:
    clock = FixedClock(NOW)
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 50, f"{NOW.date()}")])
    with pytest.raises(CannotRelease, match="a later day that is over"):
        publication.make(database, MARCH, NOW.date(), clock)
    assert publication.latest_day(database, clock) == NOW.date() - timedelta(days=1)


def test_on_the_first_day_of_all_there_is_only_that_day(database: Engine, feed_only: Feed) -> None:
    feed_only([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 50, f"{NOW.date()}")])
    clock = FixedClock(NOW)
    assert publication.latest_day(database, clock) == NOW.date()
    assert publication.make(database, MARCH, NOW.date(), clock) == "2026-03.1"


def test_a_release_takes_its_time_and_says_how_far_it_is(database_settings: DatabaseSettings, feed: Feed) -> None:
    """With a timeout that no statement of it would keep."""
    feed([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 50)])
    hurried = engine(database_settings.model_copy(update={"statement_timeout_seconds": 0.001}))
    heard: list[tuple[int, int, str]] = []
    publication.make(hurried, MARCH, KNOWN_ON, FixedClock(NOW), told=lambda *each: heard.append(each))
    hurried.dispose()
    assert [done for done, _, _ in heard] == list(range(heard[0][1]))


@pytest.mark.usefixtures("figures")
def test_of_single_authorities_the_public_gets_no_short_periods(
    client: TestClient, database: Engine, glasgow: Headers
) -> None:
    """An authority neither, of others; but Scotland is there for it as for all, and its own figures are."""
    publish(database, FixedClock(NOW))
    asked = "/v1/indicators/orders_imposed/data?from=2026-03&to=2026-03&by=authority"
    signed_in = {row["authority"]: row["value"] for row in client.get(asked, headers=glasgow).json()["rows"]}
    assert (signed_in[FIFE], signed_in[GLASGOW]) == (None, 200)
    assert signed_in[SCOTLAND]
    for months, told in (("2026-03", False), ("2026-02", False), ("2026-01", True)):
        asked = f"from={months}&to=2026-03&by=authority"
        rows = client.get(f"/v1/indicators/orders_imposed/data?{asked}").json()["rows"]
        found = {row["authority"]: row for row in rows}
        assert found[SCOTLAND]["value"] is not None
        assert (found[GLASGOW]["value"] is not None) is told
        assert (found[GLASGOW]["why"] == "not published for so short a period") is not told
