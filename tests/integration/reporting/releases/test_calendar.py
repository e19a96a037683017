"""Announced, held, published at half past nine, corrected, withdrawn: on record, and nothing of it before its time."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from services.chassis.audit import store
from services.chassis.audit.model import WHOLE_SERVICE, faults
from services.chassis.clock import Clock, FixedClock
from services.chassis.database import transaction
from services.chassis.failures import Away
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, SiteSettings, TokenSettings
from services.reporting import publishing_held
from services.reporting.app import build
from services.reporting.figures.answers import Enquiry
from services.reporting.files import making as making_of_files
from services.reporting.files import store as store_of_files
from services.reporting.files.bundle import Before, File, Told
from services.reporting.files.store import listed, make_files
from services.reporting.publishing_held import OpeningMetrics, keep_opening
from services.reporting.read.tables import release_files
from services.reporting.releases import announcing, publication
from services.reporting.releases.calendar import CannotRelease
from services.reporting.releases.freezing import Frozen, write
from services.reporting.releases.index import ReleaseInfo, alone
from services.reporting.releases.publication import Correction
from services.reporting.settings import ApiSettings
from tests.integration.reporting.conftest import NOW, Feed, cell, position
from tests.support.asking import InThisThread

GLASGOW, FIFE = "S12000049", "S12000047"
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
KNOWN_ON = date(2026, 5, 9)
DAY = date(2026, 6, 9)
MOMENT = datetime(2026, 6, 9, 8, 30, tzinfo=UTC)
"""9:30 in London, in summer."""
Answers = dict[str, tuple[int, bytes]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(autouse=True)
def _figures(feed: Feed) -> None:
    feed([position(code, service=service) for code in (GLASGOW, FIFE) for service in ("orders", "unpaid_work")])
    feed([cell("orders_imposed", code, f"2026-{m:02}", "", 240) for code in (GLASGOW, FIFE) for m in (1, 2, 3)])


@pytest.fixture
def web(database_settings: DatabaseSettings, database: Engine, keys: Any, clock: FixedClock) -> TestClient:
    settings = ApiSettings(
        database=database_settings,
        tokens=TokenSettings(public_key=keys.public, development=True),
        site=SiteSettings(simulated=True, insecure_cookie=True),
    )
    return InThisThread(build(settings, database, new_registry(), clock), follow_redirects=False)


def published(database: Engine, clock: FixedClock, month: date, correction: Correction | None = None) -> str:
    name = publication.make(database, month, KNOWN_ON, clock)
    publication.publish(database, name, clock, correction)
    clock.move(timedelta(minutes=1))
    return name


def announced(database: Engine, clock: FixedClock) -> str:
    """Announce a release and make it, then announce the next and make it."""
    published(database, clock, FEBRUARY)
    announcing.announce(database, MARCH, DAY, clock)
    return publication.make(database, MARCH, KNOWN_ON, clock)


def addresses(app: FastAPI, name: str) -> Iterator[str]:
    """Yield every address that there is, of that release wherever one is named, also among the parameters."""
    known = {"id": "orders_imposed", "code": GLASGOW, "release": name, "extension": "csv", "name:path": "SHA256SUMS"}
    for route, policy in app.state.policies.items():  # a route that is not there does not start
        method, _, path = route.partition(" ")
        if method != "GET" or policy.listens:
            continue
        own = {"id": name} if path.startswith("/v1/releases/") else {}
        extension = {"extension": "svg"} if "chart." in path else {}
        filled = re.sub(r"\{([^}]+)\}", lambda part: (known | own | extension).get(part[1], "x"), path)  # noqa: B023
        yield from (filled, f"{filled}?release={name}")
    yield from (f"/releases/{name}/files/community-payback-{name}.zip", f"/search?q={name}")
    yield from ("/v1/data?indicator=orders_imposed", f"/v1/data?indicator=orders_imposed&release={name}")


def walk(web: TestClient, name: str, headers: dict[str, str] | None = None) -> Answers:
    """Return the answers that everybody gets everywhere, without whatever differs from one request to the next."""
    assert isinstance(web.app, FastAPI)
    asked = {"x-request-id": "the-same"} | (headers or {})  # problems tell it
    found = {address: web.get(address, headers=asked) for address in addresses(web.app, name)}
    return {address: (answer.status_code, answer.content) for address, answer in found.items()}


def test_until_half_past_nine_there_is_nothing_of_it_anywhere(
    database: Engine, web: TestClient, clock: FixedClock, glasgow: dict[str, str], national: dict[str, str]
) -> None:
    """Byte for byte, every page and route is what it was before the release was made."""
    published(database, clock, FEBRUARY)
    announcing.announce(database, MARCH, DAY, clock)
    before = {who: walk(web, "2026-03.1", headers) for who, headers in (("public", None), ("authority", glasgow))}
    name = publication.make(database, MARCH, KNOWN_ON, clock)
    assert publication.hold(database, name, clock) == MOMENT
    make_files(database, name, clock().date())
    (held,) = (each for each in web.get("/v1/releases", headers=national).json()["releases"] if each["id"] == name)
    for who, headers in (("public", None), ("authority", glasgow)):
        now = walk(web, name, headers)
        assert {each for each in now if now[each] != before[who][each]} == set(), who
        assert not any(held["content_hash"].encode()[:16] in content for _, content in now.values())
    assert len(now) > 80

    clock.move(MOMENT - clock() - timedelta(seconds=1))
    assert publication.publish_due(database, clock) is None
    assert web.get(f"/releases/{name}").status_code == 404
    clock.move(timedelta(seconds=1))
    assert publication.publish_due(database, clock) == name
    assert publication.publish_due(database, clock) is None
    for address in ("/", "/releases", f"/releases/{name}", f"/v1/releases/{name}/files", f"/search?q={name}"):
        after = web.get(address, headers={"x-request-id": "the-same"})
        assert (after.status_code, after.content) != now[address], address
    (out,) = (each for each in web.get("/v1/releases").json()["releases"] if each["id"] == name)
    assert datetime.fromisoformat(out["published_at"]) == MOMENT


def test_its_files_are_ready_and_say_on_which_day_they_came(
    database: Engine, web: TestClient, clock: FixedClock
) -> None:
    name = announced(database, clock)
    publication.hold(database, name, clock)
    make_files(database, name, clock().date())
    announcing.change(database, MARCH, DAY + timedelta(days=1), "A late answer", clock)
    make_files(database, name, clock().date())
    clock.move(MOMENT + timedelta(days=1) - clock())
    assert publication.publish_due(database, clock) == name
    assert "9 June 2026" not in (told := web.get(f"/releases/{name}/files/README.txt").text)
    assert "10 June 2026" in told
    page = web.get(f"/releases/{name}").text
    assert "for 9 June 2026" in page
    assert "to 10 June 2026: A late answer." in page


@pytest.mark.parametrize("publish", [publication.publish_due, None], ids=["by itself", "by an operator"])
def test_files_of_what_comes_late_are_made_anew(
    database: Engine, web: TestClient, clock: FixedClock, publish: Callable[[Engine, Clock], str | None] | None
) -> None:
    """Nothing that could publish was there on its day, which they name."""
    name = announced(database, clock)
    publication.hold(database, name, clock)
    made = {"release": name, "place": 0, "name": "README.txt", "media_type": "text/plain", "title": "", "sha256": ""}
    with transaction(database) as connection:
        connection.execute(release_files.insert().values(**made, size=1, content=b"9 June 2026"))
    clock.move(MOMENT + timedelta(days=2) - clock())
    assert "Late" in web.get("/releases").text
    if publish:
        assert publish(database, clock) == name
    else:
        publication.publish(database, name, clock)
    with transaction(database) as connection:
        assert listed(connection, name) == []


def test_what_was_announced_cannot_come_before_and_nothing_else_makes_it_old(
    database: Engine, clock: FixedClock
) -> None:
    name = announced(database, clock)
    with pytest.raises(CannotRelease, match="hold it until then"):
        publication.publish(database, name, clock)
    publication.hold(database, name, clock)
    other = publication.make(database, MARCH, KNOWN_ON, clock)
    with pytest.raises(CannotRelease, match="held already"):
        publication.hold(database, other, clock)
    announcing.change(database, MARCH, None, "Nothing to tell", clock)
    with pytest.raises(CannotRelease, match="let it go"):
        publication.publish(database, other, clock)
    publication.let_go(database, name)
    publication.publish(database, other, clock)
    clock.move(timedelta(days=60))
    assert publication.publish_due(database, clock) is None, "it was called off"


def meanwhile(database: Engine, name: str, clock: Clock, act: Callable[[], object]) -> None:
    """Run it while another process has published a release, and not ended its transaction yet. Raises the exceptions that it raises."""
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory')")
    publish = text("UPDATE releases SET status = 'published', published_at = :now, held_at = NULL WHERE id = :name")
    with ThreadPoolExecutor(1) as other, database.connect() as connection:
        with connection.begin():
            alone(connection)
            connection.execute(publish, {"now": clock(), "name": name})
            done = other.submit(act)
            while not connection.scalar(waits) and not wait([done], 0.01).done:
                pass
        done.result(timeout=30)


def test_what_another_process_publishes_at_the_same_moment_counts(database: Engine, clock: FixedClock) -> None:
    name = announced(database, clock)
    other = publication.make(database, FEBRUARY, KNOWN_ON, clock)
    clock.move(timedelta(minutes=1))
    with pytest.raises(CannotRelease, match="before the last publication"):
        meanwhile(database, other, clock, partial(publication.hold, database, name, clock))
    third = publication.make(database, FEBRUARY, KNOWN_ON, clock)
    with pytest.raises(CannotRelease, match="published meanwhile"):
        meanwhile(database, third, clock, partial(publication.make, database, MARCH, KNOWN_ON, clock))
    last = publication.make(database, MARCH, KNOWN_ON, clock)
    publication.hold(database, last, clock)
    clock.move(MOMENT - clock())
    meanwhile(database, last, clock, partial(publication.publish_due, database, clock))
    with transaction(database) as connection:
        acts = [each.entry.what for each in store.chain(connection, WHOLE_SERVICE)]
    assert acts.count("payback release publish") == 1, "that of February; the other process was first with March"


def test_what_is_due_does_not_wait_for_a_draft_that_is_made(
    database: Engine, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copying takes minutes with ten years."""
    name, opened = announced(database, clock), list[str | None]()
    publication.hold(database, name, clock)

    def copying(connection: Connection, frozen: Frozen, now: datetime) -> None:
        write(connection, frozen, now)
        clock.move(MOMENT - clock())
        with ThreadPoolExecutor(1) as other:
            opened.append(other.submit(publication.publish_due, database, clock).result(timeout=20))

    monkeypatch.setattr(publication, "write", copying)
    with pytest.raises(CannotRelease, match="published meanwhile"):
        publication.make(database, MARCH, KNOWN_ON, clock)
    assert opened == [name]


