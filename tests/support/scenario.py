"""The scenario of the reference data: an untidy stream of 150 orders, and the cells that must result."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts.events import Topic
from contracts.topics import topic_of
from services.chassis.streaming.batches import Slice

DIRECTORY = Path(__file__).parent.parent / "reference" / "scenario"
NOON = 1_790_000_000_000
"""A time in September 2026, in milliseconds: after everything that is recorded in the scenario."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as a broker delivers it."""

    offset: int
    value: bytes | None
    timestamp: int = NOON
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def topics() -> Iterator[tuple[Topic, str, list[bytes]]]:
    """Yield kind, authority and lines of each topic."""
    for path in sorted(DIRECTORY.glob("*.ndjson")):
        kind, authority, _ = path.name.split(".")
        yield Topic(f"{kind}.events"), authority, path.read_bytes().splitlines()


def slices(lines: Iterable[tuple[Topic, str, list[bytes]]], size: int, start: int = 0) -> Iterator[list[Slice]]:
    """Yield fetches of at most `size` messages of each topic, all topics in turn."""
    sources = [(topic_of(kind, authority), found) for kind, authority, found in lines]
    longest = max(len(found) for _, found in sources)
    for begin in range(0, longest, size):
        yield [
            Slice(topic, 0, [Sent(start + begin + i, value) for i, value in enumerate(found[begin : begin + size])])
            for topic, found in sources
            if begin < len(found)
        ]


def expected() -> dict[str, int]:
    """Return the cells that must result, by `measure|authority|period|category`."""
    cells: dict[str, int] = json.loads((DIRECTORY / "expected.json").read_text())["cells"]
    return cells


def expected_outcomes() -> dict[str, int]:
    """Return how many lines of each topic, and of all together, are refused."""
    outcomes: dict[str, int] = json.loads((DIRECTORY / "expected.json").read_text())["outcomes"]
    return outcomes


def in_reach(cells: dict[str, int]) -> dict[str, int]:
    """Return those of `cells` that the expectation covers: its measures, and of them its dimensions."""
    spoken = {_dimension(key) for key in expected()}
    return {key: value for key, value in cells.items() if value and _dimension(key) in spoken}


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]
