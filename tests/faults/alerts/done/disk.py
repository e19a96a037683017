"""A small disk that can be filled, and the exporter that tells Prometheus of it and of the machine."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.process import answers, free_ports, spawn, stop, wait_until

EXPORTER = "prometheus-node-exporter"
OTHERS = r"^(?:ext[34]|xfs|zfs|tmpfs|9p|proc|mqueue|cgroup2?|devpts|pstore|bpf|.*fs)$"
"""Kinds of file system of the machine itself, which is not what is proved here; ours is ext2."""


@contextmanager
def small_disk(home: Path) -> Iterator[Path | None]:
    """Yield a disk of 32 megabytes; None where this user, or this machine, may mount none."""
    image, place = home / "disk", home / "mounted"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    made = all(_run(*command) for command in (("mkfs.ext2", "-q", "-F", image), ("mount", "-o", "loop", image, place)))
    try:
        yield place if made else None
    finally:
        if made:
            _run("umount", place)


def _run(program: str, *arguments: str | Path) -> bool:
    if not shutil.which(program):
        return False
    return subprocess.run([program, *arguments], check=False, capture_output=True).returncode == 0


@contextmanager
def told_of(home: Path) -> Iterator[str]:
    """Yield the address where the exporter tells of that disk, and of nothing else."""
    with telling(home, "filesystem", f"--collector.filesystem.fs-types-exclude={OTHERS}") as address:
        yield address


@contextmanager
def telling(home: Path, collector: str, *flags: str) -> Iterator[str]:
    """Yield the address where the exporter tells of one thing about the machine."""
    (port,) = free_ports(1)
    log = home / f"{EXPORTER}-{collector}.log"
    command = (EXPORTER, "--collector.disable-defaults", f"--collector.{collector}", *flags)
    running = spawn((*command, f"--web.listen-address=127.0.0.1:{port}"), log)
    try:
        wait_until(lambda: answers(port), EXPORTER, running, log, seconds=60)
        yield f"127.0.0.1:{port}"
    finally:
        stop(running)
