"""The orders worker, to which something happens: `python -m tests.support.running.unlucky before|during|bug AUTHORITY`.

bug     a fault of ours in each batch with a message of the authority, when everything is read and nothing written
before  in its next batch after the signal ASK, it lingers when it has written nothing
during  in its next batch after the signal ASK, it lingers when everything is written and nothing committed
"""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from services.chassis.streaming import positions
from services.records.ingest import store, times
from services.records.processes import run

LINGER_SECONDS = 5.0
SECRET = "what an order says"
ASK = signal.SIGUSR1
ASKED, LINGERS = "it will linger", "now it lingers"

asked: list[int] = []


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _ask(number: int, _: object) -> None:
    asked.append(number)
    _say(ASKED)


def _linger() -> None:
    _say(LINGERS)
    time.sleep(LINGER_SECONDS)


def _fails_for(authority: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def called(connection: Any, domain: Any, changes: Mapping[Any, Any], *more: Any) -> Any:
        answer = call(connection, domain, changes, *more)
        if any(shard.authority == authority for shard in changes):
            raise KeyError(SECRET)
        return answer

    return called


def _once_asked(something: Callable[[], None], call: Callable[..., Any], *, first: bool) -> Callable[..., Any]:
    """Return the call with something that happens once after it was asked for, before or after the call itself."""

    def called(*arguments: Any) -> Any:
        now = bool(asked)
        if now:
            asked.clear()
        if now and first:
            something()
        answer = call(*arguments)
        if now and not first:
            something()
        return answer

    return called


def happen(what: str, *whom: str) -> None:
    """Prepare what is to happen."""
    signal.signal(ASK, _ask)
    match what:
        case "bug":
            store.stage = _fails_for(whom[0], store.stage)
        case "before":
            positions.advance = _once_asked(_linger, positions.advance, first=True)
        case "during":
            times.note = _once_asked(_linger, times.note, first=True)


if __name__ == "__main__":
    happen(*sys.argv[1:])
    sys.exit(run("orders", ["worker"]))
