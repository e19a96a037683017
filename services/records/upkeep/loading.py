"""Loads the log into empty tables, in several processes if there is much of it. Authorities share nothing but tables."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import cache, partial
from multiprocessing import get_context, parent_process
from multiprocessing.sharedctypes import SynchronizedArray
from multiprocessing.synchronize import Event
from multiprocessing.util import Finalize
from typing import NamedTuple

from services.chassis.failures import Away
from services.chassis.memory import collect_seldom
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.records.model.domain import Domain
from services.records.upkeep.filling import Filler, Stretch
from services.records.upkeep.history import Tell

WORTH_A_PROCESS = 100_000
"""Fewer events than this take less time than another process needs to start."""
LOOK_SECONDS = 0.5


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
    waiting = sorted(
        stretches, key=lambda one: one.size, reverse=True
    )  # the largest first, so that all end at about the same time
    total = sum(one.size for one in waiting)
    processes = min(loading.processes, total // WORTH_A_PROCESS, len(waiting)) if loading else 1
    if loading is None or processes < 2:
        return _load_here(target, domain, waiting, tell)
    context = get_context("spawn")
    stop, done = context.Event(), context.Array("q", len(waiting))
    begin = (stop, done, target, loading.domain)
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=begin) as pool, _ending(stop):
        running = [pool.submit(_load, number, one) for number, one in enumerate(waiting)]
        for _ in _results(running):
            tell(sum(done[:]), total)
        return sum(one.result() for one in running)


def _load_here(target: Target, domain: Domain, stretches: Sequence[Stretch], tell: Tell) -> int:
    read, before, total = 0, 0, sum(one.size for one in stretches)
    with closing(Filler(*target, domain)) as filler:
        for one in stretches:
            read += filler.fill(one, lambda done, before=before: tell(before + done, total))  # type: ignore[misc]
            before += one.size
    return read


@contextmanager
def _ending(stop: Event) -> Iterator[None]:
    """End the processes whatever happens here, since the pool waits for them."""
    try:
        yield
    except BrokenProcessPool as fault:
        raise Away("a process that loaded the log was killed") from fault
    finally:
        stop.set()


def _results(running: Collection[Future[int]]) -> Iterator[None]:
    """Come back now and then until all have ended, or one has failed. Raises what it raised."""
    remaining = set(running)
    while remaining:
        ended, remaining = wait(remaining, LOOK_SECONDS, FIRST_EXCEPTION)
        for one in ended:
            one.result()
        yield


_stop: Event
_done: "SynchronizedArray[int]"
_make: Callable[[], Filler]


def _begin(stop: Event, done: "SynchronizedArray[int]", target: Target, domain: Callable[[], Domain]) -> None:
    global _stop, _done, _make
    _stop, _done, _make = stop, done, lambda: Filler(*target, domain())
    collect_seldom()


@cache
def _filler() -> Filler:
    """Return the filler of this process, made with its first work: whatever `_begin` raised, nobody would be told."""
    filler = _make()
    Finalize(filler, filler.close, exitpriority=1)
    return filler


def _load(number: int, stretch: Stretch) -> int:
    return _filler().fill(stretch, partial(_tell, number))


def _tell(number: int, done: int) -> None:
    """Raise Away where nobody waits any more."""
    above = parent_process()
    if _stop.is_set() or (above is not None and not above.is_alive()):
        raise Away("the rebuild was ended")
    _done[number] = done
