"""Every number rounded by itself, by chance; and every number with noise of its own, as cell keys give it."""

from collections.abc import Sequence

import numpy as np

from services.reporting.disclosure.linked_tables import STEP
from tests.disclosure.attack import Known, Values, bounds
from tests.disclosure.findings import ERROR, Findings, errs
from tests.disclosure.suppression import SMALL, is_small, some
from tests.disclosure.tables import Numbers

ROUNDED, CELL_KEYS = "independent rounding", "cell keys"
SPREAD, MOST = 2.0, 5
"""Standard deviation of the noise, and how far it goes at most."""
Noisy = tuple[str, Known]
"""The option, and what its newest release makes known."""


def rounded_each(of: Numbers, releases: Sequence[Values], chance: np.random.Generator, found: Findings) -> Noisy:
    """Round each number to one of the two multiples around it, anew in each release, so that it is right in the mean.

    Releases have NaN for what they do not show yet.
    """
    values, shown = releases[-1], [_drawn(each, chance) for each in releases]
    errs(ROUNDED, of, values, shown[-1], found)
    successive(ROUNDED, values, shown, found)
    mean = np.nanmean(shown, axis=0).round()
    found.add(ROUNDED, "small numbers that are the mean of their roundings", (mean == values)[is_small(values)])
    return ROUNDED, Known(of.rows, shown[-1] - (STEP - 1), shown[-1] + (STEP - 1))


def _drawn(values: Values, chance: np.random.Generator) -> Values:
    low = values // STEP * STEP
    return low + STEP * (chance.random(len(values)) < (values - low) / STEP)


def successive(option: str, values: Values, shown: Sequence[Values], found: Findings) -> None:
    """Whoever takes it that late orders only add knows of a number that was a step and became none that it is small."""
    most = np.fmax.accumulate(np.array(shown))
    fell = ((most == STEP) & (np.array(shown) == 0)).any(axis=0)
    found.add(option, "small numbers seen to be small by successive releases", fell[is_small(values)])


def with_cell_keys(of: Numbers, releases: Sequence[Values], chance: np.random.Generator, found: Findings) -> Noisy:
    """Noise is drawn for each number, whole or part, and again when it changes; none stays none, and nothing becomes less."""
    noise, shown = np.zeros(len(of.names)), np.zeros(len(of.names))
    before = np.full(len(of.names), np.nan)
    for values in releases:
        drawn = np.clip(np.round(chance.normal(0, SPREAD, len(values))), -MOST, MOST)
        noise = np.where(values == before, noise, drawn)
        earlier, shown = shown, np.where(values > 0, np.maximum(values + noise, 0), 0)
        changed = is_small(values - before)
        found.add(CELL_KEYS, "changes by one to four that are seen to be changes", (shown != earlier)[changed])
        before = values
    errs(CELL_KEYS, of, before, shown, found)
    for whole, parts in of.sums:
        found.add(
            CELL_KEYS,
            f"{ERROR}{of.names[whole].kind}, as sums of their parts",
            [(shown[parts].sum() - before[whole]) ** 2],
        )
    return CELL_KEYS, Known(of.rows, np.maximum(shown - MOST, shown > 0), shown + MOST)


def told(option: str, of: Numbers, known: Known, values: Values, found: Findings) -> None:
    """Find what the newest release by itself tells of small numbers."""
    for at in some(is_small(values)):
        reached = bounds(known, of.rows[[at]])
        found.add(
            option, "values left possible of a small number, by the newest release", [reached.high - reached.low + 1]
        )
        found.add(option, "small numbers known not to be none, by the newest release", [reached.low > 0])
        found.add(
            option, "small numbers known to be small, by the newest release", [reached.is_known_to_be_small(SMALL - 1)]
        )
