"""Wires the engine to Faust's application, which it tells to read again, and which asks it for positions."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import faust

from services.chassis.settings import KafkaSettings
from services.chassis.streaming.engine import StreamEngine


class Wired(faust.App):
    """Faust's application as its consumer knows it."""

    left = False
    """Whether another app follows. What this one still does says nothing to the engine, since its end may be cut short."""

    def __init__(self, engine: StreamEngine, kafka: KafkaSettings, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, **options)
        self.engine, self.kafka = engine, kafka
        self._lost: asyncio.Task[None] | None = None
        self.on_rebalance_complete.connect(self._positions)

    def lost_position(self) -> None:
        """Read again. Called from the consumer's thread, at every fetch until it is corrected."""
        self.loop.call_soon_threadsafe(partial(self.reread, missing=True))

    def reread(self, *, missing: bool) -> None:
        """Read again, unless that is being done."""
        if self.left:
            return
        if self._lost is None or self._lost.done():
            self._lost = self.engine.begin(self.engine.reread(missing=missing))

    async def _positions(self, *_: Any, **__: Any) -> None:
        if not self.left:
            await asyncio.wait({self.engine.begin(self.engine.find_positions())})
