"""Processes that share work, and say on standard output what becomes of it. They import as little as they can."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NoReturn

from services.chassis.failures import Fenced, Refused
from services.records.upkeep.side_by_side import side_by_side


def say(what: object) -> None:
    os.write(1, f"{what}\n".encode())


def die() -> NoReturn:
    """Be killed, as by the system for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def refuse() -> NoReturn:
    raise Refused("no calendar")


def wait() -> NoReturn:
    say("waits")
    while True:
        signal.pause()


FAULTS: dict[str, Exception] = {"refused": Refused("no"), "fenced": Fenced("no"), "bug": ValueError("no")}


@contextmanager
def _doing() -> Iterator[Callable[[str], str]]:
    yield _do
    say("closed")


def _do(piece: str) -> str:
    if piece == "wait":
        wait()
    if piece == "die":
        die()
    if piece == "interrupted":
        os.kill(os.getpid(), signal.SIGINT)
    if piece in FAULTS:
        raise FAULTS[piece]
    return piece


def share(*pieces: str) -> None:
    """Say each result as it comes; who did it may have nothing more to do."""
    for came in side_by_side(_doing, pieces, 2):
        for one in came:
            say(one)


def fail(*pieces: str) -> None:
    """Say what each piece fails with, beside one that never ends."""
    for one in pieces:
        try:
            share("wait", one)
        except Exception as fault:  # noqa: BLE001 - it is told
            say(f"{type(fault).__name__}: {fault}")
    try:
        list(side_by_side(refuse, ["wait"], 2))
    except Refused as fault:
        say(f"{type(fault).__name__}: {fault}")


def break_off() -> None:
    with closing(side_by_side(_doing, ["wait", "done"], 2)) as results:
        assert any(came == ["done"] for came in results)
    say("broken off")
