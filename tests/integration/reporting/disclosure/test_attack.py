"""The public cannot tell what happened from a nation without a small number: whatever it fetches is the same, to the byte.

The second world is the first as it was published: every public cell is the multiple that it was rounded to. So nothing that anybody
works out from what they fetched can be about a person. A gate that is weak anywhere tells the worlds apart.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from io import BytesIO
from itertools import product
from typing import Any
from weakref import WeakKeyDictionary
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts.periods import days_of, last_day, parse_first
from services.chassis.api.auth import Identity, mint
from services.chassis.clock import FixedClock, system_clock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, SiteSettings
from services.reporting.app import build
from services.reporting.disclosure import gate
from services.reporting.disclosure.rounding import Cells, Earlier, Told, rounded
from services.reporting.figures import answers
from services.reporting.read import query_cache, vintages
from services.reporting.read.tables import release_cells
from services.reporting.registry.areas import SCOTLAND, members
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Kind
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.reporting.conftest import NOW
from tests.support.asking import UNLIMITED, InThisThread
from tests.support.generated.openapi import KEYS, TOKENS, nowhere
from tests.support.generated.thorough import TURN, turns
from tests.support.made import released_monthly
from tests.support.made.released_monthly import CODES, LATE, World

pytestmark = pytest.mark.timeout(900)

SPAN = "from=2025-04&to=2026-03"
FORMATS = ("csv", "jsonstat", "xlsx", "csv-metadata.json")
DRAWN = ("/indicators/placement_within_7", "/compare/placement_within_7")
OF_EVERY_KIND = (
    "orders_imposed",
    "first_contact_within_1",
    "unpaid_work_hours_mean",
    "orders_imposed_per_10000",
    "open_orders",
    "persons_with_new_order_in_year",
    "exit_questionnaires",
)
DIVIDED = ("", "month", "authority,month", "health_board,quarter", "authority,year")


@pytest.fixture(scope="module")
def databases(migrated: Callable[[], str]) -> Iterator[tuple[Engine, Engine]]:
    first, second = (engine(DatabaseSettings(url=migrated(), schema_name=SCHEMA)) for _ in range(2))
    yield first, second
    first.dispose()
    second.dispose()


@pytest.fixture(scope="module")
def world(databases: tuple[Engine, Engine]) -> World:
    """Return what happened, and make the same beside it as it was published."""
    happened = released_monthly.truth(databases[0])
    assert released_monthly.as_published(databases[0], happened, databases[1]).releases == happened.releases
    return happened


def application(database: Engine) -> TestClient:
    told = ApiSettings(
        database=nowhere(SCHEMA),
        tokens=TOKENS,
        http=UNLIMITED,
        site=SiteSettings(simulated=True, insecure_cookie=True),
    )
    return InThisThread(build(told, database, new_registry(), FixedClock(NOW)))


@pytest.fixture(scope="module")
def api(databases: tuple[Engine, Engine], world: World) -> TestClient:
    """Return the API of what happened, which is asked by one caller after the other, and may remember what it told others."""
    assert world.releases
    return application(databases[0])


@pytest.fixture
def both(databases: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch) -> tuple[TestClient, TestClient]:
    """Ask APIs that remember nothing of before."""
    monkeypatch.setattr(query_cache, "_held", WeakKeyDictionary())
    return application(databases[0]), application(databases[1])


def everything(releases: tuple[str, ...]) -> Iterator[str]:
    """Yield what can be fetched without signing in: every indicator and breakdown, every kind in every format, files and pages.

    Of the newest release all, but for two thirds of each indicator's breakdowns, which come on other days. Of those before, of which half
    come on another day too, each kind of indicator, each way to divide and each page in turn: any two of release, kind and way come
    together; and all with `make test-thorough`.
    """
    yield from by_breakdown(releases[-1])
    yield from beside_breakdowns(releases)


def by_breakdown(release: str) -> Iterator[str]:
    for turn, (name, indicator) in enumerate(INDICATORS.items()):
        breakdowns = ["", *(each for each, _ in indicator.breakdowns)]
        for breakdown in turns(breakdowns, TURN + turn, some=(len(breakdowns) + 2) // 3):
            yield f"/v1/indicators/{name}/data?{SPAN}&by=authority,quarter,{breakdown}&release={release}"


def beside_breakdowns(releases: tuple[str, ...]) -> Iterator[str]:
    *before, newest = releases
    yield f"/v1/releases/{newest}/files"  # the hash of each: of the ZIP, Parquet, CSV, workbooks and JSON-stat
    yield f"/releases/{newest}/files/changes.csv"
    yield from (f"/releases/{newest}?area={code}" for code in CODES)
    yield from (path for name in OF_EVERY_KIND for path in (*figures(newest, name, DIVIDED), page_of(newest, name)))
    yield from pages_of(newest)
    for turn, release in turns([*enumerate(before)], TURN, some=(len(before) + 1) // 2):
        for place, name in enumerate(OF_EVERY_KIND):
            yield from figures(release, name, turns(DIVIDED, turn + place))
        yield from (page_of(release, name) for name in turns(OF_EVERY_KIND, turn))
        yield from turns(pages_of(release), turn, some=3)
    yield from in_formats(newest, some=len(FORMATS))
    yield from in_formats(before[-1], some=1)
    yield from (f"/releases/{newest}{page}/chart.svg" for page in DRAWN)
    for code in CODES[:2]:
        yield f"/v1/authorities/{code}/profile?{SPAN}"
    yield from (f"/v1/indicators/orders_imposed/data?{SPAN}&as_of={day}" for day in ("2026-05-08", "2026-05-09"))
    yield from (
        "/releases/feed.atom",
        "/data",
        "/data/catalogue.jsonld",
        "/sitemap.xml",
        "/v1/codes",
        "/search?q=fife",
        "/v1/releases",
        "/v1/quality",
        "/",
        "/releases",
        "/authorities",
        "/indicators",
        "/v1/indicators",
    )


def figures(release: str, name: str, divided: Sequence[str]) -> Iterator[str]:
    for by in divided:
        yield f"/v1/indicators/{name}/data?{span_of(release)}&by={by}&release={release}"


def page_of(release: str, name: str) -> str:
    return f"/indicators/{name}?release={release}&area={CODES[0]}"


def pages_of(release: str) -> list[str]:
    """Return what changed, and the pages."""
    return [
        f"/v1/releases/{release}/changes/cells",
        f"/releases/{release}",
        f"/?release={release}",
        f"/quality?release={release}",
        f"/v1/compare/first_contact_within_1?{span_of(release)}&release={release}",
        f"/compare/placement_within_7?release={release}",
        f"/authorities/{CODES[1]}?release={release}",
    ]


def in_formats(release: str, some: int) -> Iterator[str]:
    """Yield each kind, and several of them, in so many formats in turn."""
    for turn, name in enumerate(OF_EVERY_KIND):
        for each in turns(FORMATS, turn, some):
            yield f"/v1/indicators/{name}/data.{each}?{SPAN}&by=authority,month&release={release}"
    several = "&".join(f"indicator={name}" for name in OF_EVERY_KIND)
    areas = "&".join(f"area={code}" for code in (SCOTLAND, *CODES))
    for each in turns(FORMATS, 0, some):
        yield f"/v1/data.{each}?{SPAN}&{several}&{areas}&by=quarter&release={release}"
    yield f"/v1/releases/{release}/changes?limit=10000"


def span_of(release: str) -> str:
    """Return the months of a release: its last is in its name."""
    return f"from=2025-04&to={release.partition('.')[0]}"


def fetched(client: TestClient, path: str) -> tuple[int, str | None, object]:
    """Status, ETag and bytes; of a workbook those of its parts, since it tells when it was written."""
    answer = client.get(path)
    found = answer.content
    return answer.status_code, answer.headers.get("etag"), parts_of(found) if ".xlsx" in path else found


def parts_of(workbook: bytes) -> dict[str, bytes]:
    """Return everything in a workbook but the one part that says when it was written."""
    with ZipFile(BytesIO(workbook)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    del found["docProps/core.xml"]
    return found


def differences(both: tuple[TestClient, TestClient], releases: tuple[str, ...]) -> Iterator[str]:
    return (path for path in everything(releases) if fetched(both[0], path) != fetched(both[1], path))


def test_the_public_cannot_tell_what_happened_from_a_nation_without_a_small_number(
    both: tuple[TestClient, TestClient], world: World
) -> None:
    """And all that is asked for is there."""
    found = {path: fetched(both[0], path) for path in everything(world.releases)}
    assert [path for path, answer in found.items() if answer != fetched(both[1], path)] == []
    assert [path for path, (status, *_) in found.items() if status != 200] == []
    assert sum(bool(re.search(r'"numerator":\d', str(content))) for *_, content in found.values()) > 100


def whole_cells(patch: pytest.MonkeyPatch) -> None:
    for module in (answers, gate):
        patch.setattr(module, "Rounded", vintages.Released)


def anew(patch: pytest.MonkeyPatch) -> None:
    """Give each release draws of its own, which keeps nothing that was published before."""

    def drawn_again(cells: Cells, last_month: date, key: bytes, _earlier: Earlier, told: Told) -> Cells:
        return rounded(cells, last_month, key + f"{last_month}".encode(), told=told)

    patch.setattr(publication, "rounded", drawn_again)


LEAKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "cells as they are": lambda patch: patch.setattr(vintages, "public_cells", release_cells),
    "figures from whole cells": whole_cells,
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_weak_gate_tells_them_apart(
    leak: str, both: tuple[TestClient, TestClient], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    LEAKS[leak](monkeypatch)
    assert any(differences(both, world.releases))


UNTOUCHED = ("authority,quarter", "authority,year", "month")
"""Ways to divide figures, most of which nothing came late for."""


def narrowed_down(client: TestClient, releases: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the figures for which nothing came late and which releases showed differently: the truth lies between."""
    shown: defaultdict[tuple[str, ...], set[float]] = defaultdict(set)
    for release in releases:
        for name, by in product(OF_EVERY_KIND, UNTOUCHED):
            for row in rows(client, f"/v1/indicators/{name}/data?{span_of(release)}&by={by}&release={release}"):
                if is_whole(row["period"], release) and not is_touched(name, row) and row["numerator"] is not None:
                    shown[name, row["authority"], row["period"]].add(row["numerator"])
    assert len(shown) > 40
    return [of for of, numbers in shown.items() if len(numbers) > 1]


