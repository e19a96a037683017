"""Loads the log into empty tables, in several processes if there is much of it. Authorities share nothing but tables."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing.sharedctypes import SynchronizedArray
from operator import attrgetter, setitem
from typing import NamedTuple

from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.records.model.domain import Domain
from services.records.upkeep.filling import Filler, Stretch
from services.records.upkeep.history import Tell
from services.records.upkeep.side_by_side import SPAWNED, planned, side_by_side

WORTH_A_PROCESS = 100_000
"""Fewer events than this take less time than another process needs to start."""


class Loading(NamedTuple):
    """How many processes may load, and what makes the service's domain in each: a function that can be pickled."""

    processes: int
    domain: Callable[[], Domain]


class Target(NamedTuple):
    """Where the log is, and where it is loaded."""

    settings: DatabaseSettings
    kafka: KafkaSettings


def load(target: Target, domain: Domain, loading: Loading | None, stretches: Sequence[Stretch], tell: Tell) -> int:
    """Load these stretches, and return how many events that was: less than all of them where an authority is left to the worker.

    Raises Away or Refused, as the processes do, once all of them have ended.
    """
    most = loading.processes if loading else 1
    waiting, processes = planned(stretches, attrgetter("size"), most, WORTH_A_PROCESS)
    if loading is None or processes < 2:
        return _load_here(target, domain, waiting, tell)
    read, total = 0, sum(one.size for one in waiting)
    done = SPAWNED.Array("q", len(waiting))
    begin = partial(_loading, target, loading.domain, done)
    with closing(side_by_side(begin, list(enumerate(waiting)), processes)) as results:
        for came in results:
            read += sum(came)
            tell(sum(done[:]), total)
    return read


def _load_here(target: Target, domain: Domain, stretches: Sequence[Stretch], tell: Tell) -> int:
    read, before, total = 0, 0, sum(one.size for one in stretches)
    with closing(Filler(*target, domain)) as filler:
        for one in stretches:
            read += filler.fill(one, lambda done, before=before: tell(before + done, total))  # type: ignore[misc]
            before += one.size
    return read


@contextmanager
def _loading(
    target: Target, make: Callable[[], Domain], done: "SynchronizedArray[int]"
) -> Iterator[Callable[[tuple[int, Stretch]], int]]:
    """Open a filler, which notes by number how far each stretch is."""
    with closing(Filler(*target, make())) as filler:

        def load_one(numbered: tuple[int, Stretch]) -> int:
            number, stretch = numbered
            return filler.fill(stretch, partial(setitem, done, number))

        yield load_one
