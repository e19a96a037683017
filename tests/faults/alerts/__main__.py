"""`make alerts`: does every fault of the table to everything running, and prints how long its alert took. Exit status 1 if one failed.

Rows go to standard output as docs/operator.md has them; what is being done goes to standard error.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from tests.faults.alerts.prove import Proof
from tests.faults.alerts.stage import Failed, Stage
from tests.faults.alerts.table import FAULTS, Fault
from tests.faults.alerts.watched import rules

HEADINGS = (
    *("fault", "alert", "fires here after", "arrives here after", "as deployed, calculated", "clears here after"),
    "pages too",
)
NOT_MEASURED = ("",) * (len(HEADINGS) - 3)
Numbered = tuple[int, Fault]


def main(arguments: Sequence[str], stage: Stage) -> int:
    """Prove each of the chosen faults, whatever became of those before. Returns the exit status."""
    chosen, began = list(choose(arguments)), time.monotonic()
    _row(*HEADINGS)
    _row(*("---",) * len(HEADINGS))
    with stage:
        proved = sum(_proved(stage, turn) for turn in turns(chosen))
    if len(chosen) == len(FAULTS):
        for alert in untried():
            _row("none", alert, "`promtool` only", *NOT_MEASURED)
    minutes = (time.monotonic() - began) / 60
    _say(f"{proved} of {len(chosen)} as they must be, on {time.strftime('%d %B %Y')}, in {minutes:.0f} minutes")
    return int(proved < len(chosen))


def choose(arguments: Sequence[str]) -> Iterator[Numbered]:
    """Yield the chosen faults, with the number that each has in the whole table, so that one can go on from it."""
    parser = argparse.ArgumentParser(prog="make alerts", description="Arguments are given as ARGS=...")
    parser.add_argument(
        "words", nargs="*", help="only faults whose alert or name holds one of these; all, if there are none"
    )
    parser.add_argument("--from", dest="first", type=int, default=1, help="leave out those before this number")
    asked = parser.parse_args(arguments)
    for number, fault in enumerate(FAULTS, 1):
        named = not asked.words or any(word in f"{fault.alert} {fault.name}" for word in asked.words)
        if number >= asked.first and named:
            yield number, fault


def turns(chosen: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Yield the faults that are done side by side."""
    begins = list(accumulate(int(not fault.beside) for fault in FAULTS))
    for _, turn in groupby(chosen, lambda each: begins[each[0] - 1]):
        yield list(turn)


def untried() -> list[str]:
    """Return the alerts for which no fault is caused."""
    tried = {fault.alert for fault in FAULTS}
    return [name for name, rule in rules().items() if name not in tried and rule["labels"]["severity"] != "none"]


def _proved(stage: Stage, turn: Sequence[Numbered]) -> int:
    """Return how many of a turn are as they must be."""
    for number, fault in turn:
        _say(f"{time.strftime('%H:%M:%S')} {number} of {len(FAULTS)}: {fault.name}")
    faults = [fault for _, fault in turn]
    also = frozenset[str]().union(*(fault.also for fault in faults))
    return sum(_told(fault, found, also) for fault, found in zip(faults, stage.prove(faults), strict=True))


def _told(fault: Fault, found: Proof | Failed, also: frozenset[str]) -> bool:
    """Print its row; say whether it was proved, and nothing but what may page paged beside it."""
    if isinstance(found, Failed):
        _row(fault.name, fault.alert, "not proved", *NOT_MEASURED)
        _say(f"NOT PROVED: {found}")
        return False
    more = found.others - also
    _row(fault.name, fault.alert, *_measured(found._replace(others=found.others & fault.also | more), fault))
    if more:
        _say(f"NOT ALONE: {fault.name}: also paged: {', '.join(sorted(more))}")
    return not more


def _measured(proof: Proof, fault: Fault) -> tuple[str, ...]:
    clears = "stays" if proof.cleared is None else f"{proof.cleared:.0f} s"
    others = ", ".join(sorted(proof.others)) or "-"
    first = (proof.fired, proof.arrived, proof.deployed(fault.alert))
    return *(f"{seconds:.0f} s" for seconds in first), clears, others


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Stage()))
