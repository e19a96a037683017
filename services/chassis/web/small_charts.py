"""Charts within a line of a table, as SVG. The figures are written beside them."""

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.web.charts import dot, runs, svg

WIDTH, HEIGHT = 160, 40
Interval = tuple[float | None, float | None, float | None]
"""Value, lower and upper end, in percent."""


def spark(title: str, values: Sequence[float | None], hollow: Sequence[bool] = ()) -> str:
    """Draw a small line without axes."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, reach = min(known), (max(known) - min(known)) or 1

    def at(index: int) -> tuple[float, float]:
        value = values[index] or 0.0
        return 4 + (WIDTH - 8) * index / max(1, len(values) - 1), HEIGHT - 5 - (HEIGHT - 10) * (value - low) / reach

    parts = []
    for run in runs(values):
        parts.append(f'<polyline class="pb_line" points="{_path(at(index) for index in run)}"/>')
        if len(run) == 1 or run[-1] == len(values) - 1:
            is_hollow = bool(hollow) and hollow[run[-1]]
            parts.append(dot(*at(run[-1]), 2 if len(run) == 1 else 3.5, hollow=is_hollow))
    return svg(title, WIDTH, HEIGHT, parts, "pb_spark")


def share_bar(title: str, share: Interval | None) -> str:
    """Draw a share on a scale from 0 to 100 that all such bars have in common, with its interval."""
    if share is None or share[0] is None:
        return ""
    value, lower, upper = share[0], *share[1:]
    parts = [f'<rect class="pb_track" x="0" y="12" width="{WIDTH}" height="16"/>']
    parts.append(f'<rect class="pb_bar" x="0" y="12" width="{_across(value):.1f}" height="16"/>')
    if lower is not None and upper is not None:
        low, high = _across(lower), _across(upper)
        parts.append(f'<path class="pb_whisker" d="M{low:.1f} 20H{high:.1f}M{low:.1f} 15v10M{high:.1f} 15v10"/>')
    return svg(title, WIDTH, HEIGHT, parts, "pb_spark")


def spine(title: str, values: Sequence[float], own: float | None, centre: float | None) -> str:
    """Draw where one value lies among all: a line from the lowest to the highest, a bar over the middle half, a tick for the whole."""
    if len(values) < 4:
        return ""
    ranked = sorted(values)
    quarter = len(ranked) // 4
    low, high = _across(ranked[0]), _across(ranked[-1])
    first, last = _across(ranked[quarter]), _across(ranked[-1 - quarter])
    parts = [
        f'<rect class="pb_track" x="0" y="12" width="{WIDTH}" height="16"/>',
        f'<path class="pb_whisker" d="M{low:.1f} 20H{high:.1f}"/>',
        f'<rect class="pb_middle" x="{first:.1f}" y="14" width="{max(1.0, last - first):.1f}" height="12"/>',
    ]
    if centre is not None:
        parts.append(f'<path class="pb_reference" d="M{_across(centre):.1f} 6v28"/>')
    if own is not None:
        parts.append(dot(_across(own), 20, 5.5, hollow=False))
    return svg(title, WIDTH, HEIGHT, parts, "pb_spark")


def multiple(
    title: str, values: Sequence[float | None], whole: Sequence[float | None], marks: Mapping[int, str]
) -> str:
    """Draw one of many small lines on a scale from 0 to 100, with that of the whole behind it and marked points."""
    width, height = 200, 84
    count = max(len(values), 2)

    def at(series: Sequence[float | None], index: int) -> tuple[float, float]:
        return 8 + (width - 16) * index / (count - 1), height - 8 - (height - 16) * (series[index] or 0.0) / 100

    parts = [f'<path class="pb_grid" d="M8 {y}H{width - 8}"/>' for y in (8, height / 2, height - 8)]
    for kind, series in (("pb_whole", whole), ("pb_line", values)):
        parts += [f'<polyline class="{kind}" points="{_path(at(series, i) for i in run)}"/>' for run in runs(series)]
    for index, kind in marks.items():
        x, y = at(values, index)
        parts.append(f'<path class="pb_place pb_place--{kind}" d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5-5z"/>')
    return svg(title, width, height, parts, "pb_multiple")


def _across(value: float) -> float:
    return WIDTH * min(100.0, max(0.0, value)) / 100


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
