"""Charts in SVG: names are read whole, on a phone too."""

import re
from itertools import pairwise

import pytest

from services.chassis.web.charts import NARROW, WIDTH, Bar, Curve, Dot, bars, funnel
from services.chassis.web.labels import labels

NAMES = ("Missed: the order ended without it", "Dumfries and Galloway", "Currently on an order or supervision", "Fife")


@pytest.mark.parametrize("width", [WIDTH, NARROW])
def test_the_names_of_bars_are_read_whole(width: float) -> None:
    drawn = bars("Shares", [Bar(name, 50.0) for name in NAMES], "percent", None, width)
    assert " ".join(re.findall(r'<text class="pb_label"[^>]*>([^<]*)<', drawn)) == " ".join(NAMES)


def test_no_line_of_a_name_touches_the_next() -> None:
    drawn = bars("Shares", [Bar(name, 50.0) for name in NAMES * 3], "percent", None, NARROW)
    heights = [float(y) for y in re.findall(r'<text class="pb_label" x="\d+" y="([\d.]+)"', drawn)]
    assert all(after - before >= 14 for before, after in pairwise(heights))


@pytest.mark.parametrize("width", [WIDTH, NARROW])
@pytest.mark.parametrize("upper", [None, 4.8])
def test_nought_is_a_mark_and_a_word_inside_the_chart(width: float, upper: float | None) -> None:
    """Where all are nought nothing but the ends of their intervals was drawn."""
    drawn = bars("Shares", [Bar(name, 0.0, 0.0, upper) for name in NAMES], "percent", None, width)
    marks = re.findall(r'<rect class="pb_bar"[^>]* width="([\d.]+)"', drawn)
    assert [float(mark) > 0 for mark in marks] == [True] * len(NAMES)
    words = [float(x) for x in re.findall(r'<text class="pb_axis" x="([\d.]+)" y="[\d.]+">0</text>', drawn)]
    assert len(words) == len(NAMES)
    assert max(words) < width - 10


def test_a_bar_that_is_not_there_says_why() -> None:
    drawn = bars("Shares", [Bar("Fife", 50.0), Bar("Glasgow City", None, absent="[x]")], "percent")
    assert ">[x]</text>" in drawn
    assert "not shown" not in drawn


def test_a_name_stands_where_no_line_crosses_it_if_there_is_such_a_place() -> None:
    line = [(float(x), 100.0) for x in range(0, 400, 5)]
    (alone,) = labels([((100, 100), "Fife")], [(100, 100)], [], (0, 400))
    assert 'y="105.0"' in alone, "beside its mark"
    (crossed,) = labels([((100, 100), "Fife")], [(100, 100)], line, (0, 400))
    assert re.findall(r' y="([\d.]+)"', crossed) == ["91.0"]
    (hemmed,) = labels([((20, 100), "Fife")], [(20, 100)], [*line, *((x, 119.0) for x, _ in line)], (0, 45))
    assert 'text-anchor="middle"' in hemmed


@pytest.mark.parametrize("width", [WIDTH, NARROW])
def test_every_authority_outside_the_limits_is_named_where_they_lie_apart(width: float) -> None:
    """On a phone three of seven had no name, and two were crossed out by a limit."""
    dots = [
        Dot(*each, "alert")
        for each in (
            *(("Inverclyde", 180.0, 75.0), ("East Ayrshire", 265.0, 73.6), ("City of Edinburgh", 1200.0, 70.0)),
            *(("Aberdeen City", 495.0, 61.6), ("West Dunbartonshire", 205.0, 56.1), ("Dundee City", 300.0, 52.7)),
        )
    ]
    limit = Curve("95", [(float(size), 73.0) for size in range(0, 1300, 10)])
    drawn = funnel("Shares", dots, [limit], 66.6, "Number", width)
    assert set(re.findall(r'<text class="pb_label"[^>]*>([^<]*)<', drawn)) == {dot.label for dot in dots}
