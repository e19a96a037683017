"""Rewrites the assertions of test files once: each worker would rewrite all of a fresh checkout, 12 s of its start (measured)."""

import sys
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

ROOT = Path(__file__).parents[3]


def rewrite_share(config: pytest.Config, number: int, workers: int) -> None:
    """Rewrite every so many-th file that was asked for, and keep it where whoever imports it looks for it. The others have the rest."""
    if sys.dont_write_bytecode:
        return
    for path in asked_for(config.args)[number::workers]:
        rewrite_one(config, path)


def asked_for(arguments: list[str]) -> list[Path]:
    """Return the test files that these arguments name, or that lie below."""
    named = [ROOT / each.partition("::")[0] for each in arguments]
    return sorted({path for each in named for path in (each.rglob("test_*.py") if each.is_dir() else [each])})


def rewrite_one(config: pytest.Config, path: Path) -> None:
    """Do what pytest does when it imports the file."""
    kept = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(path, kept) is None and rewrite.try_makedirs(kept.parent):
        digest, code = rewrite._rewrite_test(path, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, digest, kept)
