"""The reference scenario through the front door: posted to the intake APIs, read from the reporting API.

Each round posts the scenario of some authorities as other orders of other people, in another order and form, so one platform serves
them all: after n rounds of an authority every cell of it must be n times what is expected.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, NamedTuple

import httpx
import pytest

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import Event, decode
from contracts.events import Topic
from contracts.periods import quarter_of, year_months, year_of
from contracts.topics import topic_of
from services.chassis.clock import system_clock
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Part
from tests.support import scenario
from tests.support.checking.formats import Told, from_csv, from_json, from_json_stat, from_xlsx
from tests.support.checking.indicator_sums import (
    Cells,
    Figure,
    Month,
    divisions,
    figures,
    is_known,
    keys_of,
    months_told,
    places,
    with_overdue,
    without_unheard,
)
from tests.support.generated.thorough import THOROUGH, TURN, turns
from tests.support.kafka import remove_topics
from tests.support.made.load import SERVICE_OF
from tests.support.processes import LINES, Platform, running_platform

pytestmark = pytest.mark.long

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NOT_JSON = b"{not json"
AGAIN = turns(sorted(AUTHORITIES), TURN, some=12)
"""Whose events are sent again today, in other ways: of so many there is always one with each kind of fault."""

Wrong = tuple[str, str]
"""Reason and path."""


class Sheet(NamedTuple):
    """The lines of one topic."""

    kind: Topic
    authority: str
    lines: list[bytes]

    @property
    def service(self) -> str:
        return SERVICE_OF[self.kind]

    @property
    def source(self) -> str:
        return f"{topic_of(self.kind, self.authority)}/0"


def sheets(turn: int = 0) -> list[Sheet]:
    """Return the scenario; rounds after the first tell it of other orders and other people."""
    return [Sheet(kind, code, [_of_round(line, turn) for line in lines]) for kind, code, lines in scenario.topics()]


def _of_round(line: bytes, turn: int) -> bytes:
    if turn == 0:
        return line
    for member in (b'"subject":"', b'"person_ref":"'):
        line = line.replace(member, member + b"round-%d-" % turn)
    return line


def what_is_wrong(line: bytes, authority: str) -> Wrong | None:
    """Return the fault of a line that the scenario is known to hold, found without the platform's own code."""
    if line == NOT_JSON:
        return "not_json", "$"
    known_by = {
        b"order.imagined": ("unknown_type", "$.type"),
        b'"time":"yesterday"': ("bad_time", "$.time"),
        b'"surprise":': ("unknown_member", "$.surprise"),
        b'"note":': ("unknown_member", "$.data.note"),
    }
    if b'"id":' not in line:
        return "missing_member", "$.id"
    codes = (authority, AUTHORITIES[authority].retired_code or authority)
    if not any(f'"source":"/authorities/{code}'.encode() in line for code in codes):
        return "wrong_authority", "$.source"
    return next((wrong for sign, wrong in known_by.items() if sign in line), None)


def test_the_bad_lines_are_known() -> None:
    found = [
        (sheet.authority, wrong)
        for sheet in sheets()
        for line in sheet.lines
        if (wrong := what_is_wrong(line, sheet.authority))
    ]
    assert len(found) == scenario.expected_outcomes()["rejected"]
    assert len({wrong for _, wrong in found}) == 7
    assert len({wrong for authority, wrong in found if authority in AGAIN}) == 7


class Posted(NamedTuple):
    """The intake's answer to the lines of one topic."""

    sheet: Sheet
    receipts: list[dict[str, Any]]
    refused: dict[int, dict[str, Any]]
    """By the line's place in the sheet."""


