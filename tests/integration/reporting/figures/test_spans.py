"""A figure of a release is the same wherever the question begins or ends, also where the data begin inside a quarter."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import get_args

import pytest
from sqlalchemy import Connection

from contracts.authorities import AUTHORITIES
from contracts.categories import DELAY_BANDS, of
from contracts.cells import Cell, Position, Service
from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.settings import DatabaseSettings
from services.reporting.disclosure.gate import Row, Why
from services.reporting.figures.answers import Enquiry, Question, answer
from services.reporting.ingest.fold import fold
from services.reporting.ingest.store import write
from services.reporting.read.queries import Grain
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind
from services.reporting.registry.population import aged_16_to_70
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA
from tests.integration.reporting.conftest import NOW, cell, position
from tests.support.made.figures import KNOWN_ON, national_cells

BEGIN, LAST = date(2025, 2, 1), date(2026, 2, 1)
CODES = list(AUTHORITIES)[:4]
LATER, SILENT = CODES[1], CODES[2]
"""Heard a month after the others, but of a fact of the month before; and last heard in November."""
BEGAN = dict.fromkeys(CODES, BEGIN) | {LATER: date(2025, 3, 1)}
LAST_HEARD = dict.fromkeys(CODES, KNOWN_ON) | {SILENT: date(2025, 11, 20)}
GRAINS = Grain("authority", "month"), Grain("authority", "quarter"), Grain("authority", "year")
BEGINNINGS = None, date(2023, 4, 1), date(2024, 12, 1), date(2025, 1, 1), BEGIN, date(2025, 4, 1)
ENDS = None, date(2026, 9, 1)
VIEWERS = PUBLIC, Identity("analyst", frozenset({"national:read"}))
OF_EACH_KIND = list({each.kind: each for each in INDICATORS.values()}.values())
PER_PERSON, CLOCK = INDICATORS["orders_imposed_per_10000"], INDICATORS["placement_within_7"]


@pytest.fixture(scope="module")
def nation(migrated: Callable[[], str]) -> Iterator[Connection]:
    """Yield a nation with a release of data that begin in the second month of a quarter, for one authority in the third."""
    database = engine(DatabaseSettings(url=migrated(), schema_name=SCHEMA))
    with transaction(database) as connection:
        write(connection, fold([*_cells(), *_heard()]))
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, LAST, KNOWN_ON, clock), clock)
    with transaction(database) as connection:
        yield connection
    database.dispose()


def _cells() -> Iterator[Cell]:
    for each in national_cells(3, BEGIN, 13, len(CODES)):
        if BEGAN[each.authority] <= each.period <= LAST_HEARD[each.authority]:
            yield each
    slowest = of("delay_band", DELAY_BANDS)[-1]
    for measure, category in (("reporting_delay", slowest), ("orders_imposed", ""), ("orders_opened", "")):
        yield cell(measure, LATER, f"{BEGIN:%Y-%m}", category, 20, f"{KNOWN_ON}")


def _heard() -> Iterator[Cell | Position]:
    for code, began in BEGAN.items():
        for service in get_args(Service):
            when = f"{LAST_HEARD[code]}"
            yield cell("events", code, f"{began:%Y-%m}", "outcome=applied", 9, when, service=service)
            yield position(code, service=service)


def rows(connection: Connection, viewer: Identity, indicator: Indicator, asked: Question) -> dict[tuple[str, str], Row]:
    found = answer(Enquiry(connection, viewer, NOW.date()), indicator, asked)
    return {(row.authority, row.period): row for row in found.rows}


@pytest.mark.parametrize("viewer", VIEWERS, ids=("public", "national"))
def test_no_figure_depends_on_where_a_question_begins_or_ends(nation: Connection, viewer: Identity) -> None:
    assert {each.kind for each in OF_EACH_KIND} == set(Kind)
    for indicator in OF_EACH_KIND:
        for grain in GRAINS:
            all_of_it = rows(nation, viewer, indicator, Question(grain=grain, release="2026-02.1"))
            assert any(row.numerator is not None for row in all_of_it.values()) or viewer is PUBLIC
            for first in BEGINNINGS:
                for last in ENDS:
                    asked = Question(first, last, grain, release="2026-02.1")
                    found = rows(nation, viewer, indicator, asked)
                    cut = {(a, p) for a, p in found if first == date(2025, 4, 1) and p == "2024-25"}
                    same = found.keys() & all_of_it.keys() - cut
                    assert {key: found[key] for key in same} == {key: all_of_it[key] for key in same}, asked


@pytest.mark.parametrize("first", BEGINNINGS[:-1])
def test_a_rate_is_of_reported_months_and_the_period_is_partial(nation: Connection, first: date | None) -> None:
    asked = Question(first, LAST, Grain("", "quarter"))
    row = rows(nation, PUBLIC, PER_PERSON, asked)[SCOTLAND, "2025-Q1"]
    assert row.numerator
    assert row.denominator
    assert row.partial
    assert row.value == round(10_000 * row.numerator / row.denominator * 12 / 2, 2)


@pytest.mark.parametrize("first", BEGINNINGS[:-1])
def test_an_authority_s_quarter_is_too_short_by_its_own_data(nation: Connection, first: date | None) -> None:
    by_quarter = rows(nation, PUBLIC, CLOCK, Question(first, LAST, Grain("authority", "quarter")))
    assert [by_quarter[code, "2025-Q1"].why for code in CODES] == [Why.PERIOD] * len(CODES)
    assert not any(by_quarter[code, "2025-Q2"].partial for code in CODES)


NATIONAL = VIEWERS[1]


def quarter(connection: Connection, code: str, label: str, viewer: Identity = NATIONAL) -> Row:
    asked = Question(date(2025, 1, 1), LAST, Grain("authority", "quarter"), release="2026-02.1")
    return rows(connection, viewer, PER_PERSON, asked)[code, label]


def annual(row: Row, code: str, label: str, months: int) -> float:
    assert row.numerator
    return round(10_000 * row.numerator / aged_16_to_70(code, label) * 12 / months, 2)


def test_a_month_of_which_facts_were_told_counts_but_not_as_a_whole_one(nation: Connection) -> None:
    """It was heard from March on, so of February only what was late in coming is known."""
    row = quarter(nation, LATER, "2025-Q1")
    assert row.value == annual(row, LATER, "2025-Q1", months=2)
    by_month = rows(
        nation, NATIONAL, PER_PERSON, Question(BEGIN, LAST, Grain("authority", "month"), release="2026-02.1")
    )
    assert [by_month[LATER, f"2025-0{month}"].partial for month in (2, 3, 4)] == [True, False, False]
    assert not by_month[CODES[0], "2025-02"].partial
    assert not by_month[SCOTLAND, "2025-02"].partial


def test_months_after_the_last_report_are_no_time_of_an_authority(nation: Connection) -> None:
    """Never heard is not zero: its last quarter is of two months, and says so; before, and for others, nothing is lacking."""
    row = quarter(nation, SILENT, "2025-Q4")
    assert row.partial
    assert row.value == annual(row, SILENT, "2025-Q4", months=2)
    assert quarter(nation, SILENT, "2025-Q4", PUBLIC).why is Why.PERIOD
    assert not quarter(nation, SILENT, "2025-Q3").partial
    assert quarter(nation, SILENT, "2026-Q1").numerator is None
    assert not any(quarter(nation, code, "2025-Q4").partial for code in (CODES[0], SCOTLAND))
