"""Plays seeds on a stage of its own."""

import subprocess
import sys
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from contracts.authorities import AUTHORITIES
from deploy.local.postgres import Postgres, create_database
from deploy.local.process import free_ports
from tests.faults.chaos.faults import FAULTS
from tests.faults.chaos.scene import Fault, Scene, Surroundings, play
from tests.faults.chaos.schedule import schedule, table
from tests.faults.chaos.wider import WIDER, fill_a_disk
from tests.support.kafka import KafkaProcess, remove_topics
from tests.support.made.load import Load
from tests.support.outside.proxy import Proxy
from tests.support.processes import WORKERS, running_platform

QUICK = {
    "kafka_session_timeout_seconds": "3",
    "kafka_metadata_seconds": "5",
    "stream_batch_max_messages": "25",
    "stream_retry_longest_seconds": "2",
    "stream_identity_every_seconds": "2",
    "database_idle_transaction_seconds": "3",
}
DISK = "700m"


def main(
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 5,
    first: Annotated[int, typer.Option(help="The first of them.")] = 1,
    faults: Annotated[int, typer.Option(help="Faults by seed; each about equally often.")] = len(FAULTS) + len(WIDER),
    only: Annotated[list[str] | None, typer.Option(help="Names of faults, as in kill_kafka.")] = None,
) -> None:
    """Play seeds, one after another, and print by fault how often it was injected and how long recovery took."""
    took: dict[str, list[float]] = defaultdict(list)
    for seed in range(first, first + seeds):
        sys.stderr.write(f"seed {seed}\n")
        random = Random(seed)
        *authorities, bystander = random.sample(sorted(AUTHORITIES), 3)
        with stage() as scene:
            scene.random, scene.bystander, scene.took = random, bystander, took
            known = [one for one in (*FAULTS, *WIDER) if one is not fill_a_disk or scene.own.disks]
            chosen: list[Fault] = [one for one in known if not only or one.__name__ in only]
            try:
                play(scene, Load(authorities, months=3, seed=seed), schedule(random, faults, chosen))
            except BaseException:
                _tell_what_was_said(scene)
                raise
            finally:
                sys.stdout.write(table(took))


@contextmanager
def stage() -> Iterator[Scene]:
    """Yield the platform with Kafka and PostgreSQL of its own, each behind a way that can be cut, and on a small disk where that may be
    made.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        directory.chmod(0o711)
        disks = [disk for name in ("kafka", "postgres") if (disk := _disk(stack, directory / name))]
        to_kafka, to_postgres = Proxy(0), Proxy(0)
        stack.callback(to_kafka.close)
        stack.callback(to_postgres.close)
        (beside,) = free_ports(1)
        kafka, postgres = KafkaProcess((beside, to_kafka.port), directory / "kafka"), Postgres(directory / "postgres")
        to_kafka.target, to_postgres.target = beside, postgres.port
        scene = Scene(None, kafka, postgres, Random(), "", around=Surroundings(to_kafka, to_postgres, disks, directory))  # type: ignore[arg-type]
        stack.callback(kafka.remove)
        stack.callback(_remove_postgres, scene)
        kafka.start()
        postgres.start()
        remove_topics(kafka.address)
        database = create_database(postgres.url, f"chaos_{uuid.uuid4().hex}")
        ways = f"127.0.0.1:{to_kafka.port}", database.replace(f":{postgres.port}/", f":{to_postgres.port}/")
        scene.platform = stack.enter_context(running_platform(directory, *ways, dict.fromkeys(WORKERS, QUICK)))
        scene.platform.kafka, scene.platform.database = kafka.address, database  # the test's own ways are not cut
        yield scene


def _tell_what_was_said(scene: Scene) -> None:
    """Print the end of each process's log, without the lines that are expected."""
    for log in sorted(scene.own.directory.glob("*.log")):
        lines = [line for line in log.read_text(errors="replace").splitlines() if "tries again" not in line]
        sys.stderr.write("\n".join([f"== {log.name}", *lines[-15:]]) + "\n")


def _remove_postgres(scene: Scene) -> None:
    """Remove whichever PostgreSQL it is by then."""
    scene.postgres.remove()


def _disk(stack: ExitStack, place: Path) -> Path | None:
    """Return a small disk of its own; None where the system does not allow it."""
    place.mkdir(mode=0o711)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0711", "tmpfs", place], check=False, capture_output=True
    )
    if made.returncode:
        sys.stderr.write("no disk can be filled here: mounting is not allowed\n")
        return None
    stack.callback(subprocess.check_call, ["umount", "--lazy", str(place)])
    return place


if __name__ == "__main__":
    typer.run(main)
