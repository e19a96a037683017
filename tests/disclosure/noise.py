"""Every number rounded by itself, by chance; and every number with noise of its own, as cell keys give it."""

import numpy as np

from services.reporting.disclosure.linked_tables import STEP
from tests.disclosure.attack import Known, Values, bounds
from tests.disclosure.findings import ERROR, Findings, errs
from tests.disclosure.suppression import is_small, some
from tests.disclosure.tables import Numbers

ROUNDED, CELL_KEYS = "independent rounding", "cell keys"
TIMES = 12
"""As a year of monthly releases would round a number that has not changed."""
SPREAD, MOST = 2.0, 5
"""Standard deviation of the noise, and how far it goes at most."""


def rounded_each(of: Numbers, values: Values, chance: np.random.Generator, found: Findings) -> None:
    """Round each number to one of the two multiples around it, so that it is right in the mean."""
    low = values // STEP * STEP
    several = np.array([low + STEP * (chance.random(len(values)) < (values - low) / STEP) for _ in range(TIMES)])
    errs(ROUNDED, of, values, several[0], found)
    small = is_small(values)
    guessed = np.round(several.mean(axis=0)) == values
    found.add(
        ROUNDED, f"small numbers seen as such in {TIMES} releases", (several.max(axis=0) > several.min(axis=0))[small]
    )
    found.add(ROUNDED, f"small numbers that are the mean of {TIMES} releases", guessed[small])
    known = Known(of.rows, several[0] - (STEP - 1), several[0] + (STEP - 1))
    for at in some(small):
        reached = bounds(known, of.rows[[at]])
        found.add(ROUNDED, "values left possible of a small number, by one release", [reached.high - reached.low + 1])
        found.add(ROUNDED, "small numbers known not to be none, by one release", [reached.low > 0])


def with_cell_keys(of: Numbers, values: Values, chance: np.random.Generator, found: Findings) -> None:
    """Draw noise for each number, whole or part; none stays none, and nothing becomes less."""
    noise = np.clip(np.round(chance.normal(0, SPREAD, len(values))), -MOST, MOST)
    shown = np.where(values > 0, np.maximum(values + noise, 0), 0)
    errs(CELL_KEYS, of, values, shown, found)
    for whole, parts in of.sums():
        found.add(
            CELL_KEYS,
            f"{ERROR}{of.names[whole].kind}, as sums of their parts",
            [(shown[parts].sum() - values[whole]) ** 2],
        )
