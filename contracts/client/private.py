"""Files that only their owner may read, whatever the system gives to new files."""

from contextlib import suppress
from pathlib import Path


def private(path: Path) -> Path:
    """Make the file unless it exists, for its owner alone, and return its path. Whoever opens it then says what is wrong with the path.

    SQLite gives the files beside a database the permissions of the database.
    """
    with suppress(OSError):
        path.touch(mode=0o600, exist_ok=False)
    return path