@pytest.fixture(scope="module")
def platform(kafka: str, migrated: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Yield the platform on the shared broker, which has lost all other topics."""
    remove_topics(kafka)
    with running_platform(tmp_path_factory.mktemp("platform"), kafka, migrated(), forked=True) as running:
        yield running


class Rounds:
    """How often each authority has told the scenario, each time of other orders."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._rounds, self._told = 0, Counter[str]()

    def next(self, authorities: Collection[str]) -> list[Sheet]:
        """Return what these authorities are to tell now."""
        self._rounds += 1
        self._told.update([*authorities])
        return [sheet for sheet in sheets(self._rounds - 1) if sheet.authority in authorities]

    def assert_first(self) -> None:
        """Assert that the scenario was told once, by all."""
        assert self._rounds == 1

    def assert_counted(self) -> None:
        """Assert that every cell that the scenario speaks of is as expected, and that there are no others."""
        expected = {key: self._told[key.split("|")[1]] * value for key, value in scenario.expected().items()}
        assert scenario.in_reach(self._platform.cells()) == expected


@pytest.fixture(scope="module")
def rounds(platform: Platform) -> Rounds:
    return Rounds(platform)


@pytest.fixture(scope="module")
def first(platform: Platform, rounds: Rounds) -> list[Posted]:
    """Return what was answered to the whole scenario, as it is."""
    return tell(platform, rounds.next(AUTHORITIES), as_lines(platform, 10_000))


Post = Callable[[Sheet], Posted]


def tell(platform: Platform, found: Sequence[Sheet], post: Post) -> list[Posted]:
    """Post several topics at once, and wait until reporting shows them."""
    with ThreadPoolExecutor(4) as pool:
        posted = list(pool.map(post, found))
    last = {one.sheet.source: one.receipts[-1]["offset"] for one in posted if one.receipts}
    platform.wait_until_shown(last)
    return posted


def by_pieces(platform: Platform, size: int, media: str, wrap: Callable[[Sequence[bytes]], bytes]) -> Post:
    """Post so many lines in each request."""

    def post(sheet: Sheet) -> Posted:
        receipts: list[dict[str, Any]] = []
        refused: dict[int, dict[str, Any]] = {}
        for begin in range(0, len(sheet.lines), size):
            piece = sheet.lines[begin : begin + size]
            response = platform.post(sheet.service, sheet.authority, wrap(piece), media)
            answer = response.json()
            right = [line for line in piece if what_is_wrong(line, sheet.authority) is None]
            assert (response.status_code == 202) == bool(right), response.text
            assert answer["accepted"] == len(answer["receipts"]) == len(right)
            assert answer["accepted"] + len(answer["rejected"]) == len(piece)
            receipts += answer["receipts"]
            refused |= {begin + one["index"]: one for one in answer["rejected"]}
        return Posted(sheet, receipts, refused)

    return post


def as_lines(platform: Platform, size: int) -> Post:
    return by_pieces(platform, size, LINES, b"\n".join)


def without_broken_json(sheet: Sheet) -> Sheet:
    """Return the lines that a JSON array can hold."""
    return sheet._replace(lines=[line for line in sheet.lines if line != NOT_JSON])


def shuffled(found: Sequence[Sheet], seed: int) -> list[Sheet]:
    """Return the lines across each topic, and the topics, in another order."""
    rng = random.Random(seed)
    mixed = [sheet._replace(lines=rng.sample(sheet.lines, len(sheet.lines))) for sheet in found]
    rng.shuffle(mixed)
    return mixed


def test_posted_as_it_is_it_gives_exactly_its_cells(rounds: Rounds, first: list[Posted]) -> None:
    rounds.assert_counted()
    for sheet, receipts, refused in first:
        expected = {i: wrong for i, line in enumerate(sheet.lines) if (wrong := what_is_wrong(line, sheet.authority))}
        assert {i: (one["reason"], one["path"]) for i, one in refused.items()} == expected
        assert all(one["message"] and one["remedy"] for one in refused.values())
        places = [i for i in range(len(sheet.lines)) if i not in refused]
        assert [receipt["offset"] for receipt in receipts] == places


FORMATS: dict[str, tuple[str, str, Callable[[httpx.Response], Iterable[Told]]]] = {
    "json": ("authority", "month", lambda answer: from_json(answer.json())),
    "csv": ("authority", "quarter", lambda answer: from_csv(answer.text)),
    "jsonstat": ("authority", "year", lambda answer: from_json_stat(answer.text)),
    "xlsx": ("health_board", "year", lambda answer: from_xlsx(answer.content)),
}
"""Each read by a reader that is not ours, and divided in a way of its own."""
Divided = tuple[Indicator, str, tuple[Part, ...]]
"""An indicator, a breakdown of it, and the parts of that."""


def accepted(kind: Topic) -> dict[str, list[Event]]:
    """Return the events of a kind, by authority, as they arrived."""
    return {
        sheet.authority: [_event(line, sheet) for line in sheet.lines if not what_is_wrong(line, sheet.authority)]
        for sheet in sheets()
        if sheet.kind is kind
    }


def _event(line: bytes, sheet: Sheet) -> Event:
    found = decode(line, sheet.kind, sheet.authority, system_clock())
    assert isinstance(found, Event)
    return found


def everything() -> list[Divided]:
    """Return every indicator in all ways in which it is divided."""
    return [(indicator, *division) for indicator in INDICATORS.values() for division in divisions(indicator)]


JSON_DAYS = 1 if THOROUGH else 3


def asked_for(extension: str) -> Sequence[Divided]:
    """Return of which indicators, divided how, a format is asked today."""
    if extension == "json":
        return everything()[TURN % JSON_DAYS :: JSON_DAYS]
    others = [name for name in FORMATS if name != "json"]
    apart = len(others) * (1 if THOROUGH else 9)
    return everything()[(TURN * len(others) + others.index(extension)) % apart :: apart]


def labels_of(years: Iterable[str]) -> set[str]:
    """Return the names of these years, and of their quarters and months."""
    return {
        label for year in years for month in year_months(year) for label in (f"{month:%Y-%m}", quarter_of(month), year)
    }


Heard = dict[Topic, set[Month]]


def told_by(today: date) -> tuple[Heard, Cells]:
    """Return of which months each authority was heard, and the cells that must then be there."""
    expected = scenario.expected()
    heard = {kind: months_told(expected, accepted(kind), kind, today) for kind in Topic}
    return heard, without_unheard(with_overdue(expected, today), heard[Topic.UNPAID_WORK])


def computed(cells: Cells, indicator: Indicator, part: Part, extension: str) -> Iterator[Figure]:
    """Yield the figures of which the cells have everything."""
    area, period, _ = FORMATS[extension]
    for figure in figures(cells, indicator, part, area, period):
        if all(is_known(cells, form) for form in figure.forms):
            yield figure


@pytest.mark.one_day
def test_nearly_every_cell_is_in_a_figure_that_is_asked_today_or_tomorrow() -> None:
    _, cells = told_by(system_clock().date())
    shown = {
        key
        for indicator, _, parts in everything()
        for part in parts
        for figure in computed(cells, indicator, part, "json")
        for form in figure.forms
        for key in keys_of(cells, form)
    }
    expected, overdue = scenario.expected(), {key for key in cells if key.endswith("|overdue")}
    assert len(shown & expected.keys()) > 0.98 * len(expected)
    assert overdue
    assert overdue <= shown


@pytest.mark.one_day
@pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")
@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("extension", FORMATS)
def test_indicators_add_them_up_in_every_format(platform: Platform, rounds: Rounds, extension: str) -> None:
    """For a national reader. What was not reported has no number.

    JSON shows every breakdown of every indicator, a third of them today, each of one year and of another one next time, as many months are
    many rows. The other formats have the same rows, so each shows a few breakdowns, and others tomorrow.
    """
    rounds.assert_first()
    today = system_clock().date()
    heard, cells = told_by(today)
    area, period, read = FORMATS[extension]
    days = sorted(date.fromisoformat(key.split("|")[2]) for key in cells)
    years = sorted({*map(year_of, days)})
    there = {
        kind: [
            places(of_kind, area, period, today) | places(of_kind, area, "year", today),
            places(of_kind, area, period, today, at_ends=True),
        ]
        for kind, of_kind in heard.items()
    }
    reporting, compared = platform.client("reporting", "national"), 0
    for turn, (indicator, breakdown, parts) in enumerate(asked_for(extension), TURN // JSON_DAYS):
        by = ",".join(filter(None, (area, period, breakdown)))
        span = turns(years, turn) if extension == "json" else years
        labels = labels_of(span)
        asked = {"by": by, "from": f"{year_months(span[0])[0]:%Y-%m}", "to": f"{year_months(span[-1])[-1]:%Y-%m}"}
        answer = reporting.get(f"/v1/indicators/{indicator.id}/data.{extension}", params=asked)
        rows = {row[:3]: row.numbers for row in read(answer.raise_for_status())}
        for part in parts:
            for figure in computed(cells, indicator, part, extension):
                for place, number in figure.by_place.items():
                    if place[1] not in labels:
                        continue
                    told = rows[(*place, part.category)].get(figure.name)
                    stock = indicator.minus is not None
                    of_work = indicator.services == {"unpaid_work"}
                    shown = there[Topic.UNPAID_WORK if of_work else Topic.ORDERS][stock]
                    known = round(number / figure.divide, 2) if place in shown else None
                    assert told == known, (indicator.id, by, place, part.category)
                    assert known is not None or stock or not number, "nothing is counted that was not reported"
                    compared += 1
    assert compared > len(asked_for(extension))


@pytest.mark.usefixtures("first")
def test_each_bad_line_is_kept_with_its_bytes(platform: Platform) -> None:
    kept = Counter[Wrong]()
    for sheet in sheets():
        client = platform.client(sheet.service, sheet.authority)
        answer = client.get("/v1/rejections").raise_for_status().json()
        found = {one["offset"]: (one["reason"], one["path"], one["event"]) for one in answer["rejections"]}
        assert found == {
            offset: (*wrong, line.decode())
            for offset, line in enumerate(sheet.lines)
            if (wrong := what_is_wrong(line, sheet.authority))
        }
        kept.update((reason, path) for reason, path, _ in found.values())
    assert kept.total() == scenario.expected_outcomes()["rejected"]
    assert len(kept) == 7


def again() -> list[Sheet]:
    """Return the first round of those who send again today."""
    return [sheet for sheet in sheets() if sheet.authority in AGAIN]


@pytest.mark.usefixtures("first")
def test_posted_twice_nothing_changes(platform: Platform, rounds: Rounds) -> None:
    tell(platform, again(), as_lines(platform, 100))
    rounds.assert_counted()


@pytest.mark.usefixtures("first")
def test_bad_lines_alone_change_nothing(platform: Platform, rounds: Rounds) -> None:
    bad = [
        sheet._replace(lines=[line for line in sheet.lines if what_is_wrong(line, sheet.authority)])
        for sheet in again()
    ]
    before = platform.rows("SELECT count(*) FROM orders.rejections")
    for sheet in bad:
        answer = platform.post(sheet.service, sheet.authority, b"\n".join(sheet.lines))
        foreign = {what_is_wrong(line, sheet.authority) for line in sheet.lines} == {("wrong_authority", "$.source")}
        assert answer.status_code == (403 if foreign else 422)
        assert answer.headers["content-type"] == "application/problem+json"
        assert [one["index"] for one in answer.json()["rejected"]] == list(range(len(sheet.lines)))
    # One good event after them shows when they have been read; it was posted before, so it changes nothing either.
    marks = [
        sheet._replace(lines=[next(line for line in sheet.lines if not what_is_wrong(line, sheet.authority))])
        for sheet in again()
    ]
    tell(platform, marks, as_lines(platform, 1))
    assert platform.rows("SELECT count(*) FROM orders.rejections") > before
    rounds.assert_counted()


@pytest.mark.usefixtures("first")
def test_validated_only_nothing_is_sent(platform: Platform) -> None:
    sheet = next(sheet for sheet in sheets() if len(sheet.lines) > 20)
    before = platform.positions()[sheet.source]
    client = platform.client(sheet.service, sheet.authority)
    answer = client.post("/v1/validate", content=b"\n".join(sheet.lines), headers={"Content-Type": LINES}).json()
    assert len(answer["rejected"]) == 1
    assert answer["accepted"] == len(sheet.lines) - 1
    assert answer["receipts"] == []
    (again,) = tell(platform, [sheet._replace(lines=sheet.lines[:1])], as_lines(platform, 1))
    assert again.receipts[0]["offset"] == before + 1


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("seed", [1, 2, 3] if THOROUGH else [1])
def test_in_another_order_and_in_any_form_the_cells_are_the_same(platform: Platform, rounds: Rounds, seed: int) -> None:
    """Each topic has its own form: single events, JSON arrays, or lines in small or large pieces; and another one tomorrow.

    `make test` has some authorities tell them, and others tomorrow.
    """
    arrays = [by_pieces(platform, size, BATCH, lambda lines: b"[" + b",".join(lines) + b"]") for size in (4, 9, 16, 25)]
    single, lines = (
        by_pieces(platform, 1, ONE, b"".join),
        [as_lines(platform, each) for each in (5, 7, 11, 19, 37, 70, 130)],
    )
    forms = [single, *arrays, *lines]
    found = shuffled(rounds.next(AUTHORITIES if THOROUGH else AGAIN[:8]), seed)
    form_of = {sheet.source: forms[(number + TURN + 5 * seed) % len(forms)] for number, sheet in enumerate(found)}
    told = [without_broken_json(sheet) if form_of[sheet.source] in arrays else sheet for sheet in found]
    tell(platform, told, lambda sheet: form_of[sheet.source](sheet))
    rounds.assert_counted()
