"""Reporting says when it does not hold what a service held as it published."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select, text

from contracts.cells import Holdings
from services.chassis.metrics import new_registry
from services.reporting.ingest.lacking import unequal
from services.reporting.ingest.metrics import IngestMetrics
from services.reporting.read.tables import cells, positions, present
from tests.integration.reporting.conftest import Feed, cell, position

GLASGOW = "S12000049"


def rows(**changes: Any) -> list[Any]:
    """Return three rows at version 5, and a position that says so."""
    held = [cell("sessions", GLASGOW, f"2026-0{n}", "", n, version=version) for n, version in ((1, 2), (2, 4), (3, 5))]
    told = position(GLASGOW, version=5)
    return [*held, msgspec.structs.replace(told, holds=Holdings(3, 11), **changes)]


def found(database: Engine) -> list[tuple[str, str]]:
    with database.connect() as connection:
        return [tuple(shard) for shard in unequal(connection)]  # type: ignore[misc]


def test_what_is_whole_is_not_told(database: Engine, feed_only: Feed) -> None:
    feed_only(rows())
    assert found(database) == []
    feed_only([cell("sessions", GLASGOW, "2026-04", "", 9, version=6), position(GLASGOW, version=6)])
    assert found(database) == []


def test_a_row_that_never_came_is_told_until_it_comes(database: Engine, feed_only: Feed) -> None:
    first, *rest = rows()
    feed_only(rest)
    assert found(database) == [("orders", GLASGOW)]
    feed_only([first])
    assert found(database) == []


def test_an_older_value_in_the_place_of_a_newer_is_told(database: Engine, feed_only: Feed) -> None:
    """As compaction would leave it where a publisher that stood still wrote behind the next."""
    *_, last, told = rows()
    feed_only([*rows()[:2], msgspec.structs.replace(last, version=3, value=1), told])
    assert found(database) == [("orders", GLASGOW)]
    registry = new_registry()
    IngestMetrics(registry).unequal(found(database))
    labels = {"service": "orders", "authority": GLASGOW}
    assert registry.get_sample_value("payback_aggregates_unequal", labels) == 1
    assert registry.get_sample_value("payback_aggregates_unequal", {**labels, "service": "unpaid_work"}) == 0


def test_rows_of_a_generation_that_is_not_shown_yet_do_not_count(database: Engine, feed_only: Feed) -> None:
    feed_only([*rows(), cell("sessions", GLASGOW, "2026-01", "", 7, version=1, generation=2)])
    assert found(database) == []


ALTERED = {
    "a figure": "UPDATE cells SET value = value + 1",
    "what is shown": "UPDATE present SET value = value + 1",
    "a row": "DELETE FROM cells WHERE period = '2026-02-01'",
    "a row that is shown": "DELETE FROM present",
    "an older version": "UPDATE cells SET version = 1, value = 0",
    "when it was heard": "UPDATE positions SET heard_at = heard_at - interval '1 day'",
    "where it was": "UPDATE positions SET offsets = '{}'",
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_what_is_published_again_puts_right_what_was_altered_here(
    database: Engine, feed_only: Feed, change: str
) -> None:
    """As `payback republish` does, with the same versions."""

    def held() -> list[object]:
        tables = (cells, present, positions)
        with database.connect() as connection:
            return [sorted(map(str, connection.execute(select(table)))) for table in tables]

    feed_only(rows())
    right = held()
    with database.begin() as connection:
        connection.execute(text(change))
    assert held() != right
    feed_only(rows())
    assert held() == right


def test_a_row_that_is_lost_here_is_told(database: Engine, feed_only: Feed) -> None:
    feed_only(rows())
    with database.begin() as connection:
        connection.execute(text("DELETE FROM cells WHERE period = '2026-02-01'"))
    assert found(database) == [("orders", GLASGOW)]
