"""Where faults are done one turn after the other: one that cannot be mended, or was not proved, says nothing about the next turn."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Self

from tests.faults.alerts.kept import keep
from tests.faults.alerts.prove import NotQuiet, Proof, prove
from tests.faults.alerts.scene import Scene, running
from tests.faults.alerts.table import Fault


class Failed(Exception):
    """In words, what was not as it must be."""


class Stage:
    """Everything running, made anew for the next turn after one that left marks."""

    def __init__(self, made: Callable[[], AbstractContextManager[Scene]] = running, kept: Path | None = None) -> None:
        """Prepare it. What is left of a turn that fails is kept in a folder of its own below `kept`."""
        self._made, self._kept = made, kept
        self._parts = ExitStack()
        self._scene: Scene | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def prove(self, faults: Sequence[Fault]) -> list[Proof | Failed]:
        """Return the proof of each fault of a turn, or what was wrong with it."""
        try:
            found = [proof if isinstance(proof, Proof) else _failed(proof) for proof in self._proved(faults)]
        except Exception as error:  # noqa: BLE001 - it is said, and the next turn has another scene
            found = [_failed(error) for _ in faults]
        wrong = [
            fault
            for fault, each in zip(faults, found, strict=True)
            if isinstance(each, Failed) or strange(faults, each)
        ]
        if wrong:
            self._keep(wrong[0].alert)
        if wrong or any(each.spoils or not each.clears for each in faults):
            self._leave()
        return found

    def _proved(self, faults: Sequence[Fault]) -> list[Proof | Exception]:
        """Do them; in another scene where something fires in this one before anything is done."""
        if self._scene is not None:
            try:
                return prove(self._scene, faults)
            except NotQuiet as left_over:
                print(f"ANOTHER SCENE: {left_over}", file=sys.stderr, flush=True)
                self._keep("left-over")
                self._leave()
        self._scene = self._parts.enter_context(self._made())
        return prove(self._scene, faults)

    def _keep(self, name: str) -> None:
        if self._kept is None or self._scene is None:
            return
        try:
            print(keep(self._scene, self._kept, name), file=sys.stderr, flush=True)
        except OSError as error:  # the other faults are worth more
            print(f"not kept: {error}", file=sys.stderr, flush=True)

    def _leave(self) -> None:
        self._scene = None
        try:
            self._parts.close()
        except Exception as error:  # noqa: BLE001 - what was run is given up, and what it says at the end is of no use to the next
            print(f"at the end: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def strange(faults: Sequence[Fault], proof: Proof) -> frozenset[str]:
    """Return what paged beside a turn and may not."""
    return proof.others.difference(*(fault.also for fault in faults))


def _failed(error: Exception) -> Failed:
    return Failed(f"{type(error).__name__}: {error}")
