"""Carries out faults side by side, and measures until the alert of each fires, arrives and clears."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.faults.alerts.scene import Scene
from tests.faults.alerts.table import Fault
from tests.faults.alerts.watched import SCALE, SCRAPE_SECONDS, SELDOMER, Told, Watched, waits, waits_here

QUIET_SECONDS = 120.0
"""How long may be left over of the turn before; what looks back for longer is waited for in its own turn."""
PATIENCE_SECONDS = 240.0
"""How much longer than its rule waits an alert may take to arrive; and how long to clear: rules look back for three minutes."""


SAID_ANYWAY = {"alertname", "severity", "waits_for"}


class Proof(NamedTuple):
    """Seconds since the fault, or since it was mended; and what else paged."""

    fired: float
    arrived: float
    cleared: float | None
    others: frozenset[str]
    told: tuple[str, ...] = ()
    """Of these, each with its labels."""

    def deployed(self, alert: str) -> float:
        """Return how long it takes as deployed: what rules and scrapes wait for is ten times as long; the platform looks less often.

        Where it arrived sooner than its rule waits, something was old already, which it may not be.
        """
        waited = waits(alert) - waits_here(alert) + 2 * SCRAPE_SECONDS * (SCALE - 1)
        return max(self.arrived, waits_here(alert)) + waited + SELDOMER.get(alert, 0)


class NotProved(Exception):
    """The alert did not do what it must."""


class NotQuiet(Exception):
    """Something fires before anything was done."""


class Course:
    """How far one fault is: it is done, its alert arrives, it is mended, and the alert clears."""

    def __init__(self, scene: Scene, fault: Fault) -> None:
        self.fault, self._scene = fault, scene
        self.failed: Exception | None = None
        self._mend: Callable[[], object] | None = None
        self._begun = self._mended = self._deadline = 0.0
        self._arrived: Told | None = None
        self._cleared: Told | None = None

    @property
    def over(self) -> bool:
        """Return whether nothing more is waited for."""
        last = self._cleared if self.fault.clears else self._arrived
        return self.failed is not None or last is not None

    def prepare(self) -> None:
        """Make what must be there first."""
        self._carefully(lambda: self.fault.before(self._scene))

    def begin(self) -> None:
        """Do it, if it could be prepared."""
        self._begun = time.monotonic()
        if self.failed is None:
            self._carefully(self._inject)

    def go_on(self) -> None:
        """Look for its alert, and mend it once that has arrived."""
        if not self.over:
            self._carefully(self._look)

    def end(self) -> None:
        """Mend it, if that was not done."""
        mend, self._mend = self._mend, None
        if mend is not None:
            self._mended, self._deadline = time.monotonic(), time.monotonic() + PATIENCE_SECONDS
            mend()

    def finish(self) -> None:
        """Do the same at the end of the turn, whatever comes of it."""
        self._carefully(self.end)

    def proof(self, others: Sequence[Told]) -> Proof:
        """Return what was seen. Raises whatever went wrong."""
        if self.failed is not None:
            raise self.failed
        assert self._arrived is not None
        cleared = None if self._cleared is None else self._cleared.at - self._mended
        fired, arrived = (at - self._begun for at in (self._arrived.fired, self._arrived.at))
        names, told = frozenset(one.alert for one in others), tuple(with_labels(one, self._begun) for one in others)
        return Proof(fired, arrived, cleared, names, told)

    def _inject(self) -> None:
        self._mend = self.fault.inject(self._scene)
        self._deadline = time.monotonic() + PATIENCE_SECONDS + waits_here(self.fault.alert)

    def _look(self) -> None:
        if self._arrived is None:
            self._arrived = self._told(self._begun, "firing")
            if self._arrived is not None:
                self.end()
        else:
            self._cleared = self._told(self._mended, "resolved")
        if not self.over and time.monotonic() > self._deadline:
            raise NotProved(
                f"{self.fault.alert} does not {'clear' if self._arrived else 'arrive'}; {now(self._scene.watched)}"
            )

    def _told(self, since: float, status: str) -> Told | None:
        found = self._scene.watched.receiver.since(since, status=status)
        return next((one for one in found if one.alert == self.fault.alert), None)

    def _carefully(self, step: Callable[[], object]) -> None:
        """Let those beside a fault go on, whatever goes wrong with it."""
        try:
            step()
        except Exception as error:  # noqa: BLE001
            self.failed = error


def prove(scene: Scene, faults: Sequence[Fault]) -> list[Proof | Exception]:
    """Do them side by side; what each shows, or what went wrong with it. Raises NotQuiet if it is not quiet before."""
    courses = [Course(scene, fault) for fault in faults]
    for course in courses:
        course.prepare()
    if all(course.over for course in courses):
        return [_shown(course, ()) for course in courses]
    wait_for_quiet(scene.watched, faults[0].name)
    begun = time.monotonic()
    try:
        for course in courses:
            course.begin()
        while not all(course.over for course in courses):
            for course in courses:
                course.go_on()
            time.sleep(0.2)
    finally:
        for course in courses:
            course.finish()
    expected = {fault.alert for fault in faults}
    others = [one for one in scene.watched.receiver.since(begun) if one.alert not in expected]
    return [_shown(course, others) for course in courses]


def with_labels(one: Told, begun: float) -> str:
    """Return an alert with what its labels say besides, and when it paged."""
    labels = ", ".join(f"{name}={value}" for name, value in sorted(one.labels.items()) if name not in SAID_ANYWAY)
    return f"{one.alert} {{{labels}}} after {one.at - begun:.0f} s"


def _shown(course: Course, paged: Sequence[Told]) -> Proof | Exception:
    try:
        return course.proof(paged)
    except Exception as error:  # noqa: BLE001 - it is the answer
        return error


def wait_for_quiet(watched: Watched, before: str) -> None:
    """Wait until nothing fires. Raises NotQuiet."""
    deadline = time.monotonic() + QUIET_SECONDS
    while watched.active("firing", "pending"):
        if time.monotonic() > deadline:
            raise NotQuiet(f"it does not become quiet before: {before}; {now(watched)}")
        time.sleep(0.2)


def now(watched: Watched) -> str:
    """Return what fires at present, in words."""
    return f"firing {sorted(watched.active('firing'))}, pending {sorted(watched.active('pending'))}"