def is_whole(period: str, release: str) -> bool:
    return days_of(period)[1] <= last_day(parse_first(release.partition(".")[0]))


def is_touched(name: str, row: dict[str, Any]) -> bool:
    """Return whether anything came late of the area in the period; of a stock, also in months before it."""
    first, last = days_of(row["period"])
    since = date.min if INDICATORS[name].kind is Kind.STOCK else first
    return any(late.authority in members(row["authority"]) and since <= late.month <= last for late in LATE)


def test_successive_releases_do_not_narrow_down_what_did_not_change(
    both: tuple[TestClient, TestClient], world: World
) -> None:
    assert narrowed_down(both[0], world.releases) == []


def test_releases_that_are_each_drawn_anew_do(migrated: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail."""
    database = engine(DatabaseSettings(url=migrated(), schema_name=SCHEMA))
    anew(monkeypatch)
    monkeypatch.setattr(query_cache, "_held", WeakKeyDictionary())
    releases = released_monthly.truth(database, newest=6).releases
    assert len(narrowed_down(application(database), releases)) > 20
    database.dispose()


def rows(client: TestClient, path: str, token: str | None = None) -> list[dict[str, Any]]:
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})
    found: list[dict[str, Any]] = json.loads(answer.text)["rows"]
    return found


def manager_of(code: str) -> str:
    """Return a token of somebody at that authority."""
    return mint(KEYS.private, Identity("manager", frozenset({"orders:read"}), code), timedelta(hours=1), system_clock)


@pytest.mark.parametrize("name", [name for name, each in INDICATORS.items() if each.kind is not Kind.AGREEMENT])
def test_an_authority_is_told_of_others_what_the_public_is(name: str, api: TestClient, world: World) -> None:
    """Its own figures aside, which it has anyway: and of Scotland no sum with its own as they are."""
    token = manager_of(CODES[1])
    for breakdown in ("", *(each for each, _ in INDICATORS[name].breakdowns)):
        path = f"/v1/indicators/{name}/data?{SPAN}&by=authority,year,{breakdown}&release={world.releases[-1]}"
        own, public = rows(api, path, token), rows(api, path)
        assert [row for row in own if row["authority"] != CODES[1]] == [
            row for row in public if row["authority"] != CODES[1]
        ]


BOARD, (FIRST_OF_BOARD, SECOND_OF_BOARD, THIRD_OF_BOARD) = "S08000019", ("S12000005", "S12000014", "S12000030")
"""Forth Valley, and the authorities that make it up."""


@pytest.mark.parametrize("name", OF_EVERY_KIND)
@pytest.mark.parametrize("by", ["quarter", "year"])
def test_two_authorities_together_are_told_of_a_third_what_the_public_is(
    name: str, by: str, api: TestClient, world: World
) -> None:
    """Of the area that they make up with it too: what they take away from it are its own rounded figures."""
    asked = [
        f"/v1/indicators/{name}/data?{SPAN}&by={division},{by}&release={release}"
        for division in ("authority", "health_board")
        for release in world.releases[-2:]
    ]
    partners = {code: manager_of(code) for code in (FIRST_OF_BOARD, SECOND_OF_BOARD)}
    for path in asked:
        told = [
            [row for row in rows(api, path, token) if row["authority"] not in partners]
            for token in (None, *partners.values())
        ]
        assert any(row["authority"] in {THIRD_OF_BOARD, BOARD} for row in told[0])
        assert told[1] == told[2] == told[0], path
