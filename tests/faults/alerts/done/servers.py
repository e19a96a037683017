"""Faults of processes and of sessions: a process that dies again and again, transactions that are forgotten, connections that run out."""

from collections.abc import Callable
from contextlib import ExitStack

import psycopg

from tests.faults.alerts.scene import Scene
from tests.support.processes import until

Mend = Callable[[], object]
DEATHS = 4
CROWDED = 0.85
"""Of the connections that there are, more than the alert allows."""


def kill_often(scene: Scene) -> Mend:
    """Kill a process often. It is there again at once, so that it is never away for long."""
    for _ in range(DEATHS):
        before = _begun(scene)
        scene.platform.kill("watch")
        scene.platform.spawn("watch")
        until(lambda before=before: _begun(scene) - before, "Prometheus has seen that it is another one", 60)  # type: ignore[misc]
    return lambda: None


def _begun(scene: Scene) -> set[str]:
    found = scene.watched.ask("query", query='process_start_time_seconds{job="watch"}')["result"]
    return {one["value"][1] for one in found}


def forget_transaction(scene: Scene) -> Mend:
    """Open somebody's session, which has looked at something, and neither ends nor goes on."""
    connection = psycopg.connect(scene.platform.database)
    connection.execute("SELECT count(*) FROM orders.records")
    return connection.close


def crowd(scene: Scene) -> Mend:
    """Take ever more connections by somebody's program, which gives none back."""
    most, taken = scene.platform.rows("SELECT current_setting('max_connections')::int, count(*) FROM pg_stat_activity")[
        0
    ]
    with ExitStack() as opened:
        for _ in range(round(CROWDED * most) - taken):
            opened.enter_context(psycopg.connect(scene.platform.database, autocommit=True))
        return opened.pop_all().close


def take_right(scene: Scene) -> Mend:
    """Take the right to sign in from a role that nobody uses here, so that nothing fails for it."""
    scene.platform.execute("REVOKE UPDATE ON orders.checkpoints FROM orders_worker")
    return lambda: scene.platform.execute("GRANT UPDATE ON orders.checkpoints TO orders_worker")


def blind(scene: Scene) -> Mend:
    """Stop the exporter that tells of PostgreSQL."""
    assert scene.exporter is not None
    scene.exporter.stop()
    return scene.exporter.start
