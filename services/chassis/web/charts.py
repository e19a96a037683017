"""Charts as SVG, drawn here so that pages need no script. A table with the same figures accompanies each.

A value that is not shown leaves a gap; nothing is drawn that is not in the rows.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import NamedTuple
from xml.sax.saxutils import escape

from services.chassis.web.labels import labels
from services.chassis.web.words import rounded

WIDTH, HEIGHT = 760, 300
NARROW = 360
"""The width on a phone, on which letters keep their size."""
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 16, 40
NOUGHT = 2.0
"""The least width of a bar, so that it is visible."""


@dataclass(frozen=True, slots=True)
class Point:
    """One place on a line."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    hollow: bool = False
    """Whether the value is provisional, or only of a part of its period."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, with its interval if it has one."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    strong: bool = False
    hollow: bool = False
    absent: str = "not shown"
    """The words in its place if it has no value."""


@dataclass(frozen=True, slots=True)
class Dot:
    """An authority in a funnel."""

    label: str
    size: float
    value: float
    place: str
    href: str = ""
    """The address with more about it."""


class Marks(NamedTuple):
    """Lines that are drawn over a chart."""

    across: float | None = None
    """At this value."""
    down: int | None = None
    """Before this point, from which something is otherwise."""


NO_MARKS = Marks()


def at_both_widths(draw: Callable[[float], str]) -> str:
    """Return the chart for wide screens and for narrow ones; a browser shows only one of them."""
    wide = draw(WIDTH)
    return f'<div class="pb_wide">{wide}</div><div class="pb_narrow">{draw(NARROW)}</div>' if wide else ""


def line(
    title: str,
    points: Sequence[Point],
    unit: str,
    *,
    from_zero: bool = True,
    marks: Marks = NO_MARKS,
    width: float = WIDTH,
) -> str:
    """Draw a line over months, with its interval as a band, and a line for the value with which they are compared."""
    known = [v for p in points for v in (p.value, p.lower, p.upper) if v is not None]
    if not known:
        return ""
    low, high, step = _scale(0 if from_zero else min(known), max([*known, marks.across or 0]), unit)
    xs = [LEFT + (width - LEFT - RIGHT) * (i + 0.5) / len(points) for i in range(len(points))]

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    parts = [*_grid(low, high, step, y, unit, width)]
    parts += _marked(marks, y, xs[0] - LEFT, width)
    for run in runs([point.value for point in points]):
        if all(points[i].lower is not None for i in run):
            upper = [f"{xs[i]:.1f},{y(points[i].upper or 0):.1f}" for i in run]
            lower = [f"{xs[i]:.1f},{y(points[i].lower or 0):.1f}" for i in reversed(run)]
            parts.append(f'<polygon class="pb_band" points="{" ".join(upper + lower)}"/>')
        path = " ".join(f"{xs[i]:.1f},{y(points[i].value or 0):.1f}" for i in run)
        parts.append(f'<polyline class="pb_line" points="{path}"/>')
        parts += [dot(xs[i], y(points[i].value or 0), 3, hollow=points[i].hollow) for i in run]
    every = max(1, ceil(len(points) * _room(points) / (width - LEFT - RIGHT)))
    parts += [
        f'<text class="pb_axis" x="{x:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{escape(p.label)}</text>'
        for i, (x, p) in enumerate(zip(xs, points, strict=True))
        if i % every == 0
    ]
    return svg(title, width, HEIGHT, parts)


def _room(points: Sequence[Point]) -> int:
    """Return the width that the longest label takes, with space beside it."""
    return 12 + 7 * max(len(point.label) for point in points)


def _marked(marks: Marks, y: Callable[[float], float], half: float, width: float) -> Iterator[str]:
    """Draw the marks of a line chart; `half` is half the distance between two points."""
    if marks.across is not None:
        at = f"{y(marks.across):.1f}"
        yield f'<line class="pb_reference" x1="{LEFT}" x2="{width - RIGHT}" y1="{at}" y2="{at}"/>'
    if marks.down is not None:
        at = f"{LEFT + 2 * half * marks.down:.1f}"
        yield f'<line class="pb_reference" x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'


def bars(title: str, items: Sequence[Bar], unit: str, reference: float | None = None, width: float = WIDTH) -> str:
    """Draw horizontal bars, whiskers for intervals, and a line for the value with which they are compared."""
    known = [v for item in items for v in (item.value, item.upper) if v is not None]
    if not known:
        return ""
    left = 250 if width > NARROW else 150
    names = [_lines(item.label, left) for item in items]
    row = 26 if max(map(len, names)) < 2 else 36
    height = TOP + row * len(items) + 34
    _, high, step = _scale(0, max([*known, reference or 0]), unit)

    def x(value: float) -> float:
        return left + (width - left - 24) * value / high

    parts = []
    for tick in _ticks(0, high, step):
        parts.append(f'<line class="pb_grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{height - 30}"/>')
        parts.append(
            f'<text class="pb_axis" x="{x(tick):.1f}" y="{height - 10}" text-anchor="middle">{_tick(tick, unit)}</text>'
        )
    for index, item in enumerate(items):
        middle = TOP + row * index + row / 2
        parts += _label(names[index], left - 10, middle)
        parts += _bar(item, x, middle)
    if reference is not None:
        parts.append(
            f'<line class="pb_reference" x1="{x(reference):.1f}" x2="{x(reference):.1f}" y1="{TOP}" y2="{height - 30}"/>'
        )
    return svg(title, width, height, parts)


def _bar(item: Bar, x: Callable[[float], float], middle: float) -> Iterator[str]:
    """Yield one bar with its interval. Zero is a mark and a word, since an interval around nothing would confuse."""
    left = x(0)
    if item.value is None:
        yield f'<text class="pb_axis" x="{left + 6:.0f}" y="{middle + 5:.1f}">{escape(item.absent)}</text>'
        return
    kind = "pb_bar" + " pb_bar--strong" * item.strong + " pb_bar--hollow" * item.hollow
    width = max(NOUGHT, x(item.value) - left)
    yield f'<rect class="{kind}" x="{left:.0f}" y="{middle - 8:.1f}" width="{width:.1f}" height="16"/>'
    end = left + width
    if item.lower is not None and item.upper is not None:
        end = x(item.upper)
        yield (
            f'<path class="pb_whisker" d="M{x(item.lower):.1f} {middle:.1f}H{end:.1f}'
            f'M{x(item.lower):.1f} {middle - 4:.1f}v8M{end:.1f} {middle - 4:.1f}v8"/>'
        )
    if item.value == 0:
        yield f'<text class="pb_axis" x="{end + 6:.1f}" y="{middle + 5:.1f}">0</text>'


@dataclass(frozen=True, slots=True)
class Curve:
    """A limit of a funnel: values by size."""

    kind: str
    points: Sequence[tuple[float, float]]


def funnel(
    title: str, dots: Sequence[Dot], curves: Sequence[Curve], centre: float, size_label: str, width: float = WIDTH
) -> str:
    """Draw authorities by size and share, with limits. Shapes say the same as colours. Each dot has its name, and links to its row."""
    if not dots:
        return ""
    height, largest = 420, max(dot.size for dot in dots) * 1.05
    values = [dot.value for dot in dots] + [centre]
    low = max(0.0, floor((min(values) - 8) / 10) * 10)
    high = min(100.0, ceil((max(values) + 8) / 10) * 10)

    def x(size: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * size / largest

    def y(value: float) -> float:
        return height - BOTTOM - 14 - (height - TOP - BOTTOM - 14) * (min(high, max(low, value)) - low) / (high - low)

    parts = [*_grid(low, high, 10, y, "percent", width)]
    for curve in curves:
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in curve.points)
        parts.append(f'<polyline class="pb_limit pb_limit--{curve.kind}" points="{path}"/>')
    parts.append(
        f'<line class="pb_reference" x1="{LEFT}" x2="{width - RIGHT}" y1="{y(centre):.1f}" y2="{y(centre):.1f}"/>'
    )
    placed = sorted(((x(each.size), y(each.value), each) for each in dots), key=lambda at: at[2].place != "within")
    parts += [_place(*each) for each in placed]
    lines = [(x(size), y(value)) for curve in curves for size, value in curve.points]
    outside = sorted((at for at in placed if at[2].place != "within"), key=lambda at: -abs(at[1] - height / 2))
    named = (((left, top), each.label) for left, top, each in outside)
    parts += labels(named, [at[:2] for at in placed], lines, (LEFT, width))
    parts += [
        f'<text class="pb_axis" x="{x(tick):.1f}" y="{height - 34}" text-anchor="middle">{tick:,.0f}</text>'
        for tick in _ticks(0, largest, _step(largest, 6 if width > NARROW else 3))
    ]
    middle = (LEFT + width) / 2
    parts.append(
        f'<text class="pb_axis" x="{middle}" y="{height - 10}" text-anchor="middle">{escape(size_label)}</text>'
    )
    return svg(title, width, height, parts, role="group")


def _place(x: float, y: float, dot: Dot) -> str:
    """Return a mark that shows its name when a pointer or the keyboard is on it."""
    said = escape(f"{dot.label}: {rounded(dot.value)}% of {dot.size:,.0f}", {'"': "&quot;"})
    if dot.place == "within":
        shape = f'<circle class="pb_place pb_place--within" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    else:
        shape = f'<path class="pb_place pb_place--{dot.place}" d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7-7z"/>'
    named = f'<text class="pb_hover" x="{x:.1f}" y="{y - 12:.1f}" text-anchor="middle">{escape(dot.label)}</text>'
    return f'<a class="pb_dot-link" href="{dot.href}" aria-label="{said}"><title>{said}</title>{shape}{named}</a>'


def _lines(label: str, room: float) -> list[str]:
    """Return a name in one line or two, in full if there is room for it."""
    return textwrap.wrap(label, int(room / 7.2), max_lines=2, placeholder="…")


def _label(lines: Sequence[str], x: float, middle: float) -> list[str]:
    """Return the lines one below the other, centred on the middle."""
    first = middle + 5 - 8 * (len(lines) - 1)
    return [
        f'<text class="pb_label" x="{x}" y="{first + 16 * at:.1f}" text-anchor="end">{escape(line)}</text>'
        for at, line in enumerate(lines)
    ]


def dot(x: float, y: float, radius: float, *, hollow: bool) -> str:
    kind = "pb_dot pb_dot--hollow" if hollow else "pb_dot"
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>'


def svg(
    title: str, width: float, height: float, parts: Sequence[str], kind: str = "pb_chart", role: str = "img"
) -> str:
    """Return a drawing with a name. If parts of it can be pointed at, it needs the role of a group."""
    label = escape(title, {'"': "&quot;"})
    return (
        f'<svg class="{kind}" role="{role}" aria-label="{label}" viewBox="0 0 {width:g} {height:g}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _grid(low: float, high: float, step: float, y: Callable[[float], float], unit: str, width: float) -> Iterator[str]:
    for tick in _ticks(low, high, step):
        yield f'<line class="pb_grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        yield (
            f'<text class="pb_axis" x="{LEFT - 8}" y="{y(tick) + 5:.1f}" text-anchor="end">{_tick(tick, unit)}</text>'
        )


def runs(values: Sequence[float | None]) -> list[list[int]]:
    """Return the places of consecutive values, without the gaps."""
    runs: list[list[int]] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _scale(low: float, high: float, unit: str) -> tuple[float, float, float]:
    if unit == "percent" and low >= 0 and high > 50:
        return 0, 100, 20
    step = _step(high - low, 5)
    return floor(low / step) * step, max(ceil(high / step), 1) * step, step


def _step(reach: float, count: int) -> float:
    """Return a round step that divides the reach into about so many parts."""
    rough = max(reach, 1e-9) / count
    power = 10 ** floor(log10(rough))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= rough))


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [
        low + step * index
        for index in range(round((high - low) / step + 1e-6) + 1)
        if low + step * index <= high + 1e-9
    ]


def _tick(value: float, unit: str) -> str:
    return f"{value:g}%" if unit == "percent" else f"{value:,.10g}"
