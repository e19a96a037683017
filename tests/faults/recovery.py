"""Point-in-time recovery, rehearsed under load: `python -m tests.faults.recovery`, or `make recovery`.

PostgreSQL archives its log of changes, is backed up while events come, is harmed by a wrong change, and is brought back to the moment
before; then its disk is lost, and it is brought back to the end of the archive. Kafka and the platform go on all the while. Prints how much
was lost and how long it took; fails where a figure is not what the events in Kafka make of it, or anything is missing that must be there.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import psycopg
import yaml

from contracts.topics import kind_of_topic
from deploy.local.postgres import Postgres, create_database
from services.simulate.nation import Simulation
from tests.load.bench_latency import paced, post
from tests.support.parts import kafka_process
from tests.support.processes import Platform, running_platform, until
from tests.support.source import ROOT

PER_SECOND = 8
"""Events: five hundred times what the nation sends."""
ARCHIVE_SECONDS = 5
"""After which a part of the log that is not full is archived. A minute when deployed."""
MOST_LOST_SECONDS = 3 * ARCHIVE_SECONDS
"""More would mean that archiving had stopped; what is asked for, on a machine with much other work, may take longer."""
SECONDS = 20
PATIENCE = 120.0


def deployed_command() -> str:
    """Return the archive command that operators are given, with its archive in the folder /archive."""
    services = yaml.safe_load((ROOT / "deploy/compose/archive.yml").read_text())["services"]
    [found] = [one for one in services["postgres"]["command"] if one.startswith("-carchive_command=")]
    return str(found).partition("=")[2]


class Archiving(Postgres):
    """A server that archives its log of changes beside its data, and can be brought back from there."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, options={})
        self._archive, self._base = self._scratch.path / "archive", self._scratch.path / "base"
        self._archive.mkdir()
        self._own(self._archive)
        self._own(self._scratch.path)
        self._options = {
            "archive_mode": "on",
            "archive_command": deployed_command().replace("/archive/", f"{self._archive}/"),
            "archive_timeout": str(ARCHIVE_SECONDS),
            "max_connections": "200",
            "shared_buffers": "128MB",
        }

    def back_up(self) -> None:
        """Copy all files while the server runs."""
        done = self._run(
            *("pg_basebackup", "--dbname", self.url, "--pgdata", str(self._base)),
            *("--checkpoint=fast", "--wal-method=fetch"),
        )
        assert done.wait() == 0, self.log.read_text()[-2000:]

    def lose(self) -> None:
        """Stop the machine, and lose its disk."""
        self.kill()
        shutil.rmtree(self._data)

    def bring_back(self, moment: datetime | None) -> None:
        """Restore from the backup and the archive, to a moment or to the end of the archive. Returns when the server takes changes
        again.
        """
        shutil.copytree(self._base, self._data)
        told = {"restore_command": f"cp {self._archive}/%f %p", "recovery_target_action": "promote"}
        if moment is not None:
            told["recovery_target_time"] = moment.isoformat()
        lines = "".join(f"{name} = '{value}'\n" for name, value in told.items())
        with (self._data / "postgresql.auto.conf").open("a") as settings:
            settings.write(lines)
        (self._data / "recovery.signal").touch()
        for path in (self._data, *self._data.rglob("*")):
            self._own(path)
        self.start()
        until(lambda: not self.asked("SELECT pg_is_in_recovery()"), "PostgreSQL takes changes again", PATIENCE)
        self.asked("CHECKPOINT")  # until then nothing heeds archive_timeout after a recovery

    def asked(self, statement: str, database: str = "postgres") -> object:
        """Return the first value of the answer; None where there is none."""
        with psycopg.connect(self.url.rpartition("/")[0] + f"/{database}", autocommit=True) as connection:
            found = connection.execute(statement.encode())
            row = found.fetchone() if found.description else None
            return row[0] if row else None

    def _own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)


class Marks:
    """Writes the time into a table of its own, ten times a second, and remembers what PostgreSQL said that it keeps."""

    def __init__(self, address: str) -> None:
        self._address, self.kept = address, list[datetime]()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE TABLE marks (at timestamptz)")

    def run(self, stop: Event) -> None:
        while not stop.wait(0.1):
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=2) as connection:
                    while not stop.wait(0.1):
                        at = datetime.now(UTC)
                        connection.execute("INSERT INTO marks VALUES (%s)", (at,))
                        self.kept.append(at)
            except psycopg.Error:
                continue

    def lost(self) -> timedelta:
        """Return by how much the last row that is there is older than the last that was kept; rows kept meanwhile do not count."""
        kept = list(self.kept)
        with psycopg.connect(self._address) as connection:
            there = {row[0] for row in connection.execute("SELECT at FROM marks")}
        missing = [at for at in kept if at not in there]
        self.kept = [at for at in self.kept if at not in missing]
        return max(missing) - min(missing) if missing else timedelta(0)


