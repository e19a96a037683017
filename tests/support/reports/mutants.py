"""Draw a sample of mutmut's changes, which anyone can draw again, and print what became of them by module.

`python -m tests.support.reports.mutants draw 25 [SEED]` prints the names of 25 changes of each module, `... table` a table for
docs/testing.md. Both read the list of `mutmut results --all true`; mutmut makes its changes before it tries the first of them.
"""

import subprocess
import sys
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


def main(arguments: list[str]) -> int:
    """Print the sample or the table. Returns the exit status."""
    command = [str(Path(sys.executable).with_name("mutmut")), "results", "--all", "true"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    match arguments:
        case ["draw", number]:
            print(*drawn(changes(listed), int(number)), sep="\n")
        case ["draw", number, seed]:
            print(*drawn(changes(listed), int(number), int(seed)), sep="\n")
        case ["table"]:
            print(*table(changes(listed)), sep="\n")
        case _:
            print("usage: python -m tests.support.reports.mutants draw NUMBER [SEED] | table", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
