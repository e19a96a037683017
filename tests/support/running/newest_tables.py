"""Runs a command with a PostgreSQL in which every new database has the tables of this version.

`python -m tests.support.running.newest_tables COMMAND...`

An older version's tests then run on the tables that they would find if an operator went back to that version.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import parts


def main(command: list[str]) -> int:
    """Run the command, and return its exit status."""
    with TemporaryDirectory() as directory, parts.postgres_process(Path(directory)) as server:
        parts.make_tables(server.url.rpartition("/")[0] + "/template1")
        return subprocess.run(command, env=os.environ | {"PAYBACK_TEST_POSTGRES": server.url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
