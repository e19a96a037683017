"""Writes the events of the simulated authorities as files."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from contracts.events import Topic
from contracts.topics import topic_of
from services.simulate.nation import Simulation
from services.simulate.telling.extracts import Exports
from services.simulate.telling.sending import SHORT
from services.simulate.telling.untidy import SECOND


def write(simulation: Simulation, out: Path, extract_days: int = 0) -> int:
    """Write a file for each topic and `truth.json`; return the number of events. Progress goes to standard error.

    With `extract_days`, also write full extracts of the authorities' own systems, of so many last days.
    """
    exports = Exports(out / "extracts", simulation.end, extract_days) if extract_days else None
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    with _files(simulation, out) as files, _progress() as progress:
        days = (simulation.end - simulation.first).days
        task = progress.add_task("events", total=days)
        for delivery in simulation.deliveries():
            files[delivery.topic].write(delivery.value + b"\n")
            if exports is not None:
                exports.take(delivery)
            written += 1
            if written % 5_000 == 0:
                day = datetime.fromtimestamp(delivery.arrived / SECOND, UTC).date()
                told = (day - simulation.first).days
                progress.update(task, completed=told, description=f"{written} events, to {day}")
        progress.update(task, completed=days, description=f"{written} events")
    if exports is not None:
        exports.finish()
    (out / "truth.json").write_text(json.dumps(simulation.truth(), indent=0), encoding="utf-8")
    return written


@contextmanager
def _files(simulation: Simulation, out: Path) -> Iterator[dict[str, BinaryIO]]:
    """Open the file of each topic, by its name."""
    with ExitStack() as stack:
        yield {
            topic_of(kind, code): stack.enter_context((out / f"{SHORT[kind]}.{code}.ndjson").open("wb"))
            for kind in Topic
            for code in simulation.authorities
        }


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
