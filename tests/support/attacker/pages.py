"""What pages tell: their tables, and what can be measured in their charts."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import NamedTuple

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS
from services.reporting.figures.answers import parts_of
from services.reporting.formats.labels import BREAKDOWNS, category_label
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator
from tests.support.attacker.fetching import Caller
from tests.support.attacker.reading import Between, Reading, around

KINDS = {
    "authority": {authority.name: code for code, authority in AUTHORITIES.items()} | {"Scotland": SCOTLAND},
    "health board area": {board.name: code for code, board in HEALTH_BOARDS.items()} | {"Scotland": SCOTLAND},
}
"""Codes by name, as the tables of a page have them."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MEASURED = 0.5
"""Of a pixel: charts are drawn to a tenth, and so are the axes that they are measured by."""


class Page(NamedTuple):
    """An indicator's page of a release, for an area and a month."""

    caller: Caller
    indicator: Indicator
    release: int
    area: str
    month: str
    text: str

    def reading(self, numbers: Mapping[str, Between], area: str, period: str, place: tuple[str, str]) -> list[Reading]:
        if not numbers or not self.caller.may_read(area):
            return []
        return [Reading(self.release, self.indicator.id, *place, period, area, numbers)]

    def all(self) -> Iterator[Reading]:
        """Every table and chart."""
        yield from self._by_month()
        for name, parts in self.indicator.breakdowns:
            labels = {category_label(p.numerator.measure, p.category): p.category for p in parts}
            yield from self._by_category(name, labels)
        yield from self._by_area()

    def _by_month(self) -> Iterator[Reading]:
        title = f"{self.indicator.title}, {AREA_NAMES[self.area]}, by month"
        rows = table(self.text, title)
        periods = [_month(row[0]) for row in rows]
        for period, (_, value, interval, _) in zip(periods, rows, strict=True):
            yield from self.reading(_numbers(value=value, interval=interval), self.area, period, ("", ""))
        for place, value_drawn in points(chart(self.text, title), len(rows)):
            yield from self.reading({"value": value_drawn}, self.area, periods[place], ("", ""))

    def _by_category(self, name: str, labels: Mapping[str, str]) -> Iterator[Reading]:
        area = AREA_NAMES[self.area]
        for label, *numbers in table(self.text, f"{self.indicator.title}, {area}: {BREAKDOWNS[name].lower()}"):
            told = _numbers(value=numbers[-1], numerator=numbers[0] if len(numbers) > 1 else "")
            yield from self.reading(told, self.area, self.month, (name, labels[label]))
        for label, drawn in bars(chart(self.text, f"{self.indicator.title}: {BREAKDOWNS[name].lower()}, {area}")):
            yield from self.reading(drawn, self.area, self.month, (name, labels[label]))

    def _by_area(self) -> Iterator[Reading]:
        for kind, codes in KINDS.items():
            yield from self._by(kind, codes)

    def _by(self, kind: str, codes: Mapping[str, str]) -> Iterator[Reading]:
        whole = parts_of(self.indicator, None)[0].denominator is not None
        for name, value, interval, number, size in table(self.text, f"{self.indicator.title}, ", f"by {kind}"):
            of = size if whole else ""
            numerator = number if self.indicator.divide == 1 else ""
            told = _numbers(value=value, interval=interval, numerator=numerator, denominator=of)
            yield from self.reading(told, codes[name], self.month, ("", ""))
        for name, drawn in bars(chart(self.text, f"{self.indicator.title}, by {kind}")):
            yield from self.reading(drawn, codes[name], self.month, ("", ""))


def page(caller: Caller, indicator: str, release: int, area: str, month: str) -> Iterator[Reading]:
    """The page of an indicator."""
    query = f"release={caller.releases[release]}&area={area}&period=month-{month}"
    text = caller.get(f"/indicators/{indicator}?{query}").text
    yield from Page(caller, INDICATORS[indicator], release, area, month, text).all()


def table(text: str, *caption: str) -> list[tuple[str, ...]]:
    """The cells of the body of the one table whose caption holds these words."""
    found = [
        body
        for said, body in re.findall(r"<caption[^>]*>(.*?)</caption>.*?<tbody>(.*?)</tbody>", text, re.DOTALL)
        if unescape(said).startswith(caption[0]) and all(words in unescape(said) for words in caption)
    ]
    assert len(found) == 1, caption
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", found[0], re.DOTALL)
    return [tuple(map(_text, re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL))) for row in rows]


def chart(text: str, title: str) -> str:
    """The drawing with this title; empty where there is none."""
    for said, body in re.findall(r'<svg[^>]*aria-label="([^"]*)"[^>]*>(.*?)</svg>', text, re.DOTALL):
        if unescape(said) == title:
            return str(body)
    return ""


def bars(drawing: str) -> Iterator[tuple[str, Mapping[str, Between]]]:
    """Label, and what the lengths of bar and whisker stand for."""
    axis = re.findall(r'<text class="pb_axis" x="([\d.]+)"[^>]*text-anchor="middle">([\d.,]+)%?</text>', drawing)
    ticks = sorted((float(x), float(words.replace(",", ""))) for x, words in axis)
    if len(ticks) < 2:
        return
    (start, _), (end, most) = ticks[0], ticks[-1]
    unit = most / (end - start)
    for label, rest in re.findall(
        r'<text class="pb_label"[^>]*>([^<]*)</text>(.*?)(?=<text class="pb_label"|$)', drawing
    ):
        found: dict[str, Between] = {}
        if width := re.search(r'<rect[^>]*width="([\d.]+)"', rest):
            found["value"] = around(float(width[1]) * unit, MEASURED * unit + 0.01)
        if whisker := re.search(r'class="pb_whisker" d="M([\d.]+) [\d.]+H([\d.]+)', rest):
            for name, x in zip(("lower", "upper"), whisker.groups(), strict=True):
                found[name] = around((float(x) - start) * unit, MEASURED * unit + 0.01)
        yield unescape(label), found


def points(drawing: str, count: int) -> Iterator[tuple[int, Between]]:
    """Place in the series, and what the height of each point stands for."""
    axis = re.findall(r'<text class="pb_axis" x="[\d.]+" y="([\d.]+)" text-anchor="end">([\d.,]+)%?</text>', drawing)
    dots = re.findall(r'<circle class="pb_dot" cx="([\d.]+)" cy="([\d.]+)"', drawing)
    if not dots:
        return
    ticks = sorted((float(words.replace(",", "")), float(y) - 5) for y, words in axis)
    (low, at_low), (high, at_high) = ticks[0], ticks[-1]
    unit = (high - low) / (at_low - at_high)
    width, left = 760 - 62 - 16, 62
    for x, y in dots:
        place = round((float(x) - left) / width * count - 0.5)
        yield place, around(low + (at_low - float(y)) * unit, MEASURED * unit + 0.01)


def _text(cell: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", cell)).strip()


def _month(words: str) -> str:
    name, year = words.split()
    return f"{year}-{MONTHS.index(name) + 1:02d}"


def _numbers(*, value: str, interval: str = "", numerator: str = "", denominator: str = "") -> dict[str, Between]:
    lower, _, upper = interval.partition(" to ")
    said = {"value": value, "lower": lower, "upper": upper, "numerator": numerator, "denominator": denominator}
    return {name: number for name, words in said.items() if (number := _number(words)) is not None}


def _number(words: str) -> Between | None:
    plain = words.replace(",", "").rstrip("%")
    if not re.fullmatch(r"-?\d+(\.\d+)?", plain):
        return None
    return around(float(plain), 0.11 if "." in plain else 1.01)  # what is rounded was rounded before
