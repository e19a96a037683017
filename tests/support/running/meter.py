"""Measures the cost of a service's work, and its results: processor time by process, and what PostgreSQL wrote."""

from typing import NamedTuple, Self

import psutil
import psycopg

CAME = {
    "cells": "SELECT authority, measure, period, category, known_on, delta FROM {0}.cells WHERE delta <> 0 AND measure <> 'sequence'",
    "sequence": "SELECT authority, period, category, sum(delta) FROM {0}.cells WHERE measure = 'sequence' "
    "GROUP BY authority, period, category HAVING sum(delta) <> 0",
    "records": "SELECT r.authority, r.subject, r.facts::jsonb, to_jsonb(r) - 'facts' FROM {0}.records r",
    "persons": "SELECT authority, person_ref, begun, ended, is_new, orders FROM {0}.persons WHERE orders > 0",
    "arrivals": 'SELECT authority, "offset", outcome, event_id, subject, arrived_at FROM {0}.arrivals',
    "rejections": 'SELECT topic, "offset", event_id, reason, path, mended_by FROM {0}.rejections',
}
"""Results that must be the same whatever batches the log came in. For a day of `sequence`, the order between two topics decides."""


class Spent(NamedTuple):
    """Processor time in seconds, and bytes of write-ahead log."""

    worker: float = 0.0
    postgres: float = 0.0
    broker: float = 0.0
    wal: int = 0

    def since(self, before: Self) -> "Spent":
        """Return what was spent between the two."""
        worker, postgres, broker, wal = self
        return Spent(worker - before.worker, postgres - before.postgres, broker - before.broker, wal - before.wal)


class Meter:
    """Measures the work of one worker at a time, over a connection of its own whose cost does not count."""

    def __init__(self, database: str, broker: psutil.Process) -> None:
        self._connection = psycopg.connect(database, autocommit=True)
        self._own = psutil.Process(self._connection.info.backend_pid)
        parent = self._own.parent()
        assert parent is not None
        self._server, self._broker = parent, broker

    def spent(self, *workers: psutil.Process) -> Spent:
        """Return what was spent until now, by these workers and by everything that they share."""
        server = [self._server, *self._server.children()]
        postgres = sum(map(_used, server)) + _of_ended(self._server) - _used(self._own)
        return Spent(sum(map(_used, workers)), postgres, _used(self._broker), self._number(_WAL))

    def begun(self, service: str) -> bool:
        """Return whether a worker has asked from where to read."""
        return self._number(f"SELECT count(*) FROM {service}.checkpoints") > 0

    def taken(self, service: str) -> int:
        """Return how many messages a service has processed."""
        return self._number(f"SELECT coalesce(sum(next_offset), 0) FROM {service}.checkpoints")

    def unpublished(self, service: str) -> int:
        """Return how many authorities have changes that are not published yet."""
        return self._number(
            f"SELECT count(*) FROM {service}.shards s LEFT JOIN {service}.publications p USING (authority) "
            "WHERE s.version > coalesce(p.version, 0)"
        )

    def rows(self, service: str) -> int:
        """Return how many rows were written since the tables were made, by sessions that have ended."""
        self._number("SELECT pg_stat_clear_snapshot() IS NOT NULL")
        return self._number(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables "
            f"WHERE schemaname = '{service}'"
        )

    def came(self, service: str) -> dict[str, str]:
        """Return short checksums of the results, by their names."""
        return {name: self._checksum(query.format(service)) for name, query in CAME.items()}

    def close(self) -> None:
        self._connection.close()

    def _checksum(self, query: str) -> str:
        rows = "string_agg(md5(one::text), '' ORDER BY md5(one::text))"
        found = self._connection.execute(f"SELECT left(md5({rows}), 8) FROM ({query}) one".encode()).fetchone()
        return str(found[0]) if found else ""

    def _number(self, query: str) -> int:
        found = self._connection.execute(query.encode()).fetchone()
        assert found is not None
        return int(found[0])


_WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"


def _used(process: psutil.Process) -> float:
    """Return the processor time of a process that may have ended meanwhile."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _of_ended(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)
