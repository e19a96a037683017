"""Where faults are done one turn after the other: one that cannot be mended, or was not proved, says nothing about the next turn."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Self

from tests.faults.alerts.prove import Proof, prove
from tests.faults.alerts.scene import Scene, running
from tests.faults.alerts.table import Fault


class Failed(Exception):
    """In words, what was not as it must be."""


class Stage:
    """Everything running, made anew for the next turn after one that left marks."""

    def __init__(self, made: Callable[[], AbstractContextManager[Scene]] = running) -> None:
        self._made = made
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
        if any(isinstance(each, Failed) for each in found) or any(each.spoils or not each.clears for each in faults):
            self._leave()
        return found

    def _proved(self, faults: Sequence[Fault]) -> list[Proof | Exception]:
        if self._scene is None:
            self._scene = self._parts.enter_context(self._made())
        return prove(self._scene, faults)

    def _leave(self) -> None:
        self._scene = None
        try:
            self._parts.close()
        except Exception as error:  # noqa: BLE001 - what was run is given up, and what it says at the end is of no use to the next
            print(f"at the end: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def _failed(error: Exception) -> Failed:
    return Failed(f"{type(error).__name__}: {error}")
