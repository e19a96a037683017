"""The rehearsal of services, after which a template is forked."""

import subprocess
import sys

import pytest

REHEARSED = """
import os, threading
from deploy.local.rehearsal import rehearse
before = dict(os.environ), set(os.listdir("/proc/self/fd"))
rehearse()
print(threading.active_count(), (dict(os.environ), set(os.listdir("/proc/self/fd"))) == before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a template")
def test_it_leaves_nothing_that_a_fork_could_not_take_along() -> None:
    ended = subprocess.run([sys.executable, "-c", REHEARSED], check=True, capture_output=True, text=True)
    assert ended.stdout.split() == ["1", "True"], "threads, and whether environment and open files are as before"
