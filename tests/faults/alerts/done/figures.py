"""Faults in figures and releases: a cell altered in each table, and a release that does not come."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

from services.chassis.clock import system_clock
from tests.faults.alerts.scene import Scene

Mend = Callable[[], object]
CELLS = {
    "orders.cells": ("delta", "authority, measure, period, category, known_on"),
    "unpaid_work.cells": ("delta", "authority, measure, period, category, known_on"),
}
"""Of the tables of the services, the figure and the key."""
SHOWN = "service, authority, generation, measure, category, period, known_on"
OLD = timedelta(days=101)
COUNTED = (
    f"(SELECT {SHOWN} FROM reporting.cells JOIN reporting.positions USING (service, authority, generation) "
    f"WHERE service = 'orders' AND rows_held IS NOT NULL ORDER BY {SHOWN} LIMIT 1)"
)
"""One row of reporting, of an authority of which the service said how many there are."""


def alter_cell(table: str) -> Callable[[Scene], Mend]:
    """Alter a cell to one more than the events give; the proof comes round to it."""
    figure, key = CELLS[table]
    change = f"UPDATE {table} SET {figure} = {figure} + %s WHERE ({key}) = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1)"

    def inject(scene: Scene) -> Mend:
        assert scene.platform.rows(f"SELECT FROM {table} LIMIT 1"), f"{table} has no cell to alter"
        scene.platform.execute(change, 1)
        return lambda: scene.platform.execute(change, -1)

    return inject


def alter_figure(scene: Scene) -> Mend:
    """Alter a figure to one more than was published. The runbook's command puts it right."""
    return _done_to_shown(scene, "UPDATE reporting.cells SET value = value + 1")


def lose_row(scene: Scene) -> Mend:
    return _done_to_shown(scene, "DELETE FROM reporting.cells")


def _done_to_shown(scene: Scene, change: str) -> Mend:
    found = scene.platform.rows(f"{change} WHERE ({SHOWN}) = {COUNTED} RETURNING authority")
    assert found, "reporting holds no row"
    return lambda: payback(scene, "orders-worker", "republish", found[0][0])


def payback(scene: Scene, like: str, *arguments: str, told: Mapping[str, str] | None = None) -> None:
    """Run one of our commands as an operator does, told what a process is told, and more."""
    database = {name: told for name, told in scene.platform.environment(like).items() if "_DATABASE_" in name}
    command = [str(Path(sys.executable).with_name("payback")), *arguments]
    environment = {"PATH": os.defpath, **database, **(told or {})}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def forget_release(scene: Scene) -> Mend:
    """Announce figures for yesterday that nobody makes; in the end they are called off."""
    now = system_clock()
    yesterday = now.date() - timedelta(days=1)
    month = (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)

    def announce(number: int, day: date | None) -> None:
        row = "INSERT INTO reporting.announcements (month, number, day, at, reason, who) VALUES (%s, %s, %s, %s, '', 'operator')"
        scene.platform.execute(row, month, number, day, now - timedelta(days=40))

    announce(1, yesterday)
    return lambda: announce(2, None)


def publish_release(scene: Scene) -> Mend:
    """Publish figures up to the month before last, at once."""
    payback(scene, "reporting-api", "release", "make", "--publish")
    return lambda: None


def age_release(scene: Scene) -> Mend:
    """Figures were published, and then none for longer than a quarter of a year."""
    publish_release(scene)
    move = "UPDATE reporting.releases SET published_at = published_at + %s"
    scene.platform.execute(move, -OLD)
    return lambda: scene.platform.execute(move, OLD)
