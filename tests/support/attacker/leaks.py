"""Gates that are weak in one place, so that the attack can be seen to use it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.chassis.api.auth import Identity
from services.reporting.disclosure.gate import Figure, Gate, Row
from services.reporting.registry.indicators import Indicator

WHOLE = Gate(Identity("leak", frozenset({"national:read"})), frozenset())
Concerns = Callable[[Figure], bool]


def leak(patch: pytest.MonkeyPatch, *names: str, where: Concerns = lambda _: True) -> None:
    """Of rows that are not shown, these numbers are shown all the same."""
    strict = Gate._row

    def row(gate: Gate, indicator: Indicator, figure: Figure) -> Row:
        found = strict(gate, indicator, figure)
        if not found.suppressed or not where(figure):
            return found
        whole = strict(WHOLE, indicator, figure)
        return replace(found, **{name: getattr(whole, name) for name in names})

    patch.setattr(Gate, "_row", row)


def small_counts_alone(patch: pytest.MonkeyPatch) -> None:
    """Hides what is small, and nothing by which it can be worked out."""

    def is_public(_gate: Gate, _indicator: Indicator, figure: Figure) -> bool:
        return figure.numerator is None or not 0 < figure.numerator <= 4

    patch.setattr(Gate, "_is_public", is_public)


def stocks(patch: pytest.MonkeyPatch) -> None:
    """Tells what is open, whatever of its flows is hidden."""
    patch.setattr(Gate, "_stock_is_public", lambda *_: True)


def changes(patch: pytest.MonkeyPatch) -> None:
    """Tells what moved, whatever of it is hidden."""
    strict = Gate.changes
    patch.setattr(Gate, "changes", lambda gate, found: strict(Gate(gate.viewer, frozenset()), found))
