"""Figures from memory are those that the database sums: of releases, whole and rounded, and of what is known now."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from msgspec import structs
from sqlalchemy import Connection, Engine

from contracts.authorities import HEALTH_BOARDS
from contracts.cells import Cell
from contracts.periods import add_months
from services.chassis.database import transaction
from services.reporting.read.coverage import as_published, coverage
from services.reporting.read.cube import Cube, read_cube
from services.reporting.read.live_cube import live_cube
from services.reporting.read.queries import Days, Grain, Span, Sums, reach, sums
from services.reporting.read.tables import public_cells
from services.reporting.read.vintages import Live, Released, Rounded, Vintage
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Form
from tests.integration.reporting.conftest import NOW
from tests.integration.reporting.nation import CODES, FIRST, MANY, MONTHS, release, write_all
from tests.support.made.figures import KNOWN_ON, national_cells

TODAY = NOW.date()
FORMS = [form for each in INDICATORS.values() for form in each.forms]
WITH_OVERDUE = [form for form in FORMS if "overdue" in form.categories]
GRAINS = [
    Grain(areas, period) for areas in ("", "authority", "health_board") for period in ("", "month", "quarter", "year")
]


@pytest.fixture
def nation(database: Engine) -> Engine:
    write_all(database, list(national_cells(3, FIRST, MONTHS, MANY)), version=1)
    return database


def questions(count: int) -> Iterator[tuple[list[Form], Span, Grain, str]]:
    rng = random.Random(4)
    months = [add_months(FIRST, index) for index in range(-2, MONTHS + 2)]
    for _ in range(count):
        first, last = sorted(rng.choices(months, k=2))
        area = rng.choice([SCOTLAND, *CODES, *HEALTH_BOARDS])
        yield [*rng.sample(FORMS, 5), rng.choice(WITH_OVERDUE)], Span(first, last), rng.choice(GRAINS), area


def told(found: Sums) -> dict[tuple[Form, str, str], int]:
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("kind", [Released, Rounded])
def test_a_release(nation: Engine, kind: Callable[[str], Vintage]) -> None:
    name = release(nation)
    with transaction(nation) as connection:
        vintage = kind(name)
        cube = read_cube(connection, vintage)
        assert cube.reach(("orders_imposed", "")) == reach(connection, vintage)
        some = 0
        for forms, span, grain, area in questions(150):
            found = told(cube.sums(forms, span, grain, area))
            assert found == told(sums(connection, vintage, forms, span, grain, area)), (forms, span, grain, area)
            some += len(found)
    assert some > 300


def test_the_months_that_the_public_is_told_of(nation: Engine) -> None:
    name = release(nation)
    with transaction(nation) as connection:
        there = read_cube(connection, Rounded(name)).there()
        c = public_cells.c
        rows = connection.execute(public_cells.select().where(c.release == name))
        stored = {(row.authority, row.period) for row in rows}
        heard = as_published(connection, name, there)
    assert {(code, month) for code, months in there.items() for month in months} == stored
    assert heard.keys() == set(CODES)


def test_what_is_known_now(nation: Engine) -> None:
    assert_live_is_right(nation)
    later = [structs.replace(each, version=2, value=each.value + 3) for each in national_cells(3, FIRST, 2, 2)]
    write_all(nation, later, version=2)
    assert_live_is_right(nation)
    write_all(nation, [structs.replace(each, generation=1, version=3, value=1) for each in later[:9]], version=3)
    assert_live_is_right(nation)


def test_what_is_due_today_is_overdue_tomorrow(nation: Engine) -> None:
    due = date(2026, 4, 15)
    form = Form("awaited_placement", ("months_before=0",))
    late = Form("placement", ("overdue",))
    cell = Cell("unpaid_work", CODES[0], 1, 2, form.measure, due, "months_before=0", KNOWN_ON, 4)
    write_all(nation, [cell], version=2)
    april = Span(date(2026, 4, 1), date(2026, 4, 1))
    with transaction(nation) as connection:
        cubes = [now(connection, due), now(connection, due + timedelta(days=1))]
    found = [sum(cube.sums([each], april, Grain(), CODES[0]).values()) for cube in cubes for each in (form, late)]
    assert found == [0, 0, 4, 4]


def now(connection: Connection, today: date) -> Cube:
    return live_cube(connection, coverage(connection, Live()), today)


def assert_live_is_right(nation: Engine) -> None:
    with transaction(nation) as connection:
        heard = coverage(connection, Live())
        cube = live_cube(connection, heard, TODAY)
        assert live_cube(connection, heard, TODAY) is cube
        for forms, span, grain, area in questions(100):
            expected = sums(connection, Live(), forms, span, grain, area, Days(overdue_on=TODAY), heard)
            assert told(cube.sums(forms, span, grain, area)) == told(expected), (forms, span, grain, area)
