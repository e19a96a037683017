"""A figure of a release is the same wherever the question begins or ends, also where the data begin inside a quarter."""

from collections.abc import Iterator
from datetime import date
from typing import get_args

import pytest
from sqlalchemy import Connection, Engine

from contracts.authorities import AUTHORITIES
from contracts.cells import Service
from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.clock import FixedClock
from services.chassis.database import transaction
from services.reporting.disclosure.gate import Row, Why
from services.reporting.figures.answers import Enquiry, Question, answer
from services.reporting.ingest.store import fold, write
from services.reporting.read.queries import Grain
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind
from services.reporting.registry.population import aged_16_to_70
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, cell, position
from tests.support.figures import KNOWN_ON, national_cells

BEGIN, LAST = date(2025, 2, 1), date(2026, 2, 1)
CODES = list(AUTHORITIES)[:3]
LATER = CODES[1]
"""Heard a month after the others."""
BEGAN = dict.fromkeys(CODES, BEGIN) | {LATER: date(2025, 3, 1)}
GRAINS = Grain("authority", "month"), Grain("authority", "quarter"), Grain("authority", "year")
BEGINNINGS = None, date(2023, 4, 1), date(2024, 12, 1), date(2025, 1, 1), BEGIN, date(2025, 4, 1)
ENDS = None, date(2026, 9, 1)
VIEWERS = PUBLIC, Identity("analyst", frozenset({"national:read"}))
OF_EACH_KIND = list({each.kind: each for each in INDICATORS.values()}.values())
PER_PERSON, CLOCK = INDICATORS["orders_imposed_per_10000"], INDICATORS["placement_within_7"]


@pytest.fixture
def released(database: Engine) -> Iterator[Connection]:
    """With a release of data that begin in the second month of a quarter, for one authority in the third."""
    heard = [
        each
        for code, began in BEGAN.items()
        for service in get_args(Service)
        for each in (
            cell("events", code, f"{began:%Y-%m}", "outcome=applied", 9, f"{KNOWN_ON}", service=service),
            position(code, service=service),
        )
    ]
    cells = [each for each in national_cells(3, BEGIN, 13, len(CODES)) if each.period >= BEGAN[each.authority]]
    with transaction(database) as connection:
        write(connection, fold([*cells, *heard]))
    clock = FixedClock(NOW)
    publication.publish(database, publication.make(database, LAST, KNOWN_ON, clock), clock)
    with transaction(database) as connection:
        yield connection


def rows(connection: Connection, viewer: Identity, indicator: Indicator, asked: Question) -> dict[tuple[str, str], Row]:
    found = answer(Enquiry(connection, viewer, NOW.date()), indicator, asked)
    return {(row.authority, row.period): row for row in found.rows}


@pytest.mark.parametrize("viewer", VIEWERS, ids=("public", "national"))
def test_no_figure_depends_on_where_a_question_begins_or_ends(released: Connection, viewer: Identity) -> None:
    assert {each.kind for each in OF_EACH_KIND} == set(Kind)
    for indicator in OF_EACH_KIND:
        for grain in GRAINS:
            all_of_it = rows(released, viewer, indicator, Question(grain=grain, release="2026-02.1"))
            assert any(row.numerator is not None for row in all_of_it.values()) or viewer is PUBLIC
            for first in BEGINNINGS:
                for last in ENDS:
                    asked = Question(first, last, grain, release="2026-02.1")
                    found = rows(released, viewer, indicator, asked)
                    cut = {(a, p) for a, p in found if first == date(2025, 4, 1) and p == "2024-25"}
                    same = found.keys() & all_of_it.keys() - cut
                    assert {key: found[key] for key in same} == {key: all_of_it[key] for key in same}, asked


@pytest.mark.parametrize("first", BEGINNINGS[:-1])
def test_a_rate_is_of_reported_months_and_the_period_is_partial(released: Connection, first: date | None) -> None:
    asked = Question(first, LAST, Grain("", "quarter"))
    row = rows(released, PUBLIC, PER_PERSON, asked)[SCOTLAND, "2025-Q1"]
    assert row.numerator
    assert row.denominator
    assert row.partial
    assert row.value == round(10_000 * row.numerator / row.denominator * 12 / 2, 2)


@pytest.mark.parametrize("first", BEGINNINGS[:-1])
def test_an_authority_s_quarter_is_too_short_by_its_own_data(released: Connection, first: date | None) -> None:
    by_quarter = rows(released, PUBLIC, CLOCK, Question(first, LAST, Grain("authority", "quarter")))
    assert [by_quarter[code, "2025-Q1"].why for code in CODES] == [Why.PERIOD] * len(CODES)
    assert not any(by_quarter[code, "2025-Q2"].partial for code in CODES)


def test_months_of_which_nothing_was_heard_are_no_time_of_an_authority(released: Connection) -> None:
    national = VIEWERS[1]
    asked = Question(date(2025, 1, 1), LAST, Grain("authority", "quarter"), release="2026-02.1")
    row = rows(released, national, PER_PERSON, asked)[LATER, "2025-Q1"]
    assert row.numerator
    assert row.value == round(10_000 * row.numerator / aged_16_to_70(LATER, "2025-Q1") * 12, 2)
