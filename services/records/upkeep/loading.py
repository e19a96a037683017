"""Loads the log into empty tables in several processes. Each has authorities of its own, which share nothing but tables."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.sharedctypes import SynchronizedArray
from multiprocessing.synchronize import Event
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from contracts.topics import authority_of
from services.chassis.database import engine
from services.chassis.failures import Away
from services.chassis.memory import collect_seldom
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.containment import Contained
from services.chassis.streaming.placement import place, suffix
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.worker import Worker
from services.records.model.domain import Domain
from services.records.upkeep.history import History, Tell

WORTH_A_PROCESS = 100_000
"""Fewer events than this take less time than another process needs to start."""
LOOK_SECONDS = 0.5


class Loading(NamedTuple):
    """How many processes may load, and what makes the service's domain in each: a function that can be pickled."""

    processes: int
    domain: Callable[[], Domain]


def load(
    settings: DatabaseSettings, kafka: KafkaSettings, loading: Loading, ends: Mapping[str, int], tell: Tell
) -> int:
    """Load what lies before these offsets, and return how many events that was. Nothing is loaded where one process is enough.

    Raises Away or Refused, as the processes do, once all of them have ended.
    """
    shares = share_out(ends, min(loading.processes, sum(ends.values()) // WORTH_A_PROCESS))
    if len(shares) < 2:
        return 0
    context = get_context("spawn")
    stop, done = context.Event(), context.Array("q", len(shares))
    total = sum(ends.values())
    with ProcessPoolExecutor(len(shares), context, initializer=_begin, initargs=(stop, done)) as pool, _ending(stop):
        waiting = [
            pool.submit(_load, number, settings, kafka, loading.domain, share) for number, share in enumerate(shares)
        ]
        for _ in _results(waiting):
            tell(sum(done[:]), total)
        return sum(one.result() for one in waiting)


def share_out(ends: Mapping[str, int], processes: int) -> list[dict[str, int]]:
    """Give each process authorities with about as many events as the others have."""
    if processes < 1:
        return []
    events: Counter[str] = Counter()
    for topic, end in ends.items():
        events[suffix(topic)] += end
    plan = place({str(number): ends.keys() for number in range(processes)}, {}, events.__getitem__)
    return [{topic: ends[topic] for topic in sorted(topics)} for topics in plan.values() if topics]


@contextmanager
def _ending(stop: Event) -> Iterator[None]:
    """End the processes whatever happens here, since the pool waits for them."""
    try:
        yield
    except BrokenProcessPool as fault:
        raise Away("a process that loaded the log was killed") from fault
    finally:
        stop.set()


def _results(waiting: Collection[Future[int]]) -> Iterator[None]:
    """Come back now and then until all have ended, or one has failed. Raises what it raised."""
    remaining = set(waiting)
    while remaining:
        ended, remaining = wait(remaining, LOOK_SECONDS, FIRST_EXCEPTION)
        for one in ended:
            one.result()
        yield


_stop: Event
_done: "SynchronizedArray[int]"


def _begin(stop: Event, done: "SynchronizedArray[int]") -> None:
    global _stop, _done
    _stop, _done = stop, done
    collect_seldom()


def _load(
    number: int, settings: DatabaseSettings, kafka: KafkaSettings, make: Callable[[], Domain], ends: Mapping[str, int]
) -> int:
    domain, database = make(), engine(settings)
    try:
        worker = Contained(Worker(database, domain, RecordsMetrics(CollectorRegistry())))
        with closing(History(kafka, domain, {authority_of(topic) for topic in ends})) as history:
            history.begin(worker)
            return history.feed(worker, ends, partial(_tell, number))
    finally:
        database.dispose()


def _tell(number: int, done: int, _total: int) -> None:
    """Raise Away where nobody waits any more."""
    above = parent_process()
    if _stop.is_set() or (above is not None and not above.is_alive()):
        raise Away("the rebuild was ended")
    _done[number] = done
