"""Faults in figures and releases: a cell altered in each table, and a release that does not come."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from services.chassis.clock import system_clock
from tests.faults.alerts.scene import Scene

Mend = Callable[[], object]
CELLS = {
    "orders.cells": ("delta", "authority, measure, period, category, known_on"),
    "unpaid_work.cells": ("delta", "authority, measure, period, category, known_on"),
    "reporting.cells": ("value", "service, authority, generation, measure, category, period, known_on"),
}
"""Of each table with figures, the figure and the key."""


def alter_cell(table: str) -> Callable[[Scene], Mend]:
    """One more than the events give; the proof comes round to it."""
    figure, key = CELLS[table]
    change = f"UPDATE {table} SET {figure} = {figure} + %s WHERE ({key}) = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1)"

    def inject(scene: Scene) -> Mend:
        assert scene.platform.rows(f"SELECT FROM {table} LIMIT 1"), f"{table} has no cell to alter"
        scene.platform.execute(change, 1)
        return lambda: scene.platform.execute(change, -1)

    return inject


def forget_release(scene: Scene) -> Mend:
    """Figures were announced for yesterday, and nobody made them; in the end that is called off."""
    now = system_clock()
    yesterday = now.date() - timedelta(days=1)
    month = (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)

    def announce(number: int, day: date | None) -> None:
        row = "INSERT INTO reporting.announcements (month, number, day, at, reason, who) VALUES (%s, %s, %s, %s, '', 'operator')"
        scene.platform.execute(row, month, number, day, now - timedelta(days=40))

    announce(1, yesterday)
    return lambda: announce(2, None)


def publish_release(scene: Scene) -> Mend:
    """Figures up to the month before last, at once."""
    told = {name: told for name, told in scene.platform.environment("reporting-api").items() if "_DATABASE_" in name}
    command = [str(Path(sys.executable).with_name("payback")), "release", "make", "--publish"]
    done = subprocess.run(command, env={"PATH": os.defpath, **told}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return lambda: None
