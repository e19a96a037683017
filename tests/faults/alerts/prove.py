"""Carries out one fault, and measures until its alert fires, arrives and clears."""

import time
from collections.abc import Callable
from typing import NamedTuple

from tests.faults.alerts.scene import Scene
from tests.faults.alerts.table import Fault
from tests.faults.alerts.watched import SCALE, SCRAPE_SECONDS, SELDOMER, Watched, waits

PATIENCE_SECONDS = 240.0
"""Longer than rules wait here, for 90 seconds at most, or look back, for three minutes, and the platform after that."""


class Proof(NamedTuple):
    """Seconds since the fault, or since it was mended; and what else paged."""

    fired: float
    arrived: float
    cleared: float | None
    others: frozenset[str]

    def deployed(self, alert: str) -> float:
        """How long it takes as deployed: what rules and scrapes wait for is ten times as long; the platform looks less often."""
        return self.arrived + (waits(alert) + 2 * SCRAPE_SECONDS * SCALE) * (1 - 1 / SCALE) + SELDOMER.get(alert, 0)


class NotProved(Exception):
    """The alert did not do what it must."""


def prove(scene: Scene, fault: Fault) -> Proof:
    """Raises NotProved."""
    fault.before(scene)
    watched = scene.watched
    _wait(watched, lambda: not watched.active("firing", "pending"), f"all is quiet before {fault.name}")
    begun = time.monotonic()
    mend = fault.inject(scene)
    try:
        fired = _wait(watched, lambda: watched.fires(fault.alert), f"{fault.alert} fires") - begun
        arrived = _wait(watched, lambda: _told(scene, fault, begun, "firing"), f"{fault.alert} arrives") - begun
    finally:
        mended, cleared = time.monotonic(), None
        mend()
    if fault.clears:
        cleared = _wait(watched, lambda: _told(scene, fault, mended, "resolved"), f"{fault.alert} clears") - mended
    paged = {one.alert for one in watched.receiver.since(begun)}
    return Proof(fired, arrived, cleared, frozenset(paged - {fault.alert}))


def _told(scene: Scene, fault: Fault, begun: float, status: str) -> bool:
    return fault.alert in {one.alert for one in scene.watched.receiver.since(begun, status=status)}


def _wait(watched: Watched, happened: Callable[[], bool], what: str) -> float:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            now = f"firing {sorted(watched.active('firing'))}, pending {sorted(watched.active('pending'))}"
            raise NotProved(f"in {PATIENCE_SECONDS:.0f} s it did not happen: {what}; {now}")
        time.sleep(0.2)
    return time.monotonic()
