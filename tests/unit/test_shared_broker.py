"""The broker of all tests of a worker has what others left: whoever uses topics by their real names begins without any."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.source import ROOT

ON_THE_SHARED_ONE = re.compile(r"\b(?:empty_)?kafka: str\b")
REAL_TOPICS = re.compile(r"\btopic_specs\(")
BEGINS_EMPTY = re.compile(r"\bempty_kafka\b|\bremove_topics\(")


def found(pattern: re.Pattern[str]) -> Iterator[Path]:
    """Yield files with tests, and with their fixtures, that match."""
    for folder in ("integration", "e2e", "faults"):
        for path in (ROOT / "tests" / folder).rglob("*.py"):
            if path.name.startswith(("test_", "conftest")) and pattern.search(path.read_text()):
                yield path


def test_real_topics_on_the_shared_broker_are_made_after_all_others_are_gone() -> None:
    real = {*found(ON_THE_SHARED_ONE)} & {*found(REAL_TOPICS)}
    assert len(real) > 6
    assert real - {*found(BEGINS_EMPTY)} == set()
