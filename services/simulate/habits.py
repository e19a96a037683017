"""How an authority's systems may behave as a whole, beyond single events that are odd."""

from collections.abc import Collection
from enum import Enum, auto
from random import Random


class Habit(Enum):
    """What is wrong with all that an authority sends."""

    USUAL = auto()
    SILENT = auto()
    """Nothing ever comes."""
    REFUSED_ONLY = auto()
    """Every event breaks the contract."""
    AHEAD = auto()
    """Its clock is most of a day ahead, so that it records what has yet to come; that is still accepted."""


SKEW_HOURS = 20


def odd_habits(seed: int, authorities: Collection[str]) -> dict[str, Habit]:
    """One authority for each habit that is odd, as far as there are enough."""
    odd = [habit for habit in Habit if habit is not Habit.USUAL]
    chosen = Random(f"{seed}/habits").sample(sorted(authorities), min(len(odd), len(authorities)))  # noqa: S311
    return dict(zip(chosen, odd, strict=False))
