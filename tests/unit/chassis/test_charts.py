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
