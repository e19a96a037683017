"""A cached answer is never older than the data that were read."""

from datetime import date
from itertools import count

import numpy as np
from sqlalchemy import Engine

from services.reporting.read.query_cache import MOST_BYTES, SMALL, cached
from services.reporting.read.vintages import AsOf, Live, Released, Vintage
from tests.integration.reporting.conftest import Feed, cell

PAST, RELEASE = AsOf(date(2026, 4, 1)), Released("2026-03.1")


def test_it_holds_until_anything_more_is_read(database: Engine, feed: Feed) -> None:
    times = count(1)

    def ask(vintage: Vintage, what: object = "") -> int:
        with database.connect() as connection:
            return cached(connection, vintage, what, lambda: next(times))

    def all_of_them() -> list[int]:
        return [ask(Live()), ask(Live(), "another"), ask(PAST), ask(RELEASE)]

    assert all_of_them() == all_of_them() == [1, 2, 3, 4]
    feed([cell("first_contact", "S12000049", "2026-03", "band=over_5", 4)])
    assert all_of_them() == all_of_them() == [5, 6, 7, 4]
    for number in range(4):  # each takes a third of what may be held
        with database.connect() as connection:
            cached(connection, Live(), number, lambda: np.zeros(MOST_BYTES // 3 - 2 * SMALL, np.uint8))
    assert ask(PAST) > 7
