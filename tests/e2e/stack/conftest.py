"""One `payback stack`, as somebody from outside uses it. Each test asks about an authority of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.local.process import die_with

Stack = dict[str, Any]
"""What `payback stack` says in its one line."""


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield the running stack. It must end well, and leave nothing."""
    folder, log = tmp_path_factory.mktemp("stack"), tmp_path_factory.mktemp("log") / "progress.log"
    command = [str(Path(sys.executable).with_name("payback")), "stack", "--dir", str(folder)]
    with log.open("wb") as progress:
        along = die_with(os.getpid(), signal.SIGTERM)
        running = psutil.Popen(command, stdout=subprocess.PIPE, stderr=progress, preexec_fn=along)
    with running.stdout:
        line = running.stdout.readline()
        assert line, log.read_text()
        family = running.children(recursive=True)
        yield json.loads(line)
        running.send_signal(signal.SIGTERM)
        assert running.stdout.read() == b""
    assert running.wait(60) == 0, log.read_text()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert not list(folder.glob("payback-*"))
