"""A temporary directory goes when it is to, whether or not anybody waits for that."""

import time

from deploy.local.scratch import Scratch


def test_it_is_gone_for_whoever_waits() -> None:
    with Scratch() as scratch:
        (scratch.path / "kept").write_text("until then")
        assert scratch.path.is_dir()
    assert not scratch.path.exists()


def test_it_goes_for_whoever_does_not() -> None:
    scratch = Scratch()
    (scratch.path / "kept").write_text("until then")
    scratch.leave()
    deadline = time.monotonic() + 30
    while scratch.path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
