"""The attack from outside: whatever an audience can fetch gives no small count away. From a weakened gate it gives some."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import product

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts.cells import Cell
from services.chassis.clock import FixedClock
from services.reporting import answers, releases, releasing
from services.reporting.areas import AREA_NAMES
from tests.integration.reporting.conftest import NOW, Feed, cell, position
from tests.support.http_attack import (
    Attacker,
    Told,
    bars_of,
    from_csv,
    from_json,
    from_json_stat,
    from_tables,
    from_xlsx,
)

pytestmark = pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")

SCOTLAND = "S92000003"
AREAS = ("S12000005", "S12000006", "S12000049", "S12000036", "S12000023")
MONTHS = ("2026-01", "2026-02", "2026-03")
SEXES = ("sex=male", "sex=female", "sex=not_known")
FIRST = {
    ("2026-01", "S12000005"): (21, 3, 0),
    ("2026-01", "S12000006"): (40, 9, 1),
    ("2026-01", "S12000049"): (170, 30, 4),
    ("2026-01", "S12000036"): (90, 25, 2),
    ("2026-01", "S12000023"): (6, 2, 0),
    ("2026-02", "S12000005"): (17, 5, 1),
    ("2026-02", "S12000006"): (38, 8, 0),
    ("2026-02", "S12000049"): (160, 28, 6),
    ("2026-02", "S12000036"): (80, 20, 3),
    ("2026-02", "S12000023"): (7, 1, 1),
    ("2026-03", "S12000005"): (19, 4, 0),
    ("2026-03", "S12000006"): (44, 11, 2),
    ("2026-03", "S12000049"): (150, 33, 5),
    ("2026-03", "S12000036"): (85, 19, 1),
    ("2026-03", "S12000023"): (9, 0, 0),
}
LATE = {("2026-02", "S12000049"): (163, 28, 6), ("2026-01", "S12000036"): (90, 27, 2)}
Counts = Mapping[tuple[str, str], tuple[int, ...]]
Headers = dict[str, str]


def cells(counts: Counts, version: int, known_on: str) -> list[Cell]:
    found = []
    for (month, area), numbers in counts.items():
        total = sum(numbers)
        for category, value in (("", total), *zip(SEXES, numbers, strict=True)):
            found.append(cell("orders_imposed", area, month, category, value, known_on, version))
        found.append(cell("orders_opened", area, month, "", total, known_on, version))
    return found


@pytest.fixture
def released(feed: Feed, database: Engine) -> Callable[[], list[str]]:
    """Two releases, the second with what came late."""

    def release() -> list[str]:
        clock, names = FixedClock(NOW - timedelta(days=2)), []
        feed([position(code, service=service) for code in AREAS for service in ("orders", "unpaid_work")])
        for version, counts in enumerate((FIRST, LATE), 1):
            feed(cells(counts, version, "2026-05-01"))
            names.append(releasing.make(database, date(2026, 3, 1), date(2026, 5, 8), clock))
            releasing.publish(database, names[-1], clock)
            clock.move(timedelta(days=1))
        return names

    return release


def truth(release: int) -> Counts:
    return {**FIRST, **(LATE if release else {})}


def fetched(client: TestClient, names: list[str], headers: Headers | None) -> dict[tuple[int, Told], None]:
    """Every row of orders imposed, in every format, of every release, and as on any day."""
    found: dict[tuple[int, Told], None] = {}
    readers: dict[str, Callable[..., object]] = {
        "json": from_json,
        "csv": from_csv,
        "jsonstat": from_json_stat,
        "xlsx": from_xlsx,
    }
    asked = [(number, f"release={name}") for number, name in enumerate(names)]
    asked += [(0, "as_of=2026-05-08"), (1, "as_of=2026-05-09"), (1, "")]
    for (number, when), by in product(asked, ("", "sex")):
        in_formats = []
        for extension, read in readers.items():
            path = f"/v1/indicators/orders_imposed/data.{extension}"
            answer = client.get(
                f"{path}?by=authority,month{',' if by else ''}{by}&from=2026-01&to=2026-03&{when}", headers=headers
            )
            assert answer.status_code == 200, answer.text
            body = {"json": lambda a: a.json(), "xlsx": lambda a: a.content}.get(extension, lambda a: a.text)(answer)
            rows = sorted(read(body), key=lambda row: row[:3])  # type: ignore[call-overload]
            in_formats.append(rows)
            found |= {(number, _frozen(row)): None for row in rows}
        assert all(rows == in_formats[0] for rows in in_formats[1:]), "every format tells the same"
    return found


def _frozen(row: Told) -> Told:
    return row._replace(numbers=_Numbers(row.numbers))


class _Numbers(dict[str, float]):
    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


def attack(
    client: TestClient, names: list[str], headers: Headers | None = None, insider: str | None = None
) -> list[tuple[int, str, str, str]]:
    """The small counts that what was fetched leaves only one value for."""
    attacker = Attacker({}, [])
    for release, month, area in product(range(2), MONTHS, AREAS):
        attacker.adds_up((release, "", month, area), [(release, sex, month, area) for sex in SEXES])
    for release, told in fetched(client, names, headers):
        areas = AREAS if told.area == SCOTLAND else (told.area,)
        if told.area in {*AREAS, SCOTLAND} and "numerator" in told.numbers:
            number = told.numbers["numerator"]
            whole_now = told.area == insider
            where = range(2) if whole_now and truth(0) == truth(1) else (1 if whole_now else release,)
            for each in where:
                attacker.says([(each, told.category, told.period, area) for area in areas], number, number)
    for name in names:
        for change in client.get(f"/v1/releases/{name}/changes", headers=headers).json()["changes"]:
            if change["measure"] == "orders_imposed" and not change["suppressed"]:
                for release, number in enumerate((change["before"], change["after"])):
                    at = (release, change["category"], change["period"][:7], change["authority"])
                    attacker.says([at], number, number)
    _read_pages(client, names, attacker)
    found = []
    for release, month, area in product(range(2), MONTHS, AREAS):
        if area == insider:
            continue
        for sex, count in zip(SEXES, truth(release)[month, area], strict=True):
            if 0 < count <= 4:
                low, high = attacker.range_of([(release, sex, month, area)])
                assert low <= count <= high, "what was fetched is true"
                if high - low < 1:
                    found.append((release, sex, month, area))
    return found


def _read_pages(client: TestClient, names: list[str], attacker: Attacker) -> None:
    """Tables and charts: no page tells a number that its table does not, and tables count as told."""
    codes = {name: code for code, name in AREA_NAMES.items()}
    for (release, name), month in product(enumerate(names), MONTHS):
        page = client.get(f"/indicators/orders_imposed?release={name}&period=month-{month}").text
        tabled = {}
        for row in from_tables(page[page.index('id="by-authority"') :]):
            if row and row[0] in codes and row[1].replace(",", "").isdecimal():
                tabled[row[0]] = float(row[1].replace(",", ""))
        assert tabled
        for label, number in tabled.items():
            areas = AREAS if codes[label] == SCOTLAND else (codes[label],)
            if codes[label] in {*AREAS, SCOTLAND}:
                attacker.says([(release, "", month, area) for area in areas], number, number)
        drawn = bars_of(page[page.index('id="by-authority"') :])
        assert set(drawn) <= set(tabled), "a chart draws only what its table tells"


def test_nothing_small_can_be_worked_out_from_all_that_the_public_can_fetch(
    client: TestClient, released: Callable[[], list[str]]
) -> None:
    assert attack(client, released()) == []


def test_nor_by_an_authority_with_its_own_figures_whole(
    client: TestClient, released: Callable[[], list[str]], glasgow: Headers
) -> None:
    assert attack(client, released(), glasgow, "S12000049") == []


def test_a_gate_that_hides_small_counts_alone_gives_some_away(
    client: TestClient, released: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = released()
    whole = releases.hidden_numbers

    def only_small(connection: object, release: str, *asked: object) -> frozenset[object]:
        counts = truth(names.index(release))
        found = whole(connection, release, *asked)  # type: ignore[arg-type]
        return frozenset(
            key
            for key in found
            if key.area in AREAS
            and len(key.period) == 7
            and key.grouping in SEXES
            and 0 < counts[key.period, key.area][SEXES.index(key.grouping)] <= 4
        )

    monkeypatch.setattr(answers, "hidden_numbers", only_small)
    assert attack(client, names)


def test_metrics_and_positions_tell_no_figures(client: TestClient, released: Callable[[], list[str]]) -> None:
    released()
    for path in ("/metrics", "/v1/positions", "/v1/quality"):
        body = client.get(path).text
        assert not any(word in body for word in ("sex=", "numerator", "orders_imposed")), path
