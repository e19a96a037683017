"""Faults by which events are late, or never came."""

import time
from collections.abc import Callable

import psycopg

from contracts.authorities import AUTHORITIES
from tests.faults.alerts.done.hanging import hang
from tests.faults.alerts.scene import MIDDLE, OTHER, SMALLEST, Scene, people
from tests.faults.alerts.watched import LATE_HERE
from tests.support.processes import until

Mend = Callable[[], object]
BACKLOG, AT_ONCE = 1300, 100
"""More messages than the nation sends in a day."""
QUICK = tuple(code for code in AUTHORITIES if code not in {SMALLEST, MIDDLE, OTHER})
LATE = QUICK[:8]
WAITING = "SELECT FROM orders.shards s JOIN orders.publications p USING (authority) WHERE s.version > p.version AND authority = ANY(%s)"
ROUNDS = 10
"""So many publications in time after which those that were late are few."""
HELD = "orders", "unpaid_work"


def fall_behind(scene: Scene) -> Mend:
    """Have more than a day of the nation's events wait behind a transaction that neither ends nor goes on, and ever more come."""
    go_on = hang(f"orders.events.{OTHER}", OTHER)(scene)
    for _ in range(BACKLOG // AT_ONCE):
        scene.heartbeats([OTHER], AT_ONCE)
    away = people(1, lambda: scene.heartbeats([OTHER], 3), pause=2.0)

    def mend() -> None:
        away()
        go_on()

    return mend


def hold_up(scene: Scene) -> Mend:
    """Most publications are visible at once. Twice, those of some authorities are held up for longer than they may take, and then sent."""
    scene.heartbeats(QUICK)
    for _ in range(2):
        with psycopg.connect(scene.platform.database) as connection:
            connection.execute("SELECT FROM orders.publications WHERE authority = ANY(%s) FOR UPDATE", [list(LATE)])
            scene.heartbeats(LATE)
            time.sleep(LATE_HERE + 3)
        until(lambda: not scene.platform.rows(WAITING, list(LATE)), "they are published")

    def mend() -> None:
        for _ in range(ROUNDS):
            scene.heartbeats(QUICK)
            time.sleep(1)

    return mend


def never_hear(scene: Scene) -> Mend:
    """Make it look as if nothing had ever come of the smallest authority; the proof may find that arrivals are missing."""
    for service in HELD:
        scene.platform.execute(
            f"CREATE TABLE public.kept_{service} AS SELECT * FROM {service}.arrivals WHERE authority = '{SMALLEST}'"
        )
        scene.platform.execute(f"DELETE FROM {service}.arrivals WHERE authority = %s", SMALLEST)

    def mend() -> None:
        for service in HELD:
            scene.platform.execute(f"INSERT INTO {service}.arrivals SELECT * FROM public.kept_{service}")
            scene.platform.execute(f"DROP TABLE public.kept_{service}")

    return mend
