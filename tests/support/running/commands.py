"""The command `payback` as a process of its own, forked from one that has already imported everything."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support.running.forked import SERVER, go_along


class Done(NamedTuple):
    """How a command ended, and its output."""

    returncode: int | None
    stdout: str
    stderr: str


def carry_out(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float = 120) -> Done:
    """Run `payback` with these arguments, in this folder, with nothing in its environment but what is given."""
    with TemporaryDirectory() as said:
        output = [Path(said, name) for name in ("stdout", "stderr")]
        process = SERVER.Process(target=_run, args=(list(arguments), dict(environment), folder, output), daemon=True)
        process.start()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
        return Done(process.exitcode, *(path.read_text() for path in output))


def _run(arguments: list[str], environment: dict[str, str], folder: Path, output: list[Path]) -> None:
    from services.cli import main

    go_along()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate(output, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["payback", *arguments]
    main()
