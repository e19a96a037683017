"""Kafka lost, rehearsed under load: `python -m tests.faults.kafka_recovery`, or `make recovery`.

`payback copy --follow` keeps another Kafka as the platform's. Kafka is lost twice, for good: first at night, when the copy holds all that
came, and the books go on there as they are; then while events come, so that books know events which the copy lacks, and are made again.
Prints how much was lost and how long it took; fails where a figure is not what the events make of it, once senders have sent again what
they are told is missing.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import NamedTuple

from contracts.events import Topic
from contracts.topics import source_topics
from deploy.local.postgres import Postgres, create_database
from deploy.local.process import spawn, stop
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.admin import Admin
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from tests.faults.recovery import PER_SECOND, beside, proved
from tests.load.bench_latency import paced, post
from tests.support.kafka import KafkaProcess
from tests.support.parts import kafka_process
from tests.support.processes import APIS, WORKERS, Platform, running_platform, until

SECONDS = 20
MOST_LOST_SECONDS = 30.0
"""The copy looks every second; on a machine with much other work it may take longer."""
PAYBACK = Path(sys.executable).with_name("payback")


class Sent(NamedTuple):
    """An event for which its sender has a receipt."""

    at: float
    topic: str
    offset: int
    delivery: Delivery


class Senders:
    """Authorities' systems: they send one event after the other, keep their receipts, and send again what they are told is missing."""

    def __init__(self, platform: Platform) -> None:
        self._platform, self.sent = platform, list[Sent]()
        self._deliveries = iter(Simulation(1, 2, date(2026, 4, 1)).deliveries())

    def run(self, stop: Event) -> None:
        for delivery in paced(self._deliveries, PER_SECOND):
            if stop.is_set():
                return
            self._send(delivery)

    def again(self, lost: list[Sent]) -> None:
        """Send again the events that were lost, in their order."""
        self.sent = [one for one in self.sent if one not in lost]
        for one in lost:
            self._send(one.delivery)

    def taken(self) -> dict[str, int]:
        """Return how far each topic was taken."""
        return {one.topic: one.offset for one in self.sent}

    def _send(self, delivery: Delivery) -> None:
        try:
            found = post(self._platform, delivery)
        except OSError:
            return
        if found:
            self.sent.append(Sent(time.monotonic(), found[1], found[2], delivery))


@contextmanager
def copying(platform: Platform, to: KafkaProcess, log: Path) -> Iterator[None]:
    """Run the copy as an operator has it running."""
    told = {
        "PAYBACK_KAFKA_BOOTSTRAP": platform.kafka,
        "PAYBACK_TARGET_BOOTSTRAP": to.address,
        "PAYBACK_METRICS_PORT": "0",
    }
    running = spawn((str(PAYBACK), "copy", "--follow"), log, environment={"PATH": os.defpath, **told})
    try:
        yield
    finally:
        stop(running)


def main() -> int:
    """Print the figures."""
    with ExitStack() as parts:
        home = Path(parts.enter_context(TemporaryDirectory()))
        first, second, third = (parts.enter_context(kafka_process()) for _ in range(3))
        server = Postgres(home)
        parts.callback(server.remove)
        server.start()
        platform = parts.enter_context(running_platform(home, first.address, create_database(server.url, "payback")))
        senders = Senders(platform)
        print(f"{datetime.now(UTC):%Y-%m-%d}, {PER_SECOND} events/s; load of the machine {os.getloadavg()[0]:.1f}")
        with copying(platform, second, home / "copy.log"):
            with beside(senders.run):
                time.sleep(SECONDS)
            platform.wait_until_shown(senders.taken())
            until(lambda: _ends(first) == _ends(second), "the copy holds all that came")
            print("Kafka is lost while nothing comes: the books go on with the copy")
            first.remove()
        _recover(platform, senders, second)
        with copying(platform, third, home / "copy.log"), beside(senders.run):
            time.sleep(SECONDS)
            print("Kafka is lost while events come: the books are made again from the copy")
            second.remove()
        _recover(platform, senders, third)
        proved(platform)
    return 0


def _recover(platform: Platform, senders: Senders, copy: KafkaProcess) -> None:
    """Recover as the page says, from the loss on."""
    began = time.monotonic()
    for name in platform.running():
        platform.kill(name)
    platform.kafka = copy.address
    for name in (*APIS, *WORKERS):
        platform.tell(name, kafka_bootstrap=copy.address)
    lost = _lost(platform, senders)
    for name in WORKERS:
        _go_on(platform, name)
    platform.start(*APIS, *WORKERS)
    print(f"  events are taken again after {time.monotonic() - began:.1f} s")
    senders.again(lost)
    platform.wait_until_shown(senders.taken())
    print(f"  all that was ever sent is visible after {time.monotonic() - began:.1f} s")


def _ends(kafka: KafkaProcess) -> dict[str, int]:
    with closing(Admin(KafkaSettings(bootstrap=kafka.address))) as admin:
        return admin.ends(source_topics(*Topic))


def _lost(platform: Platform, senders: Senders) -> list[Sent]:
    """Return the events for which senders have receipts, and which the copy lacks."""
    ends = platform.ends({one.topic.rpartition("/")[0] for one in senders.sent})
    lost = [one for one in senders.sent if one.offset >= ends[one.topic.rpartition("/")[0]]]
    seconds = max(one.at for one in senders.sent) - min(one.at for one in lost) if lost else 0.0
    print(f"  recovery point: {len(lost)} events of {len(senders.sent)}, {seconds:.1f} s of what was sent")
    assert seconds < MOST_LOST_SECONDS, "the copy lags behind: see its log"
    return lost


def _go_on(platform: Platform, worker: str) -> None:
    """Go on with the copy; where it lacks events that the books know, send them again."""
    told = platform.environment(worker)
    if _payback(told, "adopt", "--confirm") == 0:
        print(f"  {worker}: goes on as it is")
        return
    assert _payback(told, "rebuild", "--less") == 0
    print(f"  {worker}: made again")


def _payback(told: Mapping[str, str], *command: str) -> int:
    done = subprocess.run(
        [PAYBACK, *command], env={"PATH": os.defpath, **told}, check=False, capture_output=True, text=True
    )
    if done.returncode:
        print("  " + (done.stdout + done.stderr).strip().replace("\n", "\n  "))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
