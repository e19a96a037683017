"""One sender out of 32, and one that was only ever refused: through the workers of all services, nobody else is shown as anything."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.authorities import AUTHORITIES
from contracts.events import Topic
from contracts.topics import topic_of
from services.chassis.clock import FixedClock
from services.reporting.releases import publication
from tests.integration.test_as_of import NOW, Log, Platform, at_once
from tests.support.scenario import Sent

GLASGOW, ORKNEY, FIFE, SCOTLAND = "S12000049", "S12000023", "S12000047", "S92000003"
ARRIVED = datetime(2025, 6, 10, 12, tzinfo=UTC)
DATA = "indicators/orders_imposed/data"


def imposed(authority: str, subject: str, on: str, **changed: Any) -> Sent:
    data = {
        "imposed_on": on,
        "court_type": "sheriff_summary",
        "person_ref": f"person-of-{subject}-{authority}",
        "sex": "male",
        "age_at_imposition": 33,
        "ethnicity": "white",
        "employment": "employed",
        "fine_default": False,
        "outside_jurisdiction": False,
        "progress_review_ordered": False,
        "requirements": [{"kind": "supervision", "months": 12}],
    }
    event = {
        "specversion": "1.0",
        "id": subject,
        "source": f"/authorities/{authority}",
        "type": "scot.payback.order.imposed.v1",
        "subject": subject,
        "time": f"{on}T09:00:00Z",
        "data": data | changed,
    }
    return Sent(0, json.dumps(event).encode(), int(ARRIVED.timestamp() * 1000))


def numbered(*sent: Sent) -> list[Sent]:
    return [Sent(number, each.value, each.timestamp) for number, each in enumerate(sent)]


@pytest.fixture
def platform(migrated: Callable[[], str]) -> Iterator[Platform]:
    made = Platform(migrated())
    yield made
    made.close()


def tell_of_one(platform: Platform) -> Platform:
    """Have Glasgow send orders of April and June; the only event of Orkney is refused."""
    glasgow = [imposed(GLASGOW, f"a{n}", "2025-04-09") for n in range(20)]
    told: Log = {
        topic_of(Topic.ORDERS, GLASGOW): numbered(*glasgow, imposed(GLASGOW, "b", "2025-06-02")),
        topic_of(Topic.ORDERS, ORKNEY): numbered(imposed(ORKNEY, "a", "2025-04-09", sex="unheard of")),
    }
    platform.take(told, at_once)
    return platform


@pytest.fixture(scope="module")
def one_sender(migrated: Callable[[], str]) -> Iterator[Platform]:
    """Yield a platform that heard of one sender, for those who only read."""
    made = Platform(migrated())
    yield tell_of_one(made)
    made.close()


def rows(platform: Platform, **asked: str) -> dict[tuple[str, str], float | None]:
    found = platform.ask(DATA, **asked)["rows"]
    assert not any(row["suppressed"] for row in found)
    return {(row["authority"], row["period"]): row["numerator"] for row in found}


def test_on_an_empty_platform_nobody_reported_anything(platform: Platform) -> None:
    platform.take({}, lambda _: iter(()))
    found = rows(platform, **{"by": "authority,month", "from": "2025-04", "to": "2025-06"})
    assert len(found) == 33 * 3
    assert set(found.values()) == {None}
    assert platform.ask("positions")["services"] == []
    quality = platform.ask("quality")
    assert sorted(quality["summary"]["missing"]) == sorted(AUTHORITIES)
    assert {each["heard_on"] for each in quality["authorities"]} == {None}


def test_one_sender_is_the_only_one_with_figures(one_sender: Platform) -> None:
    found = rows(one_sender, **{"by": "authority", "from": "2025-04", "to": "2025-04"})
    assert {area: number for (area, _), number in found.items() if number is not None} == {GLASGOW: 20, SCOTLAND: 20}
    quality = one_sender.ask(DATA, **{"by": "authority", "from": "2025-04", "to": "2025-04"})["quality"]
    assert sorted([*quality["missing"], GLASGOW]) == sorted(AUTHORITIES)
    assert [each["period"] for each in quality["lacking"]] == ["2025-04"]
    assert sorted([*quality["lacking"][0]["authorities"], GLASGOW]) == sorted(AUTHORITIES)


def test_months_before_the_first_and_behind_the_last_are_not_reported(one_sender: Platform) -> None:
    found = rows(one_sender, **{"by": "month", "authority": GLASGOW, "from": "2025-02", "to": "2026-02"})
    told = {period: number for (_, period), number in found.items() if number is not None}
    assert told == {"2025-04": 20, "2025-05": 0, "2025-06": 1}, "May was covered, and nothing was imposed in it"
    assert rows(one_sender, **{"from": "2019-11", "to": "2019-11"}) == {(SCOTLAND, "2019-11"): None}


def test_only_who_was_heard_has_a_time_of_it(one_sender: Platform) -> None:
    heard = {each["authority"]: each["heard_at"] for each in one_sender.ask("positions")["services"]}
    assert heard == {GLASGOW: "2025-06-10T12:00:00Z"}
    assert one_sender.ask("positions")["positions"][f"orders.events.{ORKNEY}/0"] == 0, "what was refused was read"
    standing = {each["authority"]: each for each in one_sender.ask("quality", month="2025-04")["authorities"]}
    assert standing[GLASGOW]["heard_on"] == "2025-06-10"
    assert "2000-01-01" not in json.dumps(standing)


def test_who_was_only_ever_refused_is_not_complete(one_sender: Platform) -> None:
    for month in ("2025-04", "2025-05", "2025-06"):
        summary = one_sender.ask("quality", month=month)["summary"]
        assert ORKNEY in summary["missing"], month
    assert one_sender.ask("quality", month="2025-06")["summary"]["doubts"][ORKNEY] == ["refused"]


def test_a_release_and_its_pages_and_files_say_the_same(platform: Platform) -> None:
    clock, database = FixedClock(NOW), tell_of_one(platform).database
    name = publication.make(database, date(2025, 5, 1), date(2025, 6, 20), clock)
    publication.publish(database, name, clock)
    public = platform.public
    asked = {"by": "authority,month", "from": "2025-03", "to": "2025-06"}
    answer = public.get(f"/v1/{DATA}", params=asked).raise_for_status().json()
    shown = {(row["authority"], row["period"]): row for row in answer["rows"]}
    assert {area for (area, _), row in shown.items() if row["numerator"] is not None or row["suppressed"]} == {
        GLASGOW,
        SCOTLAND,
    }
    assert shown[SCOTLAND, "2025-04"]["numerator"] == 20
    assert (shown[GLASGOW, "2025-04"]["numerator"], shown[GLASGOW, "2025-04"]["suppressed"]) == (None, True)
    assert (shown[GLASGOW, "2025-03"]["numerator"], shown[GLASGOW, "2025-03"]["suppressed"]) == (None, False)
    csv = public.get(f"/v1/{DATA}.csv", params=asked).text.splitlines()
    assert {line.split(",")[0] for line in csv[1:] if line.split(",")[3]} == {SCOTLAND}
    month = public.get("/v1/quality").json()
    assert month["month"] == "2025-05"
    assert sorted([*month["summary"]["missing"], GLASGOW]) == sorted(AUTHORITIES)
    words = "0 of 32 authorities complete, 1 may lack something, 31 not reported."
    for page in ("/?period=month-2025-05", "/quality"):
        assert words in public.get(page).text, page
    assert "Not reported. Reports" in public.get(f"/indicators/orders_imposed?period=month-2025-05&area={FIFE}").text
    assert (
        "Totals leave out 31 authorities, which have not reported: Aberdeen City, "
        in public.get("/?period=month-2025-05").text
    )
    silent = public.get(f"/authorities/{FIFE}?period=month-2025-05").text
    assert "Fife cannot be compared with Scotland in this period: nothing reported." in silent
    assert "Fife has not reported." in silent
    assert "likely to arrive" not in silent, "nothing can be said of who never sent anything"


WORK = {"requirements": [{"kind": "unpaid_work", "hours": 100}]}


def of_work(authority: str, subject: str, name: str, on: str, **data: Any) -> Sent:
    sent = json.loads(imposed(authority, subject, on).value or b"")
    event = sent | {"id": f"{name}-{subject}", "type": f"scot.payback.{name}.v1", "data": data}
    return Sent(0, json.dumps(event).encode(), int(ARRIVED.timestamp() * 1000))


@pytest.fixture
def two_systems(platform: Platform) -> Platform:
    """Return a platform that knows Glasgow's and Fife's orders from April on, and unpaid work of Glasgow's from June on, of an order of
    May.
    """
    orders = [
        numbered(*(imposed(code, f"a{n}", f"2025-0{4 + n % 2}-09", **WORK) for n in range(20)))
        for code in (GLASGOW, FIFE)
    ]
    held = of_work(GLASGOW, "a1", "induction.held", "2025-06-02", held_on="2025-06-02")
    told = dict(zip([topic_of(Topic.ORDERS, code) for code in (GLASGOW, FIFE)], orders, strict=True))
    platform.take(told | {topic_of(Topic.UNPAID_WORK, GLASGOW): numbered(held)}, at_once)
    return platform


def shares(platform: Platform, indicator: str, **asked: str) -> dict[tuple[str, str], tuple[float, float] | None]:
    found = platform.ask(f"indicators/{indicator}/data", **asked)["rows"]
    return {
        (row["authority"], row["period"]): None if row["numerator"] is None else (row["numerator"], row["denominator"])
        for row in found
    }


def test_unpaid_work_that_was_never_heard_is_not_overdue_but_not_reported(two_systems: Platform) -> None:
    asked = {"by": "authority,month", "from": "2025-04", "to": "2025-05"}
    found = shares(two_systems, "induction_within_5", **asked)
    assert {place: each for place, each in found.items() if each is not None} == {
        (GLASGOW, "2025-05"): (0, 10),
        (SCOTLAND, "2025-05"): (0, 10),
    }, "of April nothing was told, though its orders are known to be overdue"
    quality = two_systems.ask("indicators/induction_within_5/data", **asked)["quality"]
    assert {FIFE} <= set(quality["missing"])
    assert GLASGOW not in quality["missing"]
    assert {each["period"] for each in quality["lacking"] if GLASGOW in each["authorities"]} == {"2025-04"}
    assert {each["period"] for each in quality["lacking"] if FIFE in each["authorities"]} == {"2025-04", "2025-05"}


def test_what_is_known_of_orders_is_told_all_the_same(two_systems: Platform) -> None:
    asked = {"by": "authority", "from": "2025-04", "to": "2025-05"}
    found = rows(two_systems, **asked)
    assert {area: number for (area, _), number in found.items() if number is not None} == {
        GLASGOW: 20,
        FIFE: 20,
        SCOTLAND: 40,
    }
    quality = two_systems.ask(DATA, **asked)["quality"]
    assert not {GLASGOW, FIFE} & set(quality["missing"])
    assert {code: doubts[0] for code, doubts in quality["doubts"].items()}[FIFE] == "one_service"


def test_a_level_begins_with_what_was_there_when_an_authority_was_first_heard(two_systems: Platform) -> None:
    found = two_systems.ask(
        "indicators/hours_outstanding/data", **{"by": "authority,month", "from": "2025-04", "to": "2025-06"}
    )
    told = {(row["authority"], row["period"]): row["value"] for row in found["rows"] if row["value"] is not None}
    hours = 20 * 100
    assert told == {(area, f"2025-0{month}"): hours for area in (GLASGOW, SCOTLAND) for month in (5, 6)}


def test_a_release_holds_nothing_that_was_only_overheard(two_systems: Platform) -> None:
    clock = FixedClock(NOW)
    name = publication.make(two_systems.database, date(2025, 5, 1), date(2025, 6, 20), clock)
    publication.publish(two_systems.database, name, clock)
    asked = {"by": "authority,month", "from": "2025-04", "to": "2025-05", "release": name}
    answer = two_systems.ask("indicators/induction_within_5/data", **asked)
    found = {(row["authority"], row["period"]): row["denominator"] for row in answer["rows"]}
    assert {place: each for place, each in found.items() if each} == {
        (GLASGOW, "2025-05"): 10,
        (SCOTLAND, "2025-05"): 10,
    }
    assert found[FIFE, "2025-05"] is None
    assert {FIFE} <= set(answer["quality"]["missing"])
