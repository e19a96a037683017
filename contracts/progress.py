"""Shows the progress of long work on standard error: rewritten in place on a terminal, an occasional line elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

_EVERY_ON_TERMINAL, _EVERY_ELSEWHERE = 0.2, 10.0


class Progress:
    """Shows bytes done out of a total, or bytes alone if the total is not known."""

    def __init__(self, total: int | None, out: TextIO | None = None) -> None:
        self._total, self._out = total, out or sys.stderr
        self._in_place = self._out.isatty()
        self._every = _EVERY_ON_TERMINAL if self._in_place else _EVERY_ELSEWHERE
        self._next = time.monotonic() + self._every

    def at(self, done: int, words: str) -> None:
        """Show progress, unless something was shown a moment ago."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            self._say(done, words)

    def of(self, done: int, total: int, words: str) -> None:
        """Show progress towards a total that is known only now."""
        self._total = total
        self.at(done, words)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._in_place:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _say(self, done: int, words: str) -> None:
        share = f"{100 * done / self._total:3.0f} %" if self._total else f"{done / 1e6:,.0f} MB"
        self._out.write(f"\r\x1b[K{share}  {words}" if self._in_place else f"{share}  {words}\n")
        self._out.flush()
