"""A temporary directory that is deleted when the process that made it ends, even by SIGKILL."""

import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

# Waits for the end of its input, which comes when the maker closes it or dies. Then deletes until nothing is left, since a database may
# still be writing its last files.
_SWEEP = 'cat; n=0; while rm -rf "$0" 2>/dev/null; [ -e "$0" ] && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done'


class Scratch:
    """A directory at `path`. Any user may enter it, but only the maker may list it."""

    def __init__(self, parent: Path | None = None) -> None:
        self.path = Path(mkdtemp(prefix="payback-", dir=parent))
        self.path.chmod(0o711)
        self._sweeper = subprocess.Popen(
            ["/bin/sh", "-c", _SWEEP, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def remove(self) -> None:
        """Delete it with everything in it. Does nothing the second time."""
        self._sweeper.communicate()

    def leave(self) -> None:
        """Have it deleted, and do not wait for that: thousands of files take many seconds."""
        assert self._sweeper.stdin is not None
        self._sweeper.stdin.close()
        self._sweeper.returncode = 0  # else Python would warn of it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()
