"""The work of an import grows with the tables and no faster, whatever has gone from them, is late or cannot be read."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime

import pytest

from contracts.client import Source
from services.connect.comparing.compare import Extract, Setting, compare
from services.connect.mapping.loading import read_mapping
from services.connect.moments import micros
from services.connect.state import State
from tests.support.made.extracts import HEADINGS, MAPPING, SESSIONS, Rows, order

FEW, TIMES = 60, 4
MORE = 2.0
"""By so much the work may grow more than the tables: looking up costs a little more in a larger table."""
SESSION_HEADINGS = ["Ref", "Session", "Day", "Attendance", "Hours"]


def orders_of(numbers: Sequence[int], court: str = "Lerwick Sheriff") -> Rows:
    return [HEADINGS, *(order(f"A{number}", Court=court) for number in numbers)]


def sessions_of(numbers: Sequence[int], prefix: str = "A") -> Rows:
    return [SESSION_HEADINGS, *([f"{prefix}{n}", "s1", "01/03/2026", "Attended", 3] for n in numbers)]


def days(many: int) -> dict[str, list[tuple[int, Rows, Rows]]]:
    """Return the imports, as the day on which each was taken, orders and sessions. The last is the one that is measured."""
    everything, half = range(many), range(0, many, 2)
    return {
        "nothing new": [
            (1, orders_of(everything), sessions_of(everything)),
            (2, orders_of(everything), sessions_of(everything)),
        ],
        "half has gone": [
            (1, orders_of(everything), sessions_of(everything)),
            (2, orders_of(half), sessions_of(half)),
            (3, orders_of(half), sessions_of(half)),
        ],
        "an older one comes late": [
            (2, orders_of(half), sessions_of(half)),
            (1, orders_of(everything), sessions_of(everything)),
        ],
        "nothing can be read": [
            (1, orders_of(everything), sessions_of(everything)),
            (2, orders_of(half, "Narnia"), sessions_of(half)),
        ],
        "all is contradicted": [
            (1, [*orders_of(everything), *orders_of(everything, "JP")[1:]], sessions_of(everything))
        ],
        "nobody knows the orders": [(1, orders_of(everything), sessions_of(everything, "B"))],
    }


@pytest.mark.parametrize("case", days(1))
def test_the_work_grows_with_the_tables(case: str) -> None:
    few, many = (steps(days(number)[case]) for number in (FEW, FEW * TIMES))
    assert few > 100, "the steps of the database are counted"
    assert many < TIMES * MORE * few


def steps(imports: list[tuple[int, Rows, Rows]]) -> int:
    """Return the steps of the database's own machine for the last of these imports: the same on any computer."""
    mapping = read_mapping(MAPPING.format(more="vanished: report") + SESSIONS.format(more="vanished: report"), "m")
    done = 0

    def count() -> None:
        nonlocal done
        done += 1

    with closing(State(None)) as state:
        setting = Setting(mapping, Source("S12000027", "connect"), b"k" * 32, state, let_vanish=True)
        for number, (day, orders, sessions) in enumerate(imports, 1):
            if number == len(imports):
                state._database.set_progress_handler(count, 10)
            taken = micros(datetime(2026, 3, day, 18, tzinfo=UTC))
            compare(setting, list(extracts(setting, orders, sessions, taken)), keep=True)
    return done


def extracts(setting: Setting, orders: Rows, sessions: Rows, taken: int) -> Iterator[Extract]:
    for table, name, rows in zip(setting.mapping.tables, ("Orders", "Sessions"), (orders, sessions), strict=True):
        yield Extract(table, name, iter(rows), 1900, taken)
