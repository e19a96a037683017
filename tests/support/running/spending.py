"""Says at the end of a run on which files the processors spent their time: in workers, and in the programs that these started."""

import resource
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple, Self

import psutil
import pytest
from xdist.workermanage import WorkerController

SHOWN = 30
SHARES_OUT = "dsession"
"""The plugin of pytest-xdist in the process that starts workers."""


class Seconds(NamedTuple):
    """Processor time: of this process, and of all that it started."""

    own: float = 0.0
    started: float = 0.0

    def __add__(self, more: Self) -> "Seconds":  # type: ignore[override]
        return Seconds(self.own + more.own, self.started + more.started)

    def since(self, before: Self) -> "Seconds":
        """Return what was spent between the two: less is known of programs that nobody waited for, as they are gone."""
        return Seconds(self.own - before.own, max(0.0, self.started - before.started))


def spent() -> Seconds:
    """Return what was spent until now."""
    own, ended = (resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    running = sum(map(_used, psutil.Process().children(recursive=True)))
    return Seconds(own.ru_utime + own.ru_stime, ended.ru_utime + ended.ru_stime + running)


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


class Spending:
    """A plugin of pytest: each worker counts by file, and tells the one that shares out the files.

    To that one, workers are programs that it started, and it is told when any of them begins a test: it must not count what they do.
    """

    def __init__(self) -> None:
        self.of_files: defaultdict[str, Seconds] = defaultdict(Seconds)
        self._file, self._since = "collecting", Seconds()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Charge the file before when another begins, in the process that runs it."""
        self.begin(_file_of(item))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> None:
        """Count what a file still has running before it is stopped: of a browser's processes, not even the browser waits for all."""
        if nextitem is None or _file_of(nextitem) != self._file:
            self._charge(self._file)

    def begin(self, file: str) -> None:
        if file != self._file:
            self._charge(file)

    def _charge(self, following: str) -> None:
        now = spent()
        self.of_files[self._file] += now.since(self._since)
        self._file, self._since = following, now

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.config.pluginmanager.has_plugin(SHARES_OUT):
            self.of_files["sharing out"] += spent()._replace(started=0.0)
            return
        self._charge("")
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["spending"] = {file: tuple(each) for file, each in self.of_files.items()}

    def pytest_testnodedown(self, node: WorkerController) -> None:
        """Take what a worker tells, unless it died."""
        self.take(getattr(node, "workeroutput", {}).get("spending", {}))

    def take(self, told: Mapping[str, tuple[float, float]]) -> None:
        for file, seconds in told.items():
            self.of_files[file] += Seconds(*seconds)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        if config.option.durations:
            terminalreporter.section(
                "dearest files, in seconds of a processor: by workers, and by programs that they started"
            )
            for line in lines(self.of_files):
                terminalreporter.line(line)


def lines(of_files: Mapping[str, Seconds]) -> list[str]:
    """Return the sum and the dearest, most first."""
    dearest = sorted(of_files.items(), key=lambda each: -sum(each[1]))[:SHOWN]
    total = sum(of_files.values(), start=Seconds())
    return [f"{each.own:7.1f} {each.started:7.1f}  {file}" for file, each in [("in all", total), *dearest]]
