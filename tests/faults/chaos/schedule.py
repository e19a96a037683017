"""Which faults come in which order, and how long recovery from each took."""

from collections.abc import Mapping, Sequence
from random import Random
from statistics import median

from tests.faults.chaos.faults import FAULTS
from tests.faults.chaos.scene import Fault


def schedule(random: Random, length: int, known: Sequence[Fault] = FAULTS) -> list[Fault]:
    """Return a schedule in which every fault comes about equally often."""
    found: list[Fault] = []
    while len(found) < length:
        found += random.sample(known, len(known))
    return found[:length]


def table(took: Mapping[str, Sequence[float]]) -> str:
    """Return a table with one line for each fault."""
    lines = [f"{'fault':28} {'times':>5} {'median':>8} {'longest':>8}  seconds until all is shown"]
    for name, seconds in sorted(took.items()):
        lines.append(f"{name.replace('_', ' '):28} {len(seconds):5} {median(seconds):8.1f} {max(seconds):8.1f}")
    return "\n".join(lines) + "\n"
