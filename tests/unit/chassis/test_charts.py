"""Charts in SVG: names are read whole, on a phone too."""

import re
from itertools import pairwise

import pytest

from services.chassis.web.charts import NARROW, WIDTH, Bar, bars

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
