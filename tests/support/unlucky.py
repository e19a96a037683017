"""The orders worker, to which something happens in its third batch: python -m tests.support.unlucky before|during|bug AUTHORITY

bug     with an authority: a fault of ours in each batch with something of it, when everything is sent and nothing written
before  it lingers when it has its batch and has written nothing
during  it lingers when everything is written and nothing committed
"""

import sys
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from services.chassis.streaming import positions
from services.orders.__main__ import main
from services.records.ingest import store, times

LINGER_SECONDS = 5.0
SECRET = "what an order says"
LINGERS = "now it lingers"

calls = count(1)


def _linger() -> None:
    sys.stderr.write(f"{LINGERS}\n")
    sys.stderr.flush()
    time.sleep(LINGER_SECONDS)


def _fails_for(authority: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def called(connection: Any, domain: Any, changes: Mapping[Any, Any], *more: Any) -> Any:
        answer = call(connection, domain, changes, *more)
        if any(shard.authority == authority for shard in changes):
            raise KeyError(SECRET)
        return answer

    return called


def _third_time(something: Callable[[], None], call: Callable[..., Any], *, first: bool) -> Callable[..., Any]:
    """The same call, but the third time something happens, first or afterwards."""

    def called(*arguments: Any) -> Any:
        now = next(calls) == 3
        if now and first:
            something()
        answer = call(*arguments)
        if now and not first:
            something()
        return answer

    return called


def happen(what: str, *whom: str) -> None:
    """Prepare it."""
    match what:
        case "bug":
            store.stage = _fails_for(whom[0], store.stage)
        case "before":
            positions.advance = _third_time(_linger, positions.advance, first=True)
        case "during":
            times.note = _third_time(_linger, times.note, first=True)


if __name__ == "__main__":
    happen(*sys.argv[1:])
    sys.exit(main(["worker"]))
