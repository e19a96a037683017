"""Tests that share the platform of tests/faults, in whatever order and in however many workers, have authorities of their own.

A load counts all that an authority sent: it would find what another test's load sent of the same one.
"""

import re
from itertools import combinations

from tests.support.source import ROOT

AUTHORITY = re.compile(r"\bS12\d{6}\b")


def test_no_two_files_speak_of_one_authority() -> None:
    spoken = {path.name: {*AUTHORITY.findall(path.read_text())} for path in (ROOT / "tests/faults").glob("test_*.py")}
    assert sum(map(len, spoken.values())) > 15
    both = {(one, other, code) for one, other in combinations(spoken, 2) for code in spoken[one] & spoken[other]}
    assert both == set()
