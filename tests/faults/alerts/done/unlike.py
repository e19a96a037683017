"""Faults of processes that run and answer, but not as the others do: of another version, with another list of authorities,
looking too seldom, with a loop that stands still, or without PostgreSQL."""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from deploy.local.process import asking
from services.chassis.clock import system_clock
from tests.faults.alerts.done.figures import payback
from tests.faults.alerts.scene import Scene
from tests.support.processes import until

Mend = Callable[[], object]
OLD = "0.0.1"
SECOND_WATCH, SECOND_WORKER = "watch-of-old", "unpaid_work-worker-of-new"
JOINS = """
[[authority]]
code = "S12000099"
name = "Isles of the West"
health_board = "S08000022"
population_thousands = 10
first_day = {day}
"""
DAY_SECONDS = "86400"
SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
EVERY_THREAD = 0x40000000
ATTEMPTS = 10
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def run_old_version(scene: Scene) -> Mend:
    """Forget a process of the version before, as somebody might."""
    about = scene.home / "old" / f"payback-{OLD}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: payback\nVersion: {OLD}\n")
    program = str(Path(sys.executable).with_name("payback"))
    scene.platform.add(SECOND_WATCH, "orders-worker", "env", f"PYTHONPATH={about.parent}", program, "watch")
    scene.platform.tell(SECOND_WATCH, watch_every_seconds=DAY_SECONDS)
    return _beside(scene, SECOND_WATCH, "watch")


def run_with_new_list(scene: Scene) -> Mend:
    """Let an authority join next year. Its topics are made, and one worker has the new list; those of orders and reporting do not."""
    path = scene.home / "authorities.toml"
    path.write_text(JOINS.format(day=system_clock().date().replace(month=1, day=1, year=system_clock().year + 1)))
    told = {"PAYBACK_AUTHORITIES_PATH": str(path), "PAYBACK_KAFKA_BOOTSTRAP": scene.platform.kafka}
    payback(scene, "orders-worker", "topics", told=told)
    scene.platform.add(SECOND_WORKER, "unpaid_work-worker")
    scene.platform.tell(SECOND_WORKER, authorities_path=str(path))
    away = _beside(scene, SECOND_WORKER, "unpaid-work-worker")

    def mend() -> None:
        away()
        scene.platform.execute("DELETE FROM reporting.put_aside")

    return mend


def _beside(scene: Scene, name: str, job: str) -> Mend:
    scene.platform.spawn(name)
    address = scene.platform.metrics_address(name)
    until(lambda: answers(address), f"{name} answers")
    scene.watched.scrape(job, address, name)

    def mend() -> None:
        scene.watched.scrape(job, None, name)
        scene.platform.stop(name)

    return mend


def look_seldom(scene: Scene) -> Mend:
    """Tell `watch` to look once a day."""

    def every(seconds: str) -> None:
        scene.platform.kill("watch")
        scene.platform.tell("watch", watch_every_seconds=seconds)
        scene.platform.spawn("watch")

    every(DAY_SECONDS)
    return lambda: every("2")


def cut_off_proof(scene: Scene) -> Mend:
    """Let the proof wait for an answer of PostgreSQL that never comes."""
    assert scene.of_proof is not None
    scene.of_proof.cut()
    return scene.of_proof.mend


def hold_loop(name: str) -> Callable[[Scene], Mend]:
    """Hold the thread in which a worker does everything, as an endless loop would, while another one still answers Prometheus."""

    def inject(scene: Scene) -> Mend:
        thread, address = scene.platform.process(name).pid, scene.platform.metrics_address(name)
        for _ in range(ATTEMPTS):
            _hold(thread)
            if answers(address):  # else it was held while no other thread could run
                return lambda: _ptrace(DETACH, thread)
            _ptrace(DETACH, thread)
        raise AssertionError(f"{name} could not be held")

    return inject


def _hold(thread: int) -> None:
    _ptrace(SEIZE, thread)
    _ptrace(INTERRUPT, thread)
    os.waitpid(thread, EVERY_THREAD)


def _ptrace(what: int, thread: int) -> None:
    if _libc.ptrace(what, thread, None, None):
        raise OSError(ctypes.get_errno(), f"ptrace {what:#x} of {thread}")


def answers(address: str) -> bool:
    """Return whether a process tells its metrics."""
    try:
        return asking().get(f"http://{address}/metrics", timeout=3).is_success
    except httpx.TransportError:
        return False
