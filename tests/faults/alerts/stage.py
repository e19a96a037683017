"""Where faults are done one after the other: one that cannot be mended, or was not proved, says nothing about the next."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Self

from tests.faults.alerts.prove import Proof, prove
from tests.faults.alerts.scene import Scene, running
from tests.faults.alerts.table import Fault


class Failed(Exception):
    """In words, what was not as it must be."""


class Stage:
    """Everything running, made anew for the next fault after one that left marks."""

    def __init__(self, made: Callable[[], AbstractContextManager[Scene]] = running) -> None:
        self._made = made
        self._parts = ExitStack()
        self._scene: Scene | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def prove(self, fault: Fault) -> Proof:
        """Raises Failed, whatever went wrong."""
        try:
            proof = self._proved(fault)
        except Exception as error:
            self._leave()
            raise Failed(f"{type(error).__name__}: {error}") from error
        if fault.spoils or not fault.clears:
            self._leave()
        if more := proof.others - fault.also:
            raise Failed(f"also paged: {', '.join(sorted(more))}")
        return proof

    def _proved(self, fault: Fault) -> Proof:
        if self._scene is None:
            self._scene = self._parts.enter_context(self._made())
        return prove(self._scene, fault)

    def _leave(self) -> None:
        self._scene = None
        try:
            self._parts.close()
        except Exception as error:  # noqa: BLE001 - what was run is given up, and what it says at the end is of no use to the next
            print(f"at the end: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
