"""Very many gaps, as random numbers leave, or very many sources: followed as fast as any other."""

from collections.abc import Callable
from datetime import date

from sqlalchemy import event, text

from services.chassis.database import engine
from services.chassis.settings import DatabaseSettings
from services.records.api.receipts import queries
from services.records.ingest.sequences import counters
from services.records.ingest.sequences.sequence import Gap, Numbers
from tests.integration.records.conftest import Bench

MONTH = date(2025, 3, 1)
GAPS = text(
    "INSERT INTO gaps SELECT 'S12000036', 'crm', n * 10, n * 10 + 5, '2025-03-01' FROM generate_series(1, 150000) n"
)


def test_where_a_number_is_missing_is_found_without_looking_at_all_that_are(
    bench: Callable[[str], Bench], postgres: str
) -> None:
    with bench("unpaid_work").database.begin() as connection:
        connection.execute(GAPS)
        connection.execute(text("INSERT INTO counters VALUES ('S12000036', 'crm', 1500006)"))
    source = ("S12000036", "crm")
    came = [(number, MONTH) for number in range(1_400_000, 1_405_000, 5)]
    hurried = engine(DatabaseSettings(url=postgres, schema_name="unpaid_work", statement_timeout_seconds=2))
    with hurried.begin() as connection:
        found = counters.load(connection, {source: {MONTH: came}})
        assert len(counters.open_gaps(connection, "S12000036")) == counters.MOST_GAPS, "no answer lists all of them"
    hurried.dispose()
    assert found == {
        source: Numbers(1_500_006, [Gap(n, n + 5, MONTH) for n in range(1_400_000, 1_405_000, 10)]),
    }


def test_a_batch_reads_the_counters_of_its_own_sources_only(bench: Callable[[str], Bench]) -> None:
    """An authority may name another system in each event, and have as many counters as it sent events."""
    with bench("unpaid_work").database.begin() as connection:
        connection.execute(
            text("INSERT INTO counters SELECT 'S12000036', 'crm' || n, n FROM generate_series(1, 20000) n")
        )
        read: list[int] = []
        event.listen(connection.engine, "after_cursor_execute", lambda *said: read.append(said[1].rowcount))
        found = counters.load(connection, {("S12000036", "crm7"): {MONTH: [(8, MONTH)]}})
    assert found["S12000036", "crm7"].highest == 7
    assert sum(read) == 1


def test_no_answer_lists_more_sources_than_anybody_has(bench: Callable[[str], Bench]) -> None:
    with bench("unpaid_work").database.begin() as connection:
        connection.execute(
            text("INSERT INTO counters SELECT 'S12000036', 'crm' || n, n FROM generate_series(1, 20000) n")
        )
        assert len(queries.highest(connection, "S12000036")) == queries.MOST_SOURCES
