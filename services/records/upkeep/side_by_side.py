"""Does pieces of work in several processes. None of them outlives the process that waits for it, however that ends.

A pool of `concurrent.futures` (Python 3.11) does not always notice that the process which it started last was killed, and waits for ever.
"""

import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Thread
from traceback import format_exception
from typing import Any, TypeVar

from services.chassis.failures import Away
from services.chassis.memory import collect_seldom

LOOK_SECONDS = 0.5

P = TypeVar("P")
R = TypeVar("R")
Begin = Callable[[], AbstractContextManager[Callable[[P], R]]]
"""Opens what a process needs, and gives the function that does one piece. It can be pickled."""

SPAWNED = get_context("spawn")


def planned(pieces: Sequence[P], size: Callable[[P], int], most: int, worth: int) -> tuple[list[P], int]:
    """Return the pieces with the largest first, so that all processes end at about the same time, and how many processes they need: at
    most so many, and one for each that has so much to do that it is worth its start.
    """
    ordered = sorted(pieces, key=size, reverse=True)
    return ordered, min(most, sum(map(size, ordered)) // worth, len(ordered))


def side_by_side(begin: Begin[P, R], pieces: Sequence[P], processes: int) -> Generator[list[R]]:
    """Do pieces of work, the first ones first, and yield results as they come: at least every half a second, then perhaps none.

    Raises what a piece or its `begin` raised, and Away if a process was killed. By then all processes have ended, as they have if the
    caller closes this before the end.
    """
    waiting, awaited = iter(pieces), len(pieces)
    with _started(begin, processes) as connections:
        for one in connections:
            _give(one, waiting)
        while awaited:
            came = []
            ready = connection.wait(connections, LOOK_SECONDS)
            for one in filter(ready.__contains__, connections):
                came.append(_taken(one))
                _give(one, waiting)
            awaited -= len(came)
            yield came


@contextmanager
def _started(begin: Begin[Any, Any], number: int) -> Iterator[list[Connection]]:
    """Yield what connects to so many processes. They end by themselves if all went well, and else at once."""
    started: list[tuple[SpawnProcess, Connection]] = []
    try:
        while len(started) < number:
            started.append(_start(begin))
        yield [ours for _, ours in started]
    except BaseException:
        for process, _ in started:
            process.kill()
        raise
    finally:
        for _, ours in started:
            ours.close()
        for process, _ in started:
            process.join()


def _start(begin: Begin[Any, Any]) -> tuple[SpawnProcess, Connection]:
    ours, theirs = SPAWNED.Pipe()
    process = SPAWNED.Process(target=_work, args=(theirs, begin), daemon=True)
    process.start()
    theirs.close()  # so that it closes with the process
    return process, ours


def _give(process: Connection, waiting: Iterator[Any]) -> None:
    """Give a process the next piece, if there is one."""
    with _killed_told():
        for piece in islice(waiting, 1):
            process.send(piece)


def _taken(process: Connection) -> Any:
    """Return the result of a process. Raises what it raised."""
    with _killed_told():
        result, fault = process.recv()
    if fault is not None:
        raise fault
    return result


@contextmanager
def _killed_told() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError) as fault:
        raise Away("one of the processes was killed, perhaps for want of memory") from fault


def _work(waits: Connection, begin: Begin[Any, Any]) -> None:
    """Do what comes until nothing more does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C comes to all: the process that waits ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    collect_seldom()
    try:
        with begin() as do:
            for piece in _pieces(waits):
                waits.send((do(piece), None))
    except Exception as fault:  # noqa: BLE001 - it is raised there
        fault.add_note("".join(format_exception(fault)))
        waits.send((None, fault))


def _pieces(waits: Connection) -> Iterator[Any]:
    with suppress(EOFError):
        while True:
            yield waits.recv()


def _end_with_parent() -> None:
    """End this process if the one that waits for it is killed, whatever it does."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