class Load:
    """Events to the APIs, one a request, whatever happens; remembers how far each topic was taken."""

    def __init__(self, platform: Platform) -> None:
        self._platform, self.taken, self.turned_away = platform, dict[str, int](), 0

    def run(self, stop: Event) -> None:
        for delivery in paced(iter(Simulation(1, 2, date(2026, 4, 1)).deliveries()), PER_SECOND):
            if stop.is_set():
                return
            try:
                found = post(self._platform, delivery)
            except OSError:
                found = None
            if found:
                self.taken[found[1]] = max(found[2], self.taken.get(found[1], -1))
            elif kind_of_topic(delivery.topic):
                self.turned_away += 1


@contextmanager
def beside(*works: Callable[[Event], None]) -> Iterator[None]:
    """Run these beside the test until its end."""
    stop = Event()
    threads = [Thread(target=work, args=(stop,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def main() -> int:
    """Print the figures."""
    with TemporaryDirectory() as directory, kafka_process() as kafka:
        server = Archiving(Path(directory))
        try:
            server.start()
            database = create_database(server.url, "payback")
            with running_platform(Path(directory), kafka.address, database) as platform:
                _rehearse(server, platform, Marks(database))
                proved(platform)
        finally:
            server.remove()
    return 0


def _rehearse(server: Archiving, platform: Platform, marks: Marks) -> None:
    load = Load(platform)
    with beside(marks.run, load.run):
        time.sleep(SECONDS / 2)
        began = time.monotonic()
        server.back_up()
        print(f"{datetime.now(UTC):%Y-%m-%d}, {PER_SECOND} events/s; load of the machine {os.getloadavg()[0]:.1f}")
        print(f"backup under load: {time.monotonic() - began:.1f} s")
        time.sleep(SECONDS / 2)
        _wrong_change(server, platform, load)
        print(f"  lost of what was written before that moment: {_before(marks)}")
        time.sleep(SECONDS)
        print("the disk is lost: back to the end of the archive")
        began = time.monotonic()
        server.lose()
        _back(server, platform, load, None, began)
        lost = marks.lost().total_seconds()
        print(f"  recovery point: {lost:.1f} s of writes, at most {ARCHIVE_SECONDS} s asked for")
        assert lost < MOST_LOST_SECONDS, "the archive lags behind: see the log of PostgreSQL"
    platform.wait_until_shown(load.taken)


_MOMENTS: list[datetime] = []


def _wrong_change(server: Archiving, platform: Platform, load: Load) -> None:
    print("a wrong change: back to the moment before")
    moment = datetime.now(UTC)
    _MOMENTS.append(moment)
    time.sleep(0.5)
    server.asked("DELETE FROM orders.cells", "payback")
    time.sleep(2)
    server.asked("SELECT pg_switch_wal()")
    time.sleep(2)
    began = time.monotonic()
    server.lose()
    _back(server, platform, load, moment, began)
    assert server.asked("SELECT count(*) FROM orders.cells", "payback"), "the wrong change is still there"


def _before(marks: Marks) -> str:
    kept, moment = list(marks.kept), _MOMENTS[-1]
    before = [at for at in kept if at <= moment]
    lost = marks.lost()
    missing = [at for at in before if at not in marks.kept]
    assert not missing, f"{len(missing)} writes of before the moment are gone"
    return f"nothing; {lost.total_seconds():.1f} s of writes after it went, as asked for"


def _back(server: Archiving, platform: Platform, load: Load, moment: datetime | None, began: float) -> None:
    server.bring_back(moment)
    print(f"  PostgreSQL takes changes after {time.monotonic() - began:.1f} s")
    platform.wait_until_shown(dict(load.taken))
    print(f"  all events that were sent until then are visible after {time.monotonic() - began:.1f} s")


def proved(platform: Platform) -> None:
    """Prove, in another way than the workers', that events, records, cells and figures agree."""
    for name in ("orders-worker", "unpaid_work-worker"):
        told = platform.environment(name)
        done = subprocess.run(
            [Path(sys.executable).with_name("payback"), "prove"],
            env={"PATH": os.defpath} | told,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    print("afterwards `payback prove` finds nothing, of orders and of unpaid work")


if __name__ == "__main__":
    sys.exit(main())
