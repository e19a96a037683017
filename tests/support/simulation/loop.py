"""An event loop that is stepped by hand, and threads that stop wherever the code in them would wait for another machine."""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from greenlet import getcurrent, greenlet


class Pauses:
    """The switch that lets threads stop at all."""

    wanted = True


def pause() -> None:
    """Let everybody else continue first. Called in a thread of the simulation."""
    parent = getcurrent().parent
    if Pauses.wanted and parent is not None:
        parent.switch()


class Thread:
    """Runs one call after another; each goes from pause to pause with every `step`."""

    def __init__(self) -> None:
        self.waiting: deque[greenlet] = deque()

    def submit(self, call: Callable[[], object]) -> None:
        self.waiting.append(greenlet(call))

    def step(self) -> None:
        running = self.waiting[0]
        running.parent = getcurrent()
        running.switch()
        if running.dead:
            self.waiting.popleft()


class Loop(asyncio.AbstractEventLoop):
    """Runs what is ready in order. Timers, threads and answers wait until they are told to continue."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Context, Callable[..., object], tuple[Any, ...]]] = deque()
        """Plain tuples: nobody asks for a handle of what is ready, and making one takes half as long as the calls."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self.timers: list[asyncio.TimerHandle] = []
        self.threads: dict[object, Thread] = {}
        self.answers: list[asyncio.Future[None]] = []

    def drain(self) -> bool:
        """Run until everything waits. Returns False if nothing was ready."""
        if not self._ready:
            return False
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            while self._ready:
                context, callback, args = self._ready.popleft()
                context.run(callback, *args)
        finally:
            events._set_running_loop(before)
        return True

    def fire(self, place: int) -> None:
        """Let this timer be due. The seed decides which is first, since delays promise nothing."""
        timer = self.timers.pop(place)
        self.call_soon(_run, timer)

    def discard(self) -> None:
        """Discard everything, as a crash would: nothing of it continues."""
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            if coroutine is not None:
                coroutine.close()
        self._ready.clear()
        self.timers.clear()
        self.threads.clear()
        self.answers.clear()

    # What asyncio asks of a loop

    def time(self) -> float:
        return 0.0

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> None:
        self._ready.append((copy_context() if context is None else context, callback, args))

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self.timers.append(timer)
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, timer: asyncio.TimerHandle) -> None:
        if timer in self.timers:
            self.timers.remove(timer)

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coroutine: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coroutine, loop=self, name=name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: object, call: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        future = self.create_future()
        thread = self.threads.get(executor)
        if thread is None:
            thread = self.threads[executor] = Thread()
        thread.submit(partial(_settle, future, call, args))
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise AssertionError(context)


def _run(timer: asyncio.TimerHandle) -> None:
    if not timer.cancelled():
        timer._run()


def _settle(future: "asyncio.Future[Any]", call: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Complete a call. It is done even if nobody waits for it any more."""
    try:
        result = call(*args)
    except Exception as error:  # noqa: BLE001 - as an executor does
        if not future.done():
            future.set_exception(error)
    else:
        if not future.done():
            future.set_result(result)
