"""Assertions that one worker rewrote are those that every other takes."""

from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests.support.running.rewriting import ROOT, asked_for, rewrite_one, rewrite_share


def test_a_file_is_kept_where_who_imports_it_looks(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "test_sums.py"
    path.write_text("def wrong():\n    assert 1 + 1 == 3\n")
    rewrite_one(pytestconfig, path)
    [kept] = (tmp_path / "__pycache__").iterdir()
    assert kept.name == f"test_sums{rewrite.PYC_TAIL}"
    monkeypatch.setattr(rewrite, "_rewrite_test", None)
    told: dict[str, object] = {}
    exec(rewrite._read_pyc(path, kept), told)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=r"assert \(1 \+ 1\) == 3"):
        told["wrong"]()  # type: ignore[operator]
    rewrite_one(pytestconfig, path)


def test_workers_have_each_file_between_them(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    done = list[Path]()
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr(pytestconfig, "args", ["tests/unit", "tests/unit/support/test_ids.py::test_of_it"])
    monkeypatch.setattr("tests.support.running.rewriting.rewrite_one", lambda _, path: done.append(path))
    for number in range(3):
        rewrite_share(pytestconfig, number, 3)
    assert sorted(done) == sorted((ROOT / "tests" / "unit").rglob("test_*.py"))
    assert asked_for(["tests/unit/support/test_ids.py::test_of_it"]) == [ROOT / "tests/unit/support/test_ids.py"]
