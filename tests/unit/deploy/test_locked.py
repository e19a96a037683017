"""The image is made of the versions that the tests ran with, every file of them known by its hash."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]


def locked() -> dict[str, str]:
    """Return each package's version."""
    text = (ROOT / "deploy" / "requirements.txt").read_text()
    return {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)
    }


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().split()
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def wanted(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """Yield the requirements of a package here, and theirs, each once."""
    for text in metadata.requires(name) or ():
        needed = Requirement(text)
        asked = canonicalize_name(needed.name), frozenset(needed.extras)
        applies = needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras | {""})
        if applies and asked not in seen:
            seen.add(asked)
            yield asked[0]
            yield from wanted(asked[0], asked[1], seen)


def test_all_that_is_needed_is_locked() -> None:
    needed = set(wanted("payback", frozenset({"operations", "tracing"}), set()))
    assert {"faust-streaming", "duckdb", "opentelemetry-sdk"} <= needed
    assert needed <= locked().keys(), "run `make lock`"


def test_versions_are_those_of_the_tests() -> None:
    here = {name: version for name, version in locked().items() if name in pinned()}
    assert here == {name: pinned()[name] for name in here}, "run `make lock`"
    assert len(here) > len(locked()) - 5  # what only other systems need is pinned nowhere else


def test_every_file_is_known_by_its_hash() -> None:
    text = (ROOT / "deploy" / "requirements.txt").read_text()
    entries = re.split(r"\n(?=\w)", text.partition("\n")[2])
    assert len(entries) == len(locked())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "--require-hashes" in (ROOT / "deploy" / "Dockerfile").read_text()


def looked_at(dockerfile: str) -> str:
    """Return hadolint's findings."""
    program = Path(sys.executable).with_name("hadolint")
    return subprocess.run([program, "-"], input=dockerfile, capture_output=True, text=True, check=False).stdout


def test_the_image_is_described_as_is_good_practice() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert looked_at(text) == ""
    assert "DL3000" in looked_at(text.replace("WORKDIR /tmp", "WORKDIR tmp"))
