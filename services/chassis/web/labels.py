"""Places names beside the marks of a chart, so that each can be read."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

At = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

_SIDES = (
    *(("start", 5), ("end", 5), ("start", -9), ("end", 19), ("end", -9), ("start", 19)),
    *(("middle", -13), ("middle", 23)),
)
"""Which end of a name is beside its mark, and how far below the middle its line is; the best first."""
_ASIDE = {"start": (11, 0.0), "end": (-11, 1.0), "middle": (0, 0.5)}
"""How far to the right of its mark that end is, and which share of the name lies to the left of it."""
_LETTER = 7.3


class _Room(NamedTuple):
    """A place for a name."""

    x: float
    y: float
    anchor: str
    box: Box


def labels(wanted: Iterable[tuple[At, str]], marks: Sequence[At], lines: Sequence[At], sides: At) -> Iterator[str]:
    """Yield names that cover neither a mark nor another name, and if possible no point of a line. A name that does not fit between the
    sides is left out.
    """
    taken = [_around(at, 6) for at in marks]
    crossed = [_around(at, 1) for at in lines]
    for at, name in wanted:
        free = (each for each in _rooms(at, name, sides) if not _hits(each.box, taken))
        best = min(free, key=lambda each: _hits(each.box, crossed), default=None)
        if best is not None:
            taken.append(best.box)
            yield (
                f'<text class="pb_label" x="{best.x:.1f}" y="{best.y:.1f}" text-anchor="{best.anchor}">{escape(name)}</text>'
            )


def _rooms(at: At, name: str, sides: At) -> Iterator[_Room]:
    reach = _LETTER * len(name)
    for anchor, below in _SIDES:
        aside, left = _ASIDE[anchor]
        x, y = at[0] + aside, at[1] + below
        box = (x - left * reach, y - 12, x + (1 - left) * reach, y + 4)
        if box[0] >= sides[0] and box[2] <= sides[1]:
            yield _Room(x, y, anchor, box)


def _around(at: At, reach: float) -> Box:
    x, y = at
    return x - reach, y - reach, x + reach, y + reach


def _hits(box: Box, others: Iterable[Box]) -> int:
    return sum(_overlap(box, each) for each in others)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
