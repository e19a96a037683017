"""Draw a sample of mutmut's changes, which anyone can draw again, and print what became of them by module.

`python -m tests.support.reports.mutants draw 25 [SEED]` prints the names of 25 changes of each module, `... table` a table for
docs/testing.md. Both read the list of `mutmut results --all true`; mutmut makes its changes before it tries the first of them. `... again`
tries what was missed once more, each change made before anything is imported, which mutmut cannot do.
"""

import os
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

SEED = 10
UNTRIED, NOTICED = "not checked", {"killed", "timeout", "segfault"}


class Change(NamedTuple):
    """One change to one function, and what became of it."""

    name: str
    status: str

    @property
    def module(self) -> str:
        return self.name.rpartition(".")[0]


def changes(lines: Iterable[str]) -> Iterator[Change]:
    """Yield the changes that mutmut lists, each as `name: status`."""
    for line in lines:
        name, colon, status = line.strip().rpartition(": ")
        if colon:
            yield Change(name, status)


def drawn(found: Iterable[Change], number: int, seed: int = SEED) -> list[str]:
    """Return the names of so many changes of each module, or of all that it has: always the same ones, and first one of each module.

    So a run that is stopped has tried about as many of each, and a larger sample begins with the smaller one.
    """
    names = by_module(found)
    turns = [
        _shuffled([each.name for each in own], f"{seed} {module}")[:number] for module, own in sorted(names.items())
    ]
    return [name for turn in zip_longest(*turns) for name in turn if name is not None]


def _shuffled(names: Iterable[str], seed: str) -> list[str]:
    return sorted(names, key=lambda name: sha256(f"{seed} {name}".encode()).digest())


def by_module(found: Iterable[Change]) -> Mapping[str, Sequence[Change]]:
    names: dict[str, list[Change]] = defaultdict(list)
    for each in found:
        names[each.module].append(each)
    return names


def table(found: Iterable[Change]) -> Iterator[str]:
    """Yield the lines of a table: how many changes each module has, and how many were tried, noticed and missed."""
    yield "| module | changes | tried | noticed | missed |"
    yield "|---|---|---|---|---|"
    for module, own in sorted(by_module(found).items()):
        statuses = Counter(each.status for each in own)
        tried = len(own) - statuses[UNTRIED]
        noticed = sum(statuses[each] for each in NOTICED)
        yield f"| `{module.replace('.', '/')}.py` | {len(own)} | {tried} | {noticed} | {tried - noticed} |"


def missed(found: Iterable[Change]) -> list[str]:
    """Return the names of the changes that were tried, and that no test noticed."""
    return [each.name for each in found if each.status not in NOTICED | {UNTRIED}]


def command_of(project: Path) -> list[str]:
    """Return the arguments with which pytest runs the tests of mutmut's configuration, until the first that fails."""
    settings = tomllib.loads(project.read_text())["tool"]["mutmut"]
    return ["-q", "-x", "-n", "0", *settings["pytest_add_cli_args"], *settings["pytest_add_cli_args_test_selection"]]


def again(names: Iterable[str], project: Path) -> Iterator[str]:
    """Try each change as it would be if the file said so, and yield a line about it. First without any, which must pass."""
    for name in ("", *names):
        command = [sys.executable, "-m", "pytest", *command_of(project)]
        environment = os.environ | {"MUTANT_UNDER_TEST": name}
        done = subprocess.run(
            command, check=False, cwd=project.parent / "mutants", env=environment, capture_output=True
        )
        yield f"{name or 'nothing changed'}: {'noticed' if done.returncode else 'not noticed'}"
        if done.returncode and not name:
            return


def main(arguments: list[str]) -> int:
    """Print the sample, the table, or what became of what was missed. Returns the exit status."""
    command = [str(Path(sys.executable).with_name("mutmut")), "results", "--all", "true"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    match arguments:
        case ["draw", number]:
            print(*drawn(changes(listed), int(number)), sep="\n")
        case ["draw", number, seed]:
            print(*drawn(changes(listed), int(number), int(seed)), sep="\n")
        case ["table"]:
            print(*table(changes(listed)), sep="\n")
        case ["again"]:
            for line in again(missed(changes(listed)), Path("pyproject.toml").absolute()):
                print(line, flush=True)
        case _:
            print("usage: python -m tests.support.reports.mutants draw NUMBER [SEED] | table | again", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
