"""Sends a file, so that this can be stopped anywhere and continued: every line is settled once, with a receipt.

Lines go into a spool some hundreds at a time. How far the file was read, and how long the file of receipts was, is recorded in the same
step as the lines and results. So after a crash both continue from where they were.
"""

import json
import os
from collections.abc import Callable, Iterable
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from contracts.client.clients import Client
from contracts.client.private import private
from contracts.client.source import Message, NotAcceptable, message
from contracts.client.spool import Result, Spool
from contracts.decoding.lines import Line, lines
from contracts.rejections import Rejection

AT_ONCE = 500
_PIECE = 1 << 20
_NOTE = "publication"


class FileChanged(Exception):
    """The file is not the one that was begun."""


class State(msgspec.Struct):
    """How far a publication has come."""

    end: int = 0
    """Bytes of the file that were read."""
    line: int = 0
    last: str = ""
    """A digest of the last line, by which earlier versions noticed another file of the same name."""
    last_length: int = 0
    whole: str = ""
    """A digest of all that was read, so that a corrected line is noticed."""
    receipts: int = 0
    """Length of the receipts in bytes."""
    under_way: list[int] = []
    """Numbers of the lines that are in the spool."""
    accepted: int = 0
    refused: dict[str, int] = {}

    def count(self, reasons: Iterable[str | None]) -> None:
        for reason in reasons:
            if reason is None:
                self.accepted += 1
            else:
                self.refused[reason] = self.refused.get(reason, 0) + 1


class Publication:
    """A file that is being sent. `told` is called with the progress after each step."""

    def __init__(self, file: BinaryIO, spool: Spool, client: Client, receipts: Path) -> None:
        self._file, self._spool, self._client = file, spool, client
        noted = spool.note(_NOTE)
        self.state = msgspec.json.decode(noted, type=State) if noted else State()
        self._path, self._behind = receipts, sha256()

    def is_of_another_file(self) -> bool:
        """Return whether the file no longer begins with what was read: it is another one, or somebody has corrected it."""
        try:
            self._check_file()
        except FileChanged:
            return True
        return False

    def finish(self) -> bool:
        """Send what waits and write its receipts, but read no more; False if patience ends first. Raises what send raises."""
        with private(self._path).open("ab") as receipts:
            receipts.truncate(self.state.receipts)
            sent = self._client.send()
            if sent:
                self._write_results(receipts)
            return sent

    def run(self, told: Callable[[State], object] = lambda _: None) -> bool:
        """Continue to the end of the file (True), or of the client's patience (False). Raises FileChanged, and what send raises."""
        self._check_file()
        with private(self._path).open("ab") as receipts:
            receipts.truncate(self.state.receipts)
            while self._client.send():
                self._write_results(receipts)
                told(self.state)
                if not self._read_on(receipts):
                    return True
            return False

    def _check_file(self) -> None:
        self._behind, last, left = sha256(), sha256(), self.state.end
        self._file.seek(0)
        while left and (piece := self._file.read(min(left, _PIECE))):
            left -= len(piece)
            self._behind.update(piece)
        self._file.seek(self.state.end - self.state.last_length)
        last.update(self._file.read(self.state.last_length))
        known = {self._behind.hexdigest(), last.hexdigest()}
        if left or (self.state.whole or self.state.last or last.hexdigest()) not in known:
            raise FileChanged("the file has changed since sending began; start again with --restart")

    def _read_on(self, receipts: BinaryIO) -> bool:
        start, first = self.state.end, self.state.line
        taken = list(islice(lines(self._file), AT_ONCE))
        if not taken:
            return False
        messages, refusals = _sorted_out(taken)
        state = msgspec.structs.replace(
            self.state,
            end=start + taken[-1].end,
            line=first + taken[-1].number,
            under_way=[first + line.number for line, _ in messages],
        )
        state.last_length = min(taken[-1].end, 1 << 16)
        self._file.seek(start)
        self._behind.update(self._file.read(state.end - start))
        state.whole = self._behind.hexdigest()
        self._file.seek(state.end - state.last_length)
        state.last = sha256(self._file.read(state.last_length)).hexdigest()
        state.refused = dict(state.refused)
        state.count(str(rejection.reason) for _, rejection in refusals)
        state.receipts = _append(receipts, (_refusal(first + line.number, rejection) for line, rejection in refusals))
        self._spool.add(*(one for _, one in messages), numbered=False, note=_noted(state))
        self.state = state
        return True

    def _write_results(self, receipts: BinaryIO) -> None:
        results = self._spool.results(AT_ONCE)
        if not results:
            return
        state = msgspec.structs.replace(self.state, under_way=[], refused=dict(self.state.refused))
        state.count(result.reason for result in results)
        pairs = zip(self.state.under_way, results, strict=True)
        state.receipts = _append(receipts, (_settled(line, result) for line, result in pairs))
        self._spool.forget(results, note=_noted(state))
        self.state = state


def _append(receipts: BinaryIO, documents: Iterable[dict[str, Any]]) -> int:
    """Append receipts, and return their length afterwards in bytes."""
    receipts.writelines(json.dumps(document).encode() + b"\n" for document in documents)
    receipts.flush()
    os.fsync(receipts.fileno())
    return receipts.tell()


def _noted(state: State) -> tuple[str, str]:
    return _NOTE, msgspec.json.encode(state).decode()


def _sorted_out(taken: Iterable[Line]) -> tuple[list[tuple[Line, Message]], list[tuple[Line, Rejection]]]:
    messages, refusals = [], []
    for line in taken:
        try:
            messages.append((line, message(line.raw)))
        except NotAcceptable as fault:
            refusals.append((line, fault.rejection))
    return messages, refusals


def _refusal(line: int, rejection: Rejection) -> dict[str, Any]:
    return {
        "line": line,
        "id": rejection.id,
        "reason": str(rejection.reason),
        "path": rejection.path,
        "message": rejection.message,
        "remedy": rejection.reason.remedy,
    }


def _settled(line: int, result: Result) -> dict[str, Any]:
    names = ("topic", "partition", "offset") if result.accepted else ("reason", "path", "message", "remedy")
    return {"line": line, "id": result.id} | {name: getattr(result, name) for name in names}
