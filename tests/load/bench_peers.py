"""How fast other stream processors take the log of orders, beside our worker: `python -m tests.load.bench_peers --help`.

Each reads the same log from Apache Kafka in one process. Bytewax and Quix Streams decode and fold with our own functions; Kafka Streams,
in Java, keeps the newest statement of each fact exactly once in its own store, without the rules. The worker also writes records,
cells with their history, arrivals and offsets to PostgreSQL in one transaction; the others write nothing outside themselves. So the
ratios tell what our promises cost beside theirs. The others in Python are installed into an environment of their own under
`build/peers`, since their dependencies are not ours.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer

from contracts.events import Topic
from contracts.topics import source_topics
from deploy.local.settings import clean_environment
from tests.load.bench_worker import measure, send, stack
from tests.support.outside.jars import named_in

RELEASES = "bytewax[kafka]==0.21.1", "quixstreams==3.28.1"
HOME = Path("build/peers")
STREAMS = Path(__file__).parent / "peers" / "streams"
KAFKA = Path(__file__).parents[1] / "kafka" / "jars.txt"


class Peer(NamedTuple):
    """Another stream processor, and how many times as fast as it the worker should be."""

    command: tuple[str, ...]
    target: float


def _peers() -> Mapping[str, Peer]:
    python, flows = _environment(), "tests.load.peers"
    jars = os.pathsep.join(map(str, (*named_in(KAFKA), *named_in(STREAMS / "jars.txt"))))
    return {
        "Bytewax 0.21.1, in memory": Peer((python, "-m", f"{flows}.bytewax_flow"), 2.5),
        "Quix 3.28.1, RocksDB": Peer((python, "-m", f"{flows}.quix_flow", "rocksdb"), 3),
        "Quix 3.28.1, in memory": Peer((python, "-m", f"{flows}.quix_flow", "memory"), 1.3),
        "Kafka Streams 4.4.0, without rules": Peer(("java", "-cp", jars, str(STREAMS / "Orders.java")), 1),
    }


def main(
    months: Annotated[int, typer.Option(help="Of the pretend nation.")] = 6,
    rounds: Annotated[int, typer.Option(help="How often each of the others runs; the median counts.")] = 3,
) -> None:
    """Print the figures. Returns 1 where a target is missed."""
    peers = _peers()
    with stack() as (platform, meter):
        sent = send(platform.kafka, months)
        ours = measure(platform, meter, "orders", 1, sent)
        missed = False
        for name, peer in peers.items():
            found = sorted(_rate(peer, platform.kafka, sent["orders"]) for _ in range(rounds))
            theirs = found[len(found) // 2]
            missed |= ours / theirs < peer.target
            print(
                f"{name:<35} {theirs:>7,.0f} events a second, {found[0]:,.0f} to {found[-1]:,.0f}; "
                f"the worker is {ours / theirs:.2f} times as fast (aim {peer.target})",
                flush=True,
            )
    sys.exit(missed)


def _environment() -> str:
    """Return the interpreter of an environment with the others, which finds our own packages too. Makes it where it is not there."""
    python = HOME.resolve() / "bin" / "python"
    if not python.exists():
        venv.create(HOME, with_pip=True)
        subprocess.run((python, "-m", "pip", "install", "--quiet", *RELEASES), check=True)
    return str(python)


def _rate(peer: Peer, kafka: str, events: int) -> float:
    """Return events a second, from the first event to the last."""
    topics = source_topics(Topic.ORDERS)
    here = os.pathsep.join((str(Path.cwd()), sysconfig.get_path("purelib")))
    told = {"PEERS_KAFKA": kafka, "PEERS_TOPICS": ",".join(topics), "PEERS_EVENTS": str(events), "PYTHONPATH": here}
    with TemporaryDirectory() as directory:
        ended = subprocess.run(
            peer.command,
            env=clean_environment() | told,
            cwd=directory,
            stdout=subprocess.PIPE,
            text=True,
            timeout=1200,
            check=True,
        )
    number, seconds, _ = ended.stdout.split()
    assert int(number) == events, "not all events were processed"
    return events / float(seconds)


if __name__ == "__main__":
    typer.run(main)
