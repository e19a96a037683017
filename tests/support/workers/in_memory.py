"""Keeps the files of databases and brokers that tests start in memory, where there is room: nobody reads them afterwards.

To make the 320 files of a database takes a disk's file system ten times as long as memory, all of it on a processor (measured).
"""

import os
import tempfile
from pathlib import Path

import psutil

from deploy.local.scratch import Scratch

MEMORY = Path("/dev/shm")
ROOM = 12 * 2**30
"""Half of this is used at the most. Besides, workers need what they need."""
ALL, OF_TESTS = "TMPDIR", "PYTEST_DEBUG_TEMPROOT"
"""The variables that say where temporary files are: all, and those of tests themselves."""


def has_room(memory: Path = MEMORY, room: int = ROOM) -> bool:
    """Return whether there is such a folder, and as much memory that nobody uses."""
    return (
        memory.is_dir()
        and os.access(memory, os.W_OK)
        and min(psutil.disk_usage(str(memory)).free, psutil.virtual_memory().available) >= room
    )


def keep(memory: Path = MEMORY, room: int = ROOM) -> Scratch | None:
    """Have all that this process starts keep temporary files there until it ends, and tests what they write where it was.

    Nothing is done where somebody has said where to keep files.
    """
    if ALL in os.environ or not has_room(memory, room):
        return None
    home = Scratch(memory)
    os.environ.setdefault(OF_TESTS, tempfile.gettempdir())
    os.environ[ALL] = str(home.path)
    tempfile.tempdir = None
    return home
