"""Faults of the machine, as its exporter tells Prometheus: memory that runs short, and a clock that nobody keeps."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.faults.alerts.done.disk import telling
from tests.faults.alerts.scene import Scene

Mend = Callable[[], object]
MEMORY = Path("/proc/meminfo")
LEFT = 0.02


def have_memory_told(scene: Scene) -> None:
    """Have the exporter read what the kernel says from a copy: to take all memory of the machine would end other programs than ours."""
    copy = _copy(scene)
    copy.parent.mkdir()
    copy.write_text(MEMORY.read_text())
    told = telling(scene.home, "meminfo", f"--path.procfs={copy.parent}")
    scene.watched.scrape("host", scene.later.enter_context(told), "memory")


def run_short(scene: Scene) -> Mend:
    """Hardly any of the memory is left."""
    said = MEMORY.read_text()
    total = int(re.findall(r"MemTotal:\s+(\d+)", said)[0])
    _copy(scene).write_text(re.sub(r"(MemAvailable:\s+)\d+", rf"\g<1>{total * LEFT:.0f}", said))
    return lambda: _copy(scene).write_text(MEMORY.read_text())


def _copy(scene: Scene) -> Path:
    return scene.home / "proc" / "meminfo"


def tell_of_clock(scene: Scene) -> Mend:
    """Prometheus is told of the clock of this machine, which nobody keeps; a test may not change that, so that it stays."""
    scene.watched.scrape("host", scene.later.enter_context(telling(scene.home, "timex")), "clock")
    return lambda: None
