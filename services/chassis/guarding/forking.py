"""Processes forked from one that has imported what they need: they share its memory, and begin at once.

Fork only where there is one thread and no open connection.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

LOWEST = 19
"""The priority of what is done for callers who are not signed in."""
_BEGIN = b"\n"
_ARGUMENTS = slice(45, 47)
"""Where /proc/self/stat tells of the arguments' first and last place in memory, counted after the name in brackets."""


def entitle(command: Sequence[str]) -> None:
    """Show this command where operators look for processes, as far as there is room. Does nothing if the system cannot."""
    if sys.platform != "linux":
        return
    begin, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_ARGUMENTS])
    room = end - begin
    title = "\0".join(command).encode()[: room - 1]
    ctypes.memmove(begin, title.ljust(room, b"\0"), room)


class Program:
    """A process with the other end of `ours`, whose number it gets as a last argument."""

    def __init__(self, command: Sequence[str]) -> None:
        self.ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen([*command, str(number)], pass_fds=[number], stdin=subprocess.DEVNULL)

    def begin(self) -> None:
        """Do nothing: it began when it was made."""

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self) -> int:
        """Return its exit status once it has ended."""
        return self._process.wait()


class Twin:
    """The same with what this process has imported: `work` gets the number, once it is told to begin."""

    def __init__(self, title: Sequence[str], work: Callable[[int], object]) -> None:
        self.ours, theirs = socket.socketpair()
        with theirs:
            self._pid = os.fork() or self._live(title, work, theirs)

    def begin(self) -> None:
        """Let it begin. Until then it shares all its memory, and ends if this process does."""
        with suppress(ConnectionError):  # it has ended, which shows when it is asked
            self.ours.sendall(_BEGIN)

    def kill(self) -> None:
        """End it at once."""
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return its exit status once it has ended."""
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _live(self, title: Sequence[str], work: Callable[[int], object], theirs: socket.socket) -> NoReturn:
        status = 1
        try:
            self.ours.close()
            entitle(title)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # as `serve_beside` does
            if theirs.recv(len(_BEGIN)):
                work(theirs.detach())
            status = 0
        except BaseException:  # noqa: BLE001 - it must never go on as the process of which it was forked
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(status)
