"""The questions of all panels, asked of a Prometheus."""

from collections.abc import Iterator
from typing import NamedTuple

from deploy.boards import BOARDS
from tests.faults.alerts.watched import Watched


class Question(NamedTuple):
    """One question that a panel asks."""

    board: str
    panel: str
    expression: str


def questions(authority: str) -> Iterator[Question]:
    """Yield the questions of all boards, with this authority chosen where one is to be."""
    for name, board in BOARDS.items():
        for panel in board.panels:
            for expression, _ in panel.asked():
                yield Question(name, panel.title, expression.replace("$authority", authority))


def unanswered(watched: Watched, authority: str, minutes: int = 30) -> list[str]:
    """Return the panels that would say that they have no data of the last minutes."""
    return [
        f"{one.board}: {one.panel}" for one in questions(authority) if not _answers(watched, one.expression, minutes)
    ]


def _answers(watched: Watched, expression: str, minutes: int) -> bool:
    asked = {"query": f"last_over_time(({expression})[{minutes}m:5s])"}
    return any(one["value"][1] != "NaN" for one in watched.ask("query", **asked)["result"])
