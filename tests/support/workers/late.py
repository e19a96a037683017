"""Has the first worker find the tests and tell the others, which look into a file when they are given it.

To find all of them takes 8 s of a core (measured), and each worker would do so.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

import pytest
from xdist.workermanage import WorkerController

PATIENCE = 120.0
"""Seconds for which the others wait: then they find all by themselves."""


def told_in(run: str) -> Path:
    """Return the file in which the first worker of this run tells what it has found."""
    return Path(gettempdir()) / f"payback-tests-{run}.json"


class First:
    """A plugin of pytest for the worker that finds all."""

    def __init__(self, run: str) -> None:
        self._told = told_in(run)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell at once and whole."""
        written = self._told.with_suffix(".new")
        written.write_text(json.dumps([item.nodeid for item in session.items]))
        written.rename(self._told)


class Ends:
    """A plugin of pytest for the process that starts the workers."""

    def __init__(self) -> None:
        self._runs: set[str] = set()

    def pytest_configure_node(self, node: WorkerController) -> None:
        self._runs.add(node.workerinput["testrunuid"])

    def pytest_sessionfinish(self) -> None:
        """Remove what was told, now that no worker can be started any more."""
        for run in self._runs:
            told_in(run).unlink(missing_ok=True)


class Named(NamedTuple):
    """A test of which only the name is known."""

    nodeid: str


class Lost(pytest.Item):
    """A test that was found by the first worker and is not there any more."""

    def runtest(self) -> None:
        pytest.fail("This test was there when the run began: its file was changed meanwhile", pytrace=False)


class Found:
    """Behaves as the list of a session's tests, which makes the tests of a file when the first of them is asked for."""

    def __init__(self, told: list[str], look_into: Callable[[str], "File"]) -> None:
        self._told, self._look_into = told, look_into
        self._items: dict[str, pytest.Item] = {}
        self._looked_into: dict[str, File] = {}

    def __len__(self) -> int:
        return len(self._told)

    def __iter__(self) -> Iterator[Named]:
        return map(Named, self._told)

    def __getitem__(self, place: int) -> pytest.Item:
        test = self._told[place]
        if test not in self._items:
            name, _, within = test.partition("::")
            file = self._looked_into.get(name) or self._look_into(name)
            self._looked_into[name] = file
            self._items |= file.tests
            if test not in self._items:
                self._items[test] = Lost.from_parent(file.module, name=within)
        return self._items[test]


class File(NamedTuple):
    module: pytest.Module
    tests: dict[str, pytest.Item]


class Late:
    """A plugin of pytest for the other workers."""

    def __init__(self, run: str, begin: Callable[[str], None]) -> None:
        """Have `begin` told what is done from now on, so that its processor time is not taken for that of a test."""
        self._told, self._begin = told_in(run), begin
        self._modules: dict[str, pytest.Module] = {}
        self._later = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> pytest.CollectReport | None:
        """Look into no file yet."""
        if not self._later or not isinstance(collector, pytest.Module):
            return None
        self._modules[collector.nodeid] = collector
        return pytest.CollectReport(collector.nodeid, "passed", None, [])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take what the first worker tells; if it says nothing, find all."""
        self._later = False
        if waited_for(self._told):
            told = json.loads(self._told.read_text())
            session.items = Found(told, lambda file: self._tests_of(session, file))  # type: ignore[assignment]
        else:
            session.items = [item for module in self._modules.values() for item in session.genitems(module)]
            session.config.hook.pytest_collection_modifyitems(
                session=session, config=session.config, items=session.items
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Count what was told: else a worker would say that it has found nothing."""
        session.testscollected = len(session.items)

    def _tests_of(self, session: pytest.Session, file: str) -> File:
        self._begin("collecting")
        module = self._modules[file]
        found = list(session.genitems(module))
        session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=found)
        return File(module, {item.nodeid: item for item in found})


def waited_for(told: Path) -> bool:
    """Return whether it came in time, while the process that shares out the tests is there."""
    until, parent = time.monotonic() + PATIENCE, os.getppid()
    while not told.exists() and time.monotonic() < until and os.getppid() == parent:
        time.sleep(0.05)
    return told.exists()
