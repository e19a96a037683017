"""All that the API answers to one caller, as readings."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle, product
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind
from tests.support.attacker.formats import Told, from_csv, from_json, from_json_stat, from_xlsx
from tests.support.attacker.reading import NEVER_PUBLIC, Reading, World, around, size_from_limits

PERIODS = ("", "month", "quarter", "year")
AREAS = ("", "health_board", "authority")
"""How finely figures may be asked for, the finest areas last: what is added here is attacked."""
FORMATS: Mapping[str, Callable[[Response], Iterator[Told]]] = {
    "json": lambda answer: from_json(answer.json()),
    "csv": lambda answer: from_csv(answer.text),
    "jsonstat": lambda answer: from_json_stat(answer.text),
    "xlsx": lambda answer: from_xlsx(answer.content),
}
CENT = 0.01
"""What the API rounds to."""


@dataclass
class Caller:
    """One who asks. `releases` are asked for by name, `days` are when each was the latest."""

    client: TestClient
    world: World
    releases: tuple[str, ...]
    days: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    own: str | None = None
    """The caller's own authority: it knows more of it than is read here."""
    differences: list[str] = field(default_factory=list)
    """Indicators of which the formats did not tell the same."""

    def get(self, path: str) -> Response:
        answer = self.client.get(path, headers=dict(self.headers))
        assert answer.status_code == 200, (path, answer.text)
        return answer

    def figures(self, indicator: Indicator) -> Iterator[Reading]:
        """Every breakdown of every release, by the finest areas: those answers hold Scotland as well."""
        for breakdown, (release, name) in product(breakdowns(indicator), enumerate(self.releases)):
            for period in PERIODS[1:] if name == self.releases[-1] else PERIODS[1:2]:
                yield from self.rows(indicator, release, (AREAS[-1], period, breakdown))
        for breakdown in breakdowns(indicator)[:2]:
            yield from self.rows(indicator, len(self.releases) - 1, ("health_board", "month", breakdown))

    def however_finely(self, indicator: Indicator) -> Iterator[Reading]:
        """The headline figure of the latest release."""
        for area, period in product(AREAS, PERIODS):
            yield from self.rows(indicator, len(self.releases) - 1, (area, period, ""))

    def rows(self, indicator: Indicator, release: int, by: tuple[str, ...]) -> Iterator[Reading]:
        """As CSV."""
        path = f"/v1/indicators/{indicator.id}/data.csv?{self._asked(by)}&release={self.releases[release]}"
        yield from self.readings(indicator, by[-1], release, from_csv(self.get(path).text))

    def _asked(self, by: tuple[str, ...]) -> str:
        return f"by={','.join(filter(None, by))}&from={self.world.months[0]}&to={self.world.months[-1]}"

    def every_way(self, indicator: Indicator) -> Iterator[Reading]:
        """The same rows in other formats, and as on the days on which a release was the latest."""
        for breakdown in breakdowns(indicator)[:1]:
            found = [list(self.in_format(indicator, breakdown, extension, "year")) for extension in FORMATS]
            self.differences += [indicator.id for others in found if _in_order(others) != _in_order(found[0])]
            yield from found[0]
        yield from self.on_days(indicator)

    def in_format(self, indicator: Indicator, breakdown: str, extension: str, period: str) -> Iterator[Reading]:
        """The latest release."""
        path = f"/v1/indicators/{indicator.id}/data.{extension}?{self._asked((AREAS[-1], period, breakdown))}"
        rows = FORMATS[extension](self.get(f"{path}&release={self.releases[-1]}"))
        yield from self.readings(indicator, breakdown, len(self.releases) - 1, rows)

    def on_days(self, indicator: Indicator) -> Iterator[Reading]:
        """As on the days on which each release was the latest."""
        for release, day in enumerate(self.days):
            path = f"/v1/indicators/{indicator.id}/data.csv?{self._asked((AREAS[-1], 'month'))}&as_of={day}"
            yield from self.readings(indicator, "", release, from_csv(self.get(path).text))

    def may_read(self, area: str) -> bool:
        """Whether the area is one of this world, and not the caller's own."""
        return self.world.areas.get(area, (self.own,)) != (self.own,)

    def readings(self, indicator: Indicator, breakdown: str, release: int, rows: Iterable[Told]) -> Iterator[Reading]:
        for row in rows:
            if row.numbers and self.may_read(row.area):
                assert indicator.kind not in NEVER_PUBLIC, "how single orders stand today is never public"
                numbers = {name: around(n, _precision(indicator, name)) for name, n in row.numbers.items()}
                yield Reading(release, indicator.id, breakdown, row.category, row.period, row.area, numbers)

    def profiles(self, only: Collection[str] = INDICATORS) -> Iterator[Reading]:
        """`/v1/authorities/{code}/profile`."""
        codes = self.world.authorities
        release = len(self.releases) - 1
        for code, by in zip(codes, cycle(PERIODS), strict=False):
            body = self.get(f"/v1/authorities/{code}/profile?{self._asked((by,))}&release={self.releases[-1]}").json()
            for identity, pair in ((each, body["indicators"][each]) for each in only):
                for rows in pair.values():
                    yield from self.readings(INDICATORS[identity], "", release, from_json({"rows": rows}))

    def comparisons(self, indicator: Indicator, months: Iterable[str]) -> Iterator[Reading]:
        """`/v1/compare/{id}`: rows, and limits, which tell how many a share is of."""
        for (release, name), month in product(enumerate(self.releases), months):
            path = f"/v1/compare/{indicator.id}?from={month}&to={month}&release={name}"
            body = self.get(path).json()
            rows = [place["row"] for place in body["authorities"]] + [body["scotland"]]
            yield from self.readings(indicator, "", release, from_json({"rows": [row for row in rows if row]}))
            for place in body["authorities"]:
                if place["limits"] is not None and self.may_read(place["row"]["authority"]):
                    yield _size(indicator, release, month, place, body["scotland"])

    def changes(self) -> Iterator[tuple[int, Any]]:
        """What moved between a release and the one before, with the number of the release."""
        for release, name in enumerate(self.releases):
            for change in self.get(f"/v1/releases/{name}/changes").json()["changes"]:
                yield release, change


def _in_order(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda each: each[:-1])


def _size(indicator: Indicator, release: int, month: str, place: Any, scotland: Any) -> Reading:
    share, upper = around(scotland["value"], CENT), around(place["limits"]["upper_95"], CENT)
    numbers = {"denominator": size_from_limits(share, upper)}
    return Reading(release, indicator.id, "", "", month, place["row"]["authority"], numbers)


def _precision(indicator: Indicator, name: str) -> float:
    if name == "denominator" or (name == "numerator" and indicator.divide == 1):
        return 0
    return CENT


def breakdowns(indicator: Indicator) -> tuple[str, ...]:
    """The headline figure, and each way to divide it."""
    return ("", *(name for name, _ in indicator.breakdowns))


def comparable(indicator: Indicator) -> bool:
    """Whether it has a funnel."""
    return indicator.kind is Kind.SHARE
