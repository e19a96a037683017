"""Programs that tests start."""

import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

from deploy.local.process import die_with


def child(
    command: Sequence[str | os.PathLike[str]], *, on_orphan: signal.Signals = signal.SIGKILL, **options: Any
) -> "subprocess.Popen[Any]":
    """Start a program, as subprocess.Popen does, that never outlives the test that started it, not even one that is killed."""
    return subprocess.Popen(command, preexec_fn=die_with(os.getpid(), on_orphan), **options)  # noqa: PLW1509
