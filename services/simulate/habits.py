"""Faults of all that an authority's systems send, beyond single odd events."""

from collections.abc import Collection
from enum import Enum, auto
from random import Random


class Habit(Enum):
    """A fault in everything that an authority sends."""

    USUAL = auto()
    SILENT = auto()
    """It never sends anything."""
    REFUSED_ONLY = auto()
    """Every event breaks the contract."""
    AHEAD = auto()
    """Its clock is most of a day ahead, so that it records events before they happen; that is still accepted."""


SKEW_HOURS = 20


def odd_habits(seed: int, authorities: Collection[str]) -> dict[str, Habit]:
    """Choose one authority for each odd habit, as far as there are enough."""
    odd = [habit for habit in Habit if habit is not Habit.USUAL]
    chosen = Random(f"{seed}/habits").sample(sorted(authorities), min(len(odd), len(authorities)))  # noqa: S311
    return dict(zip(chosen, odd, strict=False))
