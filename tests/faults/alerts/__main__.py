"""`make alerts`: does every fault of the table to everything running, and prints how long its alert took. Exit status 1 if one failed.

What docs/operator.md has of it goes to standard output, for `python -m tests.faults.alerts.taken`; to standard error, what is being done.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from pathlib import Path
from typing import NamedTuple

from tests.faults.alerts.prove import Proof
from tests.faults.alerts.stage import Failed, Stage, strange
from tests.faults.alerts.table import FAULTS, Fault
from tests.faults.alerts.watched import rules, waits_here

HEADINGS = (
    *("fault", "alert", "fires here after", "arrives here after", "as deployed, calculated", "clears here after"),
    "pages too",
)
NOT_MEASURED = ("",) * (len(HEADINGS) - 3)
NOT_PROVED, NOT_TRIED = "not proved", "not tried"
KEPT = Path(__file__).parents[3] / "var" / "alerts"
"""Where is kept what is left of turns that failed."""
TURN_SECONDS = 90.0
"""How much longer a turn takes than what its rules wait for: a scene may have to be made, and alerts clear."""
Numbered = tuple[int, Fault]


class Asked(NamedTuple):
    """The faults that somebody asked for, and the time that there is."""

    faults: list[Numbered]
    """Each with the number that it has in the whole table, so that one can go on from it."""
    minutes: float


class Run:
    """Faults that are proved, one turn after the other, each once."""

    def __init__(self, stage: Stage, minutes: float) -> None:
        self._stage, self._began = stage, time.monotonic()
        self._ends = self._began + minutes * 60
        self._loads = [os.getloadavg()[0]]

    def turn(self, turn: Sequence[Numbered]) -> int:
        """Do it, if there is time. Returns how many faults are as they must be."""
        faults = [fault for _, fault in turn]
        if time.monotonic() + _takes(faults) > self._ends:
            for fault in faults:
                _row(fault.name, fault.alert, NOT_TRIED, *NOT_MEASURED)
            return 0
        for number, fault in turn:
            _say(f"{time.strftime('%H:%M:%S')} {number} of {len(FAULTS)}: {fault.name}")
        found = self._stage.prove(faults)
        self._loads.append(os.getloadavg()[0])
        return sum(_told(fault, each, faults) for fault, each in zip(faults, found, strict=True))

    def __str__(self) -> str:
        minutes, lightest, heaviest = (time.monotonic() - self._began) / 60, min(self._loads), max(self._loads)
        return (
            f"on {time.strftime('%d %B %Y')}, on a machine of {os.cpu_count()} cores (load {lightest:.0f} to {heaviest:.0f}), "
            f"in one run of {minutes:.0f} minutes"
        )


def main(arguments: Sequence[str], stage: Stage) -> int:
    """Prove each of the chosen faults, whatever became of those before. Returns the exit status."""
    asked = choose(arguments)
    run = Run(stage, asked.minutes)
    _row(*HEADINGS)
    _row(*("---",) * len(HEADINGS))
    with stage:
        proved = sum(run.turn(turn) for turn in turns(asked.faults))
    if len(asked.faults) == len(FAULTS):
        for alert in untried():
            _row("none", alert, "`promtool` only", *NOT_MEASURED)
    print(f"\nMeasured {run}: {proved} of {len(asked.faults)} as they must be.", flush=True)
    return int(proved < len(asked.faults))


def choose(arguments: Sequence[str]) -> Asked:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(prog="make alerts", description="Arguments are given as ARGS=...")
    parser.add_argument(
        "words", nargs="*", help="only faults whose alert or name holds one of these; all, if there are none"
    )
    parser.add_argument("--from", dest="first", type=int, default=1, help="leave out those before this number")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="begin nothing that would end later than this")
    asked = parser.parse_args(arguments)
    chosen = [
        (number, fault)
        for number, fault in enumerate(FAULTS, 1)
        if number >= asked.first
        and (not asked.words or any(word in f"{fault.alert} {fault.name}" for word in asked.words))
    ]
    return Asked(chosen, asked.minutes)


def turns(chosen: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Yield the faults that are done side by side."""
    begins = list(accumulate(int(not fault.beside) for fault in FAULTS))
    for _, turn in groupby(chosen, lambda each: begins[each[0] - 1]):
        yield list(turn)


def untried() -> list[str]:
    """Return the alerts for which no fault is caused."""
    tried = {fault.alert for fault in FAULTS}
    return [name for name, rule in rules().items() if name not in tried and rule["labels"]["severity"] != "none"]


def _takes(faults: Iterable[Fault]) -> float:
    return max(waits_here(fault.alert) for fault in faults) + TURN_SECONDS


def _told(fault: Fault, found: Proof | Failed, beside: Sequence[Fault]) -> bool:
    """Print its row; say whether it was proved, and nothing but what may page paged beside it."""
    if isinstance(found, Failed):
        _row(fault.name, fault.alert, NOT_PROVED, *NOT_MEASURED)
        _say(f"NOT PROVED: {fault.name}: {found}")
        return False
    more = strange(beside, found)
    _row(fault.name, fault.alert, *_measured(found._replace(others=found.others & fault.also | more), fault))
    if more:
        told = [one for one in found.told if one.partition(" ")[0] in more]
        _say(f"NOT ALONE: {fault.name}: also paged: {'; '.join(told) or ', '.join(sorted(more))}")
    return not more


def _measured(proof: Proof, fault: Fault) -> tuple[str, ...]:
    stays = ", ".join(filter(None, ("stays", fault.stays)))
    clears = stays if proof.cleared is None else f"{proof.cleared:.0f} s"
    others = ", ".join(sorted(proof.others)) or "-"
    first = (proof.fired, proof.arrived, proof.deployed(fault.alert))
    return *(f"{seconds:.0f} s" for seconds in first), clears, others


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Stage(kept=KEPT)))
