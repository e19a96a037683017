"""Databases and brokers of tests keep their files in memory where there is room, and these go with the run."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.workers.in_memory import ALL, OF_TESTS, has_room, keep


@pytest.fixture(autouse=True)
def nowhere_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begin where nobody has said where to keep them, and leave it as it was. The folder of the test is there before."""
    assert tmp_path.is_dir()
    for name in (ALL, OF_TESTS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(tempfile, "tempdir", "/before")


def test_all_that_is_started_keeps_its_files_there_and_they_go_with_it(tmp_path: Path) -> None:
    home = keep(tmp_path, room=1)
    assert home is not None
    asked = [sys.executable, "-S", "-c", "import tempfile; print(tempfile.gettempdir())"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    assert {found, tempfile.gettempdir()} == {str(home.path)}
    assert home.path.parent == tmp_path
    assert os.environ[OF_TESTS] == "/before", "what tests write themselves can be looked at"
    home.remove()
    assert not home.path.exists()


def test_where_somebody_has_said_where_to_keep_them_they_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALL, str(tmp_path))
    assert keep(tmp_path, room=1) is None
    assert os.environ[ALL] == str(tmp_path)


def test_without_room_they_are_on_the_disk(tmp_path: Path) -> None:
    assert has_room(tmp_path, 1)
    assert not has_room(tmp_path, 2**60)
    assert not has_room(tmp_path / "lacking", 1)
    assert keep(tmp_path, room=2**60) is None
    assert ALL not in os.environ
