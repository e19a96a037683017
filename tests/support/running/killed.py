"""Does something, and is killed at one write in so many, each in turn.

Run with killer.c preloaded: `killed.py SCENARIO DIRECTORY ADDRESS FIRST EVERY`.

For each n there is a new spool in DIRECTORY/n; what the application was told is in DIRECTORY/n/told. Ends when nothing was left to kill.
"""

import ctypes
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from contracts.client import Client, Source, Spool, Topic, clients, publication
from contracts.events import OrderReceived

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
EVENTS = 6


def subject(run: int, index: int) -> str:
    return f"run-{run}/{'ab'[index % 2]}"


def adding(home: Path, run: int, address: str) -> None:
    """Add two batches, send each, and fetch its results."""
    told = os.open(home / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    source = Source("S12000005", system=f"run-{run}")
    with Spool(home / "payback.spool") as spool:
        client = Client(spool, dict.fromkeys(Topic, address), lambda: "token", first_pause=0.01)
        for index in range(EVENTS):
            fact = OrderReceived(received_on=date(2025, 3, 4))
            recorded_at = NOON + timedelta(minutes=index)
            client.put(source.event(fact, subject=subject(run, index), recorded_at=recorded_at, id=f"{run}-{index}"))
            os.write(told, f"added {run}-{index}\n".encode())
            if index % 3 == 2:
                client.send()
                results = spool.results()
                spool.forget(results)
                os.write(told, "".join(f"settled {result.id}\n" for result in results).encode())


def publishing(home: Path, run: int, address: str) -> None:
    """Publish a file of good and bad lines, in steps of three, since the number at once is made small."""
    publication.AT_ONCE = 3
    file = home / "events"
    if not file.exists():
        file.write_bytes(b"".join(line + b"\n" for line in published(run)))
    receipts = home / "payback.spool.receipts"
    with file.open("rb") as stream, Spool(home / "payback.spool") as spool:
        client = Client(spool, dict.fromkeys(Topic, address), lambda: "token", first_pause=0.01)
        publication.Publication(stream, spool, client, receipts).run()


def published(run: int) -> list[bytes]:
    """Return the lines of a file, of which 3 and 6 are refused."""
    source = Source("S12000005", system=f"run-{run}")
    fact = OrderReceived(received_on=date(2025, 3, 4))
    made = [
        source.event(fact, subject=subject(run, index), recorded_at=NOON, id=f"{run}-{index}") for index in range(4)
    ]
    first, second, third, fourth = (one.body for one in made)
    return [first, second, b"{}", third, fourth, b"not json"]


SCENARIOS = {"adding": adding, "publishing": publishing}


def main(name: str, home: Path, address: str, first: int, every: int) -> None:
    killer = ctypes.CDLL(None)
    clients._tls()  # once, for all children
    run, killed = first - every, True
    while killed:
        run += every
        (home / str(run)).mkdir()
        child = os.fork()
        if child == 0:
            killer.arm(run)
            SCENARIOS[name](home / str(run), run, address)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and os.WEXITSTATUS(status):
            sys.exit(f"run {run} failed")
    print(run)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
