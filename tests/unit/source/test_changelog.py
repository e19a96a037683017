"""The changelog has an entry for the version that the package names, and its versions follow one another."""

import re
from itertools import pairwise
from tomllib import loads

from tests.support.source import ROOT

HEADINGS = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
RELEASED = [found for each in HEADINGS if (found := re.fullmatch(r"(\d+)\.(\d+)\.(\d+), \d+ [A-Z][a-z]+ \d{4}", each))]
NUMBERS = [tuple(map(int, found.groups())) for found in RELEASED]


def test_what_is_not_released_comes_first_and_every_other_heading_is_a_version_with_its_day() -> None:
    assert HEADINGS[0] == "Unreleased"
    assert len(NUMBERS) == len(HEADINGS) - 1
    assert all(newer > older for newer, older in pairwise(NUMBERS))


def test_the_version_of_the_package_is_the_last_one_released() -> None:
    version = loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert NUMBERS[0] == tuple(map(int, version.split(".")))
