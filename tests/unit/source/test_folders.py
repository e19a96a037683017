"""A folder holds no more files than one can look over, and a test is where what it tests is."""

from collections import Counter
from pathlib import Path

from tests.support.reports.metrics import folders
from tests.support.source import FILES, ROOT

MOST_FILES = 15
TESTS = [path.relative_to(ROOT) for path in sorted((ROOT / "tests").rglob("*.py"))]
ALIKE = {"tests/load"}
"""Benchmarks, one a file, that `make bench` runs one after the other: nobody has to find their way among them."""
OF_THE_SOURCE = Path("tests/unit/source")
"""Tests of no package, but of how all of it is written."""


def test_no_folder_is_too_full() -> None:
    tests = Counter(str(path.parent) for path in TESTS)
    for found in (folders(), tests):
        assert found
        full = {folder: files for folder, files in found.items() if files > MOST_FILES}
        assert full.keys() <= ALIKE, full


def test_tests_of_a_room_are_in_a_folder_of_its_name() -> None:
    """A test of `services/orders` is in `tests/unit/orders`, and one of `contracts/client` in `tests/unit/contracts/client`."""
    tested = {path.parent.relative_to(path.parts[0] if path.parts[0] == "services" else "") for path in FILES}
    tested |= {parent for folder in tested for parent in folder.parents}
    tested |= {folder.relative_to("tests") for folder in (Path("tests/support"), *Path("tests/support").iterdir())}
    kinds = [Path("tests", kind) for kind in ("unit", "integration")]
    folders_of_tests = {path.parent for path in TESTS if path.is_relative_to(kinds[0]) or path.is_relative_to(kinds[1])}
    assert len(folders_of_tests) > 40
    strange = {folder for folder in folders_of_tests - {OF_THE_SOURCE} if Path(*folder.parts[2:]) not in tested}
    assert strange == set()
