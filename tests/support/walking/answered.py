"""Answers to many requests and the work that they took, to compare with those of another world."""

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile, is_zipfile

import httpx2
from sqlalchemy import Engine, event

from tests.support.walking.walk import Asked


class Answered(NamedTuple):
    """An authority's answers, and the work that was done for them: the same work takes the same time."""

    told: dict[str, tuple[int, dict[str, str], object]]
    """Status, headers and content of each."""
    done: list[tuple[str, int]]
    """Each statement, with the number of its rows."""
    requests: Sequence[Asked]

    def unanswered(self, routes: Iterable[str]) -> set[str]:
        """Return the routes of which every request was refused, or which nobody asked."""
        return set(routes) - {one.route for one in self.requests if self._is_answered(one)}

    def number_answered(self) -> int:
        """Return how many requests were answered and not refused."""
        return sum(map(self._is_answered, self.requests))

    def _is_answered(self, one: Asked) -> bool:
        return self.told[one.name][0] < HTTPStatus.BAD_REQUEST


Ask = Callable[[Asked], httpx2.Response]


def answers(ask: Ask, requests: Sequence[Asked]) -> Answered:
    done: list[tuple[str, int]] = []

    def note(_c: object, cursor: Any, statement: str, *_: object) -> None:
        done.append((statement, cursor.rowcount))

    event.listen(Engine, "after_cursor_execute", note)
    try:
        found = {one.name: ask(one) for one in requests}
    finally:
        event.remove(Engine, "after_cursor_execute", note)
    assert len(found) == len(requests)
    return Answered({name: told_by(one) for name, one in found.items()}, done, requests)


def told_by(answer: httpx2.Response) -> tuple[int, dict[str, str], object]:
    """Return status, headers and bytes; of a workbook those of its parts, since it tells when it was written."""
    if not is_zipfile(BytesIO(answer.content)):
        return answer.status_code, dict(answer.headers), answer.content
    with ZipFile(BytesIO(answer.content)) as archive:
        of_parts = {name: archive.read(name) for name in archive.namelist() if name != "docProps/core.xml"}
    return (
        answer.status_code,
        {name: value for name, value in answer.headers.items() if name != "content-length"},
        of_parts,
    )
