"""Watches a folder: each file that is complete is imported, and its report is written beside it."""

import os
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.connect.comparing.compare import DIGITS
from services.connect.extracts.readers import TEXTS, WORKBOOKS
from services.connect.extracts.sources import digest_in
from services.connect.faults import CannotGoOn, Later
from services.connect.result import CANNOT_GO_ON
from services.connect.work import Report

OUTCOME = ".outcome.txt"
_ZIPPED = {".xlsx", ".xlsm", ".ods"}
_BEING_EDITED = ("~$", ".~lock.")
"""Prefixes with which Excel and LibreOffice name a file beside one that is open."""

Import = Callable[[Path], Report]
"""Imports a file. Raises CannotGoOn."""


@dataclass(slots=True)
class Folder:
    """A folder, with how long each file in it has been unchanged."""

    path: Path
    quiet: float
    """How long a file must not change before it counts as complete, in seconds."""
    clock: Callable[[], float] = time.monotonic
    _since: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def ready(self) -> list[Path]:
        """Return files that are complete and have no report yet, in the order in which they were last changed."""
        try:
            found = [path for path in sorted(self.path.iterdir(), key=_changed) if _wanted(path) and self._rests(path)]
            return [path for path in found if not _done(path)]
        except (OSError, CannotGoOn):  # the folder is on a share that is away, or a file was taken away meanwhile
            return []

    def unsettled(self) -> list[Path]:
        """Return files that have no report yet, complete or not."""
        return [path for path in self.path.iterdir() if _wanted(path) and not _done(path)]

    def _rests(self, path: Path) -> bool:
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        as_it_is = (status.st_size, status.st_mtime_ns)
        before, since = self._since.get(path, (None, 0.0))
        if before != as_it_is:
            self._since[path] = (as_it_is, since := self.clock())
        whole = path.suffix.lower() not in _ZIPPED or zipfile.is_zipfile(path)
        return self.clock() - since >= self.quiet and whole and not _open_elsewhere(path)


def watch(folder: Folder, do: Import, told: Callable[[Path, Report], object]) -> bool:
    """Import what is ready now, and return whether all of it is done. Anything that may succeed later is tried again the next time."""
    everything = True
    for path in folder.ready():
        report = _import(path, do)
        told(path, report)
        everything = everything and not report.again
    return everything


def _import(path: Path, do: Import) -> Report:
    digest = b""
    try:
        digest = digest_in(path)
        report = do(path)
    except CannotGoOn as fault:
        report = Report([str(fault)], CANNOT_GO_ON, again=isinstance(fault, Later))
    try:
        _write(path, digest, report)
    except OSError as fault:
        report.lines.append(f"the result cannot be written beside it: {fault.strerror}")
    return report


def _wanted(path: Path) -> bool:
    return (
        path.suffix.lower() in WORKBOOKS | TEXTS
        and not path.name.startswith(("~", "."))
        and not path.name.endswith(OUTCOME)
    )


def _changed(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:
        return 0.0, path.name


def _open_elsewhere(path: Path) -> bool:
    return any(beside.exists() for beside in _marks(path))


def _marks(path: Path) -> Iterator[Path]:
    for mark in _BEING_EDITED:
        yield path.with_name(f"{mark}{path.name}")
        yield path.with_name(f"{mark}{path.name}#")


def outcome_of(path: Path) -> Path:
    """Return the path of a file's report."""
    return path.with_name(path.name + OUTCOME)


def _done(path: Path) -> bool:
    beside = outcome_of(path)
    if not beside.exists():
        return False
    first = beside.read_text(encoding="utf-8").partition("\n")[0]
    return first == _first_line(digest_in(path), again=False)


def _first_line(digest: bytes, again: bool) -> str:
    return f"File {digest.hex()[:DIGITS]}" + (", to be tried again" if again else "")


def _write(path: Path, digest: bytes, report: Report) -> None:
    """Write a report, whole or not at all."""
    beside = outcome_of(path)
    fresh = beside.with_name(f".{beside.name}.new")
    with fresh.open("w", encoding="utf-8") as stream:
        stream.writelines(
            f"{line}\n" for line in (_first_line(digest, report.again), f"Status {report.status}", *report.lines)
        )
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(beside)