@pytest.mark.parametrize("say", ["move", "note"])
def test_files_tell_of_what_was_said_while_they_were_made(
    database: Engine, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, say: str
) -> None:
    name, made = announced(database, clock), list[str]()
    publication.hold(database, name, clock)

    def making(_enquiry: Enquiry, release: ReleaseInfo, _before: Before | None, _told: Told) -> list[File]:
        if not made:
            if say == "move":
                announcing.change(database, MARCH, DAY + timedelta(days=1), "A late answer", clock)
            else:
                publication.note(database, name, clock, "A late answer")
        made.append(f"{release.published_at:%Y-%m-%d} {len(release.notices)}")
        return [File("README.txt", "text/plain", "", made[-1].encode())]

    monkeypatch.setattr(making_of_files, "files_of", making)
    make_files(database, name, clock().date())
    assert made == (["2026-06-09 0", "2026-06-10 0"] if say == "move" else ["2026-06-09 0", "2026-06-09 1"])
    assert store_of_files.read(database, name, "README.txt").content == made[-1].encode()


def test_nobody_who_fetches_waits_while_files_are_made(
    database: Engine, web: TestClient, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else everybody who came for them would hold a thread of the service, until it had none left for others."""
    name, others = published(database, clock, FEBRUARY), ThreadPoolExecutor(1)
    ways = f"/v1/releases/{name}/files", f"/v1/releases/{name}/data", f"/releases/{name}/files/README.txt"
    found: list[tuple[int, str | None]] = []

    def making(_enquiry: Enquiry, _release: ReleaseInfo, _before: Before | None, _told: Told) -> list[File]:
        for way in ways:
            answer = others.submit(web.get, way).result(timeout=10)
            found.append((answer.status_code, answer.headers.get("retry-after")))
        return [File("README.txt", "text/plain", "", b"made")]

    monkeypatch.setattr(making_of_files, "files_of", making)
    assert web.get(ways[2]).text == "made"
    assert found == [(503, "5")] * len(ways)


def test_no_month_is_left_behind(database: Engine, clock: FixedClock) -> None:
    """Once a later month is published, an earlier one cannot be made: so none that was announced is passed by."""
    announcing.announce(database, MARCH, DAY, clock)
    april = publication.make(database, date(2026, 4, 1), KNOWN_ON, clock)
    with pytest.raises(CannotRelease, match="order of their months"):
        announcing.announce(database, date(2026, 4, 1), DAY, clock)
    with pytest.raises(CannotRelease, match="call them off"):
        publication.publish(database, april, clock)
    announcing.announce(database, date(2026, 4, 1), DAY + timedelta(days=1), clock)
    with pytest.raises(CannotRelease, match="order of their months"):
        announcing.change(database, MARCH, DAY + timedelta(days=2), "A late answer", clock)
    with pytest.raises(CannotRelease, match="call them off"):
        publication.hold(database, april, clock)
    announcing.change(database, MARCH, None, "Nothing to tell", clock)
    publication.hold(database, april, clock)
    clock.move(MOMENT + timedelta(days=1) - clock())
    assert publication.publish_due(database, clock) == april
    with pytest.raises(CannotRelease, match="are in them"):
        announcing.announce(database, FEBRUARY, DAY + timedelta(days=62), clock)


def test_what_was_not_announced_or_is_over_cannot_be_held(database: Engine, clock: FixedClock) -> None:
    name = publication.make(database, MARCH, KNOWN_ON, clock)
    with pytest.raises(CannotRelease, match="not announced"):
        publication.hold(database, name, clock)
    announcing.announce(database, MARCH, DAY, clock)
    clock.move(MOMENT - clock())
    with pytest.raises(CannotRelease, match="was due"):
        publication.hold(database, name, clock)
    publication.publish(database, name, clock)


def test_the_calendar_is_told_everywhere_with_every_change(
    database: Engine, web: TestClient, clock: FixedClock
) -> None:
    published(database, clock, FEBRUARY)
    assert "Not announced yet" in web.get("/").text
    announcing.announce(database, MARCH, DAY, clock)
    assert "Figures up to March 2026, on Tuesday 9 June 2026 at 9:30" in web.get("/").text
    announcing.change(database, MARCH, DAY + timedelta(days=1), "An authority answers late", clock)
    with pytest.raises(CannotRelease, match="announced before"):
        announcing.announce(database, MARCH, DAY, clock)
    assert "on Wednesday 10 June 2026 at 9:30" in web.get("/").text
    for address in ("/releases", "/releases/feed.atom", "/releases/calendar.ics"):
        told = re.sub(r"\r?\n ", "", web.get(address).text)
        assert "9 June 2026" in told, address
        assert "An authority answers late" in told, address
    (told,) = web.get("/v1/releases/calendar").json()["announcements"]
    assert datetime.fromisoformat(told["moment"]) == MOMENT + timedelta(days=1)
    assert [(each["day"], each["reason"]) for each in told["said"]] == [
        ("2026-06-09", None),
        ("2026-06-10", "An authority answers late"),
    ]


def test_a_corrected_release_and_its_successor_lead_to_each_other_and_both_stay(
    database: Engine, web: TestClient, clock: FixedClock
) -> None:
    wrong = published(database, clock, MARCH)
    publication.note(database, wrong, clock, "Look out")
    make_files(database, wrong, clock().date())
    right = published(database, clock, MARCH, Correction(wrong, "Hours were counted twice"))
    assert (
        web.get(f"/releases/{wrong}/overview").status_code == web.get(f"/releases/{right}/overview").status_code == 200
    )
    assert f'<a href="/releases/{right}">release {right}</a> corrects it' in web.get(f"/releases/{wrong}/overview").text
    for one, other in ((wrong, right), (right, wrong)):
        page = web.get(f"/releases/{one}").text
        assert f'href="/releases/{other}"' in page
        assert "Hours were counted twice" in page
        file = web.get(f"/releases/{one}/files/NOTICES.txt")
        assert f"Correction of {wrong} by {right}" in file.text
        assert f"</releases/{other}>; rel=" in file.headers["link"]
    found = {each["id"]: each for each in web.get("/v1/releases").json()["releases"]}
    assert (found[wrong]["corrected_by"], found[right]["corrects"]) == (right, [wrong])
    assert [each["kind"] for each in found[wrong]["notices"]] == ["note", "correction"]
    assert f"Correction of {wrong}" in web.get(f"/releases/{right}/files/README.txt").text
    assert f"corrected by {right}" in web.get("/releases/feed.atom").text
    third = publication.make(database, MARCH, KNOWN_ON, clock)
    with pytest.raises(CannotRelease, match="corrected already"):
        publication.publish(database, third, clock, Correction(wrong, "Once more"))


def test_whoever_reads_what_was_corrected_twice_is_led_to_what_is_right_now(
    database: Engine, web: TestClient, clock: FixedClock
) -> None:
    first = published(database, clock, FEBRUARY)
    second = published(database, clock, FEBRUARY, Correction(first, "A wrong year"))
    third = published(database, clock, MARCH, Correction(second, "A wrong month"))
    leads = f'href="/releases/{third}">Release {third}</a> has it right'
    assert all(leads in web.get(f"/releases/{each}").text for each in (first, second))
    assert f'"/releases/{third}">release {third}</a> corrects it' in web.get(f"/releases/{first}/overview").text
    publication.withdraw(database, first, clock, "Nobody should use it")
    asked = web.get(f"/v1/indicators/orders_imposed/data?release={first}").json()["detail"]
    assert f"Release {third} has it right." in asked
    publication.withdraw(database, third, clock, "Wrong again")
    page = web.get(f"/releases/{second}").text
    assert "The release that corrected it was withdrawn" in page
    assert "has it right" not in page
    draft = publication.make(database, MARCH, KNOWN_ON, clock)
    for wrong in (draft, "2026-03.9"):
        with pytest.raises(CannotRelease):
            publication.publish(database, draft, clock, Correction(wrong, "Once more"))


def test_an_old_release_leads_to_the_newest(database: Engine, web: TestClient, clock: FixedClock) -> None:
    first, _, newest = (published(database, clock, month) for month in (FEBRUARY, MARCH, date(2026, 4, 1)))
    page = web.get(f"/releases/{first}").text
    assert f'There is a later release: <a href="/releases/{newest}">' in page


def test_a_withdrawal_keeps_what_was_said_before_and_leads_to_why(
    database: Engine, web: TestClient, clock: FixedClock
) -> None:
    name = publication.make(database, MARCH, KNOWN_ON, clock, note="The first")
    publication.publish(database, name, clock)
    publication.withdraw(database, name, clock, "An authority sent the wrong year")
    (told,) = web.get("/v1/releases").json()["releases"]
    assert [(each["kind"], each["reason"]) for each in told["notices"]] == [
        ("note", "The first"),
        ("withdrawal", "An authority sent the wrong year"),
    ]
    assert web.get(f"/releases/{name}/indicators").headers["location"] == f"/releases/{name}"
    page = web.get(f"/releases/{name}").text
    assert "The first" in page
    assert "An authority sent the wrong year" in page
    asked = web.get(f"/v1/indicators/orders_imposed/data?release={name}")
    assert "An authority sent the wrong year" in asked.json()["detail"]


def test_notices_and_announcements_are_only_ever_added_to(database: Engine, clock: FixedClock) -> None:
    name = announced(database, clock)
    publication.note(database, name, clock, "A note")
    for table in ("announcements", "release_notices"):
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET reason = ''", f"TRUNCATE {table}"):
            with pytest.raises(DBAPIError, match="only ever added to"), database.begin() as connection:
                connection.execute(text(change))


def test_all_of_it_is_on_record(database: Engine, clock: FixedClock) -> None:
    name = announced(database, clock)
    publication.hold(database, name, clock)
    announcing.change(database, MARCH, DAY + timedelta(days=1), "A late answer", clock)
    publication.let_go(database, name)
    publication.hold(database, name, clock)
    clock.move(MOMENT + timedelta(days=1) - clock())
    publication.publish_due(database, clock)
    clock.move(timedelta(hours=1))
    right = publication.make(database, MARCH, KNOWN_ON, clock)
    publication.publish(database, right, clock, Correction(name, "Hours were counted twice"))
    publication.note(database, right, clock, "Look out")
    publication.withdraw(database, right, clock, "Wrong again")
    announcing.announce(database, date(2026, 4, 1), DAY + timedelta(days=63), clock)
    announcing.change(database, date(2026, 4, 1), None, "Nothing to tell", clock)
    with transaction(database) as connection:
        chain = list(store.chain(connection, WHOLE_SERVICE))
    acts = "make publish announce make hold move let-go hold publish make publish note withdraw announce call-off"
    assert [each.entry.what for each in chain] == [f"payback release {act}" for act in acts.split()]
    assert [each.entry.who for each in chain].count(publication.BY_ITSELF) == 1
    assert chain[10].entry.detail == {"release": right, "corrects": name, "reason": "Hours were counted twice"}
    assert list(faults(chain)) == []


def test_what_is_refused_is_not_on_record(database: Engine, clock: FixedClock) -> None:
    name = announced(database, clock)
    with transaction(database) as connection:
        before = store.heads(connection)
    refusals: tuple[Callable[[], None], ...] = (
        partial(publication.withdraw, database, name, clock, "A draft"),
        partial(publication.publish, database, name, clock),
        partial(announcing.change, database, MARCH, None, " ", clock),
        partial(announcing.announce, database, FEBRUARY, DAY, clock),
    )
    for refused in refusals:
        with pytest.raises(CannotRelease):
            refused()
    with transaction(database) as connection:
        assert store.heads(connection) == before


class Looks(Event):
    """Lets so many looks happen, without waiting between them."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._left = number
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        self._left -= 1
        return self._left < 0


def test_the_api_publishes_what_is_due_and_what_fails_is_tried_again(
    database: Engine, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = announced(database, clock)
    publication.hold(database, name, clock)
    clock.move(MOMENT - clock() - timedelta(seconds=2))
    looks, registry = Looks(1), CollectorRegistry()
    metrics = OpeningMetrics(registry)
    keep_opening(database, clock, looks, metrics)
    assert looks.pauses == [0.0, 2.0]
    assert registry.get_sample_value("payback_release_due_timestamp_seconds") == MOMENT.timestamp()
    clock.move(timedelta(seconds=2))
    faults_to_come: list[Exception] = [ValueError("a fault of ours"), Away("PostgreSQL is away")]

    def publish_due(engine: Engine, now: Clock) -> str | None:
        if faults_to_come:
            raise faults_to_come.pop()
        return publication.publish_due(engine, now)

    monkeypatch.setattr(publishing_held, "publish_due", publish_due)
    looks = Looks(3)
    keep_opening(database, clock, looks, metrics)
    assert registry.get_sample_value("payback_release_due_timestamp_seconds") == 0
    assert looks.pauses == [
        0.0,
        publishing_held.MOST_SECONDS,
        publishing_held.MOST_SECONDS,
        publishing_held.MOST_SECONDS,
    ]
    with transaction(database) as connection:
        assert listed(connection, name) != []
