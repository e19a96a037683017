"""A processor that keeps positions and messages in one SQLite file, as a service keeps them in Postgres.

As a program it is a worker: python ledger.py FILE KAFKA GROUP SECONDS_A_BATCH TOPIC...
"""

import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from prometheus_client import CollectorRegistry

from services.chassis.failures import Fenced
from services.chassis.metrics import StreamMetrics
from services.chassis.settings import KafkaSettings, StreamSettings
from services.chassis.streaming.batches import Fingerprint, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.stream import run

SESSION_SECONDS = 6.0
TABLES = """
CREATE TABLE IF NOT EXISTS position (topic TEXT PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS message (topic TEXT, offset INTEGER, value BLOB);
"""


def kafka_settings(address: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=address, session_timeout_seconds=SESSION_SECONDS)


class Ledger:
    """Exactly once: the position is compared and set in the transaction that keeps the messages."""

    def __init__(self, path: Path, seconds_a_batch: float = 0) -> None:
        self.path = path
        self._seconds = seconds_a_batch
        with closing(self._open()) as database:
            database.executescript(TABLES)
        self._believed: dict[str, int] = {}

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        kept = self.positions()
        self._believed = {source.topic: kept.get(source.topic, 0) for source in sources}
        return {source: self._believed[source.topic] for source in sources}

    def held_back(self) -> Mapping[TopicPartition, int]:
        return {}

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return {}

    def process(self, slices: Sequence[Slice]) -> None:
        with closing(self._open()) as database, database:
            database.execute("BEGIN IMMEDIATE")
            for part in slices:
                self._move(database, part)
                rows = [(part.topic, message.offset, message.value) for message in part.messages]
                database.executemany("INSERT INTO message VALUES (?, ?, ?)", rows)
            time.sleep(self._seconds)
        self._believed.update({part.topic: part.next_offset for part in slices})

    def positions(self) -> dict[str, int]:
        with closing(self._open()) as database:
            return dict(database.execute("SELECT topic, next FROM position").fetchall())

    def offsets(self) -> dict[str, list[int]]:
        """Return the offsets of all messages, in the order in which they were kept."""
        kept: dict[str, list[int]] = {}
        with closing(self._open()) as database:
            for topic, offset in database.execute("SELECT topic, offset FROM message ORDER BY rowid"):
                kept.setdefault(topic, []).append(offset)
        return kept

    def _move(self, database: sqlite3.Connection, part: Slice) -> None:
        row = database.execute("SELECT next FROM position WHERE topic = ?", [part.topic]).fetchone()
        if (row[0] if row else 0) != self._believed[part.topic]:
            raise Fenced(f"{part.topic} is elsewhere")
        database.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", [part.topic, part.next_offset])

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30, isolation_level=None)


def main(path: str, address: str, group: str, seconds: str, *topics: str) -> int:
    ledger = Ledger(Path(path), float(seconds))
    metrics = StreamMetrics(CollectorRegistry())
    return run(kafka_settings(address), StreamSettings(batch_max_messages=500), group, topics, ledger, metrics)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
