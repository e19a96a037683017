"""Each sentence with figures on the pages of a release is read, and its numbers and claims worked out again from the release's own files.

A sentence that no reader here knows fails, so that new ones get a reader. What is told of how complete reports are is not from the files.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from html import unescape
from statistics import median
from typing import NamedTuple, get_args

import pytest
from fastapi.testclient import TestClient
from msgspec import structs

from contracts.authorities import AUTHORITIES
from contracts.cells import Cell, Service
from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, SiteSettings
from services.reporting.app import build
from services.reporting.files import store
from services.reporting.ingest.fold import fold
from services.reporting.ingest.store import write
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.reporting.conftest import NOW, position, taken
from tests.support.asking import UNLIMITED, InThisThread
from tests.support.checking.recomputed import (
    OFF_IN_A_QUARTER,
    OFF_IN_A_YEAR,
    SCOTLAND,
    STEP,
    Change,
    Figures,
    Period,
    Share,
    change,
    counts_differ,
    dispersion,
    funnel,
    interval,
    listed,
    placed,
    signed,
    tenth,
)
from tests.support.generated.openapi import TOKENS, nowhere
from tests.support.generated.thorough import TURN, turns
from tests.support.made.released_monthly import cells_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

FIRST, MONTHS, LAST = date(2024, 4, 1), 24, date(2026, 3, 1)
YEAR = Period("year", "2025-26")
PERIODS = (YEAR, Period("quarter", "2026-Q1"), Period("month", "2026-02"))
GLASGOW, ORKNEY = "S12000049", "S12000023"
_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def months_in_words(period: Period) -> str:
    """Return the months of a period."""
    year = int(period.label[:4])
    if period.kind == "year":
        return f"April {year} to March {year + 1}"
    if period.kind == "quarter":
        last = 3 * int(period.label[-1])
        return f"{_NAMES[last - 3]} to {_NAMES[last - 1]} {year}"
    return f"{_NAMES[int(period.label[5:]) - 1]} {year}"


def within(period: Period) -> str:
    return f"{'in' if period.kind == 'month' else 'from'} {months_in_words(period)}"


def told_otherwise(cell: Cell) -> Cell | None:
    """Return the cell after the changes that this nation is to show: placements got quicker in the second year, and in Glasgow first
    contact got slower in the last quarter.
    """
    slower = cell.measure == "placement" and cell.period < date(2025, 4, 1)
    glasgow = (cell.measure, cell.authority) == ("first_contact", GLASGOW) and cell.period >= date(2026, 1, 1)
    moved = cell.value // (6 if slower else 2)
    if (slower and cell.category == "band=within_7") or (glasgow and cell.category == "band=within_1"):
        return structs.replace(cell, value=cell.value - moved)
    return None


INTO = {"placement": "band=over_2_months", "first_contact": "band=over_5"}


def nation() -> Iterator[Cell]:
    """Yield the cells of all authorities for two years."""
    cells = {(c.measure, c.category, c.period, c.authority): c for c in cells_of(3, FIRST, MONTHS, len(AUTHORITIES))}
    for key, cell in list(cells.items()):
        told = told_otherwise(cell)
        if told is not None:
            cells[key] = told
            other = cell.measure, INTO[cell.measure], *key[2:]
            cells[other] = structs.replace(cells[other], value=cells[other].value + cell.value - told.value)
    yield from cells.values()


@dataclass
class Released:
    """A release: its pages, and its figures as its files have them."""

    client: TestClient
    name: str
    figures: Figures
    titles: Mapping[str, str]
    seen: Counter[str] = field(default_factory=Counter)
    """How often each kind of claim was read, so that none was read in vain."""

    def page(self, path: str, period: Period | None = None) -> str:
        asked = {} if period is None else {"period": f"{period.kind}-{period.label}"}
        return self.client.get(f"/releases/{self.name}{path}", params=asked).raise_for_status().text

    @property
    def standards(self) -> list[str]:
        """Return the standards in the order of the first page."""
        table = part(self.page("/overview", YEAR), 'aria-labelledby="standards"', "</table>")
        return list(dict.fromkeys(re.findall(r'<th scope="row"><a href="[^"]*/indicators/(\w+)', table)))


def part(page: str, begin: str, end: str) -> str:
    return page.split(begin, 1)[1].split(end, 1)[0]


def plain(html: str) -> str:
    """Return the text of markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html.replace("<br>", " "))).split())


def sentences_of(page: str) -> list[str]:
    return [plain(each) for each in re.findall(r"<li>(.*?)</li>", part(page, 'class="pb_sentences">', "</ul>"))]


@pytest.fixture(scope="module")
def released(migrated: Callable[[], str]) -> Iterator[Released]:
    """Yield two years of all authorities, released, with the files."""
    database = engine(DatabaseSettings(url=migrated(), schema_name=SCHEMA))
    shown = [position(code, service=each) for code in AUTHORITIES for each in get_args(Service)]
    with transaction(database) as connection:
        write(connection, fold([*nation(), *(heard for each in shown for heard in taken(each)), *shown]))
    clock = FixedClock(NOW)
    name = publication.make(database, LAST, NOW.date() - timedelta(days=1), clock)
    publication.publish(database, name, clock)
    store.make_files(database, name, NOW.date())
    site = SiteSettings(simulated=True, insecure_cookie=True)
    told = ApiSettings(database=nowhere(SCHEMA), tokens=TOKENS, http=UNLIMITED, site=site)
    client = InThisThread(build(told, database, new_registry(), clock))
    names = [each["name"] for each in client.get(f"/v1/releases/{name}/files").json()["files"]]
    files = [client.get(f"/releases/{name}/files/{each}").text for each in names if each.startswith("data/")]
    figures = Figures.of(files)
    yield Released(client, name, figures, {row["indicator"]: row["indicator_title"] for row in figures.rows.values()})
    database.dispose()


class Place(NamedTuple):
    """The subject of a sentence."""

    released: Released
    standards: Sequence[str]
    period: Period
    area: str = SCOTLAND

    def share(self, indicator: str, period: Period | None = None, area: str = "") -> Share | None:
        return self.released.figures.share(indicator, area or self.area, period or self.period)

    def value(self, indicator: str, period: Period | None = None) -> float | None:
        return self.released.figures.value(indicator, self.area, period or self.period)

    def low(self, indicator: str) -> str:
        """Return the title within a sentence."""
        title = self.released.titles[indicator]
        return title[0].lower() + title[1:]

    def changes(self, before: Period, now: Period) -> dict[str, Change]:
        """Return how each standard changed, of those for which that can be told."""
        found = {each: change(self.share(each, before), self.share(each, now)) for each in self.standards}
        return {each: moved for each, moved in found.items() if moved and not moved.too_few}

    @property
    def name(self) -> str:
        return self.released.figures.areas("authority").get(self.area, "Scotland")


Read = Callable[[re.Match[str], Place], None]


def orders(told: re.Match[str], at: Place) -> None:
    now, before = at.value("orders_imposed"), at.value("orders_imposed", at.period.before)
    assert now is not None
    assert (told["orders"], told["when"]) == (f"{now:,.0f}", within(at.period))
    hours = at.value("hours_credited")
    assert told["hours"] == (None if hours is None else f"{hours:,.0f}")
    if before is None:
        assert told["against"] is None
    elif counts_differ(before, now):
        more = "more" if now > before else "fewer"
        assert told["against"] == f", {tenth(abs(100 * (now - before) / before))}% {more} than a year before"
        at.released.seen["count beyond chance"] += 1
    else:
        assert told["against"] == ", about as many as a year before"


def completed(told: re.Match[str], at: Place) -> None:
    share = at.share("completion_rate")
    assert share is not None
    assert (told["value"], told["interval"]) == (share.percent, interval(share))


def best_and_worst(told: re.Match[str], at: Place) -> None:
    shares = {each: share for each in at.standards if (share := at.share(each))}
    assert int(told["standards"]) == len(at.standards)
    best, worst = (choose(shares, key=lambda each: shares[each].exact) for choose in (max, min))
    assert (told["best"], told["most"]) == (at.low(best), shares[best].percent)
    assert (told["worst"], told["least"]) == (at.low(worst), shares[worst].percent)
    missed = 1 - float(shares[worst].exact)
    about = {"nearly all": 1.0, "about half": 0.5}
    if one_in := re.fullmatch(r"about 1 in (\d+)", told["missed"]):
        assert 1 / (int(one_in[1]) + 0.5) <= missed <= 1 / (int(one_in[1]) - 0.5)
    elif in_ten := re.fullmatch(r"about (\d) in 10", told["missed"]):
        assert abs(missed - int(in_ten[1]) / 10) <= 0.05
    else:
        assert told["missed"] == "fewer than 1 in 30" or abs(missed - about[told["missed"]]) <= 0.05
        assert (told["missed"] == "fewer than 1 in 30") is (missed < 1 / 30)


def too_little(at: Place, able: Mapping[str, Change]) -> str:
    lacking = len(at.standards) - len(able)
    return f"; for {lacking} of {len(at.standards)} there is too little to tell" if lacking else ""


def none_moved(at: Place, able: Mapping[str, Change]) -> str:
    assert able
    judged = "" if len(able) == len(at.standards) else " that can be judged"
    what = f"none of the {len(able)} standards{judged} moved"
    return what if len(able) > 1 else f"the one standard{judged} did not move"


def moved(told: re.Match[str], at: Place) -> None:
    able = at.changes(at.period.before, at.period)
    ways = {way: [at.low(each) for each in able if able[each].way == way] for way in ("better", "worse")}
    parts = [
        f"{len(names)} standard{'s' if len(names) > 1 else ''} got {way} ({listed(names)})"
        for way, names in ways.items()
        if names
    ]
    at.released.seen["standard moved"] += len(parts)
    expected = f"{' and '.join(parts)}, by more" if parts else f"{none_moved(at, able)} by more"
    assert told["moves"] == f"{expected} than chance explains{too_little(at, able)}"


def by_standard(told: re.Match[str], at: Place) -> None:
    (indicator,) = (each for each in at.standards if at.released.titles[each] == told["title"])
    share = at.share(indicator)
    assert share is not None
    assert (told["value"], told["interval"]) == (share.percent, interval(share))


def against_scotland(told: re.Match[str], at: Place) -> None:
    places = {each: placed(at.share(each), at.share(each, area=SCOTLAND), OFF_IN_A_YEAR) for each in at.standards}
    compared = {each: place for each, place in places.items() if place is not None}
    ways = {"better": [e for e in compared if compared[e] > 0], "worse": [e for e in compared if compared[e] < 0]}
    parts = [
        f"{way} than Scotland on {len(ids)} ({listed([at.low(each) for each in ids])})"
        for way, ids in ways.items()
        if ids
    ]
    rest = len(compared) - sum(map(len, ways.values()))
    at.released.seen["unlike Scotland"] += len(parts)
    at.released.seen["like Scotland"] += not parts
    assert (told["name"], int(told["compared"])) == (at.name, len(compared))
    others = f"; {rest} {'do' if rest > 1 else 'does'} not differ" if rest else ""
    different = f"it is {' and '.join(parts)}, by more than chance explains{others}"
    assert told["verdict"] == (different if parts else "none differs from Scotland by more than chance explains")


def of_an_area_moved(told: re.Match[str], at: Place) -> None:
    """Quarters are set side by side if any standard can be told of them, and else years."""
    quarters, years = (at.released.figures.periods(kind)[-2:] for kind in ("quarter", "year"))
    before, now = quarters if at.changes(*quarters) else years
    assert (told["now"], told["then"]) == (months_in_words(now), months_in_words(before))
    able = at.changes(before, now)
    changed = [
        f"{at.low(each)} got {found.way} ({was.percent} to {is_now.percent})"
        for each, found in able.items()
        if found.way != "same" and (was := at.share(each, before)) and (is_now := at.share(each, now))
    ]
    at.released.seen["an area moved"] += len(changed)
    at.released.seen["an area did not move"] += not changed
    if not able:
        expected = "there are too few cases to tell of any standard whether it moved"
        assert told["moves"].startswith(expected)
        return
    expected = f"{listed(changed)}, by more" if changed else f"{none_moved(at, able)} by more"
    assert told["moves"] == f"{expected} than chance explains{too_little(at, able)}"


_ORDERS = (
    r"Courts imposed (?P<orders>[\d,]+) community payback orders (?P<when>(?:in|from) [\w ]+?)"
    r"(?P<against>, (?:about as many as|[\d.]+% (?:more|fewer) than) a year before)?\."
    r"(?: People on orders did (?P<hours>[\d,]+) hours of unpaid work\.)?"
)
_COMPLETED = (
    r"Of the orders that ended, (?P<value>\S+) were completed or discharged early \(95% interval (?P<interval>.+)\)\."
)
_BEST_AND_WORST = (
    r"Of the (?P<standards>\d+) national standards, the one met most often is (?P<best>.+) \((?P<most>[\d.]+%)\); "
    r"the one missed most often is (?P<worst>.+) \((?P<least>[\d.]+%): missed for (?P<missed>.+)\)\."
)
READERS: tuple[tuple[str, Read], ...] = (
    (_ORDERS, orders),
    (_COMPLETED, completed),
    (_BEST_AND_WORST, best_and_worst),
    (r"Since a year before, (?P<moves>.+)\.", moved),
    (r"(?P<title>[^:]+): (?P<value>[\d.]+%) \(95% interval (?P<interval>.+)\)\.", by_standard),
    (r"Of the (?P<compared>\d+) standards on which (?P<name>.+?) can be compared, (?P<verdict>.+)\.", against_scotland),
    (r"(?P<now>[\w ]+) against (?P<then>[\w ]+): (?P<moves>.+)\.", of_an_area_moved),
)


def read(sentence: str, at: Place) -> None:
    """Find the reader of the sentence, and have all that it says worked out again."""
    known = [(found, reader) for pattern, reader in READERS if (found := re.fullmatch(pattern, sentence))]
    assert len(known) == 1, f"a sentence that nothing works out again: {sentence}"
    found, reader = known[0]
    reader(found, at)


def test_the_sentences_about_scotland(released: Released) -> None:
    standards = released.standards
    assert len(standards) == 10
    for sentence in sentences_of(released.page("")):
        read(sentence, Place(released, standards, YEAR))
    for period in PERIODS:
        for sentence in sentences_of(released.page("/overview", period)):
            read(sentence, Place(released, standards, period))
    assert all(released.seen[each] for each in ("count beyond chance", "standard moved")), released.seen


def test_the_sentences_about_each_authority(released: Released) -> None:
    """Half of them each day."""
    standards = released.standards
    for code in turns([*AUTHORITIES], TURN, some=len(AUTHORITIES) // 2):
        told = sentences_of(released.page(f"/authorities/{code}", YEAR))
        assert told, code
        for sentence in told:
            read(sentence, Place(released, standards, YEAR, code))
    claims = ("unlike Scotland", "like Scotland", "an area moved", "an area did not move")
    assert all(released.seen[each] for each in claims), released.seen


@pytest.mark.parametrize("path", ["", f"/authorities/{GLASGOW}", f"/authorities/{ORKNEY}"])
def test_no_other_number_and_no_other_verdict_would_do(released: Released, path: str) -> None:
    """Each number of each sentence, one after the other, is made another; and each verdict."""
    at = Place(released, released.standards, YEAR, path.rpartition("/")[2] or SCOTLAND)
    spoilt = 0
    for sentence in sentences_of(released.page(path, YEAR if path else None)):
        for found in [*re.finditer(r"\d", sentence), *re.finditer(r"better|worse|more than|\bmet\b", sentence)]:
            other = OTHERS.get(found[0], f"{(int(found[0]) + 4) % 10}" if found[0].isdigit() else "")
            wrong = sentence[: found.start()] + other + sentence[found.end() :]
            assert is_noticed(wrong, at), wrong
            spoilt += 1
    assert spoilt > 20


def is_noticed(sentence: str, at: Place) -> bool:
    try:
        read(sentence, at)
    except (AssertionError, KeyError, ValueError):
        return True
    return False


OTHERS = {"better": "worse", "worse": "better", "more than": "no more than", "met": "missed"}


def test_the_first_page_tells_each_change_and_who_is_far_below(released: Released) -> None:
    standards, page = released.standards, released.page("/overview", YEAR)
    rows = re.findall(r"<tr>(.*?)</tr>", part(page, 'aria-labelledby="standards"', "</table>"), re.DOTALL)[1:]
    at = Place(released, standards, YEAR)
    for indicator, row in zip(standards, rows, strict=True):
        found = change(at.share(indicator, YEAR.before), at.share(indicator, YEAR))
        assert told_of(found) in plain(row)
    behind = part(page, 'id="attention"', "<h2")
    for indicator in standards:
        assert named(behind, released.titles[indicator]) == far_below(at, indicator), indicator
        released.seen["far below"] += bool(far_below(at, indicator))
    assert released.seen["far below"]


def told_of(found: Change | None) -> str:
    if found is None:
        return "Cannot be said"
    if found.too_few:
        return f"Too few to tell {signed(found.points)} points"
    verdicts = {"same": "No change beyond chance", "better": "Better, beyond chance", "worse": "Worse, beyond chance"}
    return f"{verdicts[found.way]} {signed(found.points)} points ({signed(found.lower)} to {signed(found.upper)})"


def named(markup: str, title: str) -> str:
    """Return what a list says of a standard; empty if it says nothing."""
    found = re.search(rf"<dt><a [^>]*>{re.escape(title)}</a></dt>\s*<dd>(.*?)</dd>", markup, re.DOTALL)
    return plain(found[1]) if found else ""


def far_below(at: Place, indicator: str) -> str:
    """Return the authorities outside the 99.8 % limits below Scotland, the lowest first."""
    scotland, shares = at.share(indicator), compared_of(at, indicator)
    assert scotland is not None
    low = [code for code, share in shares.items() if placed(share, scotland, OFF_IN_A_YEAR) == -2]
    names = at.released.figures.areas("authority")
    told = ", ".join(
        f"{names[each]} {shares[each].percent}" for each in sorted(low, key=lambda each: (shares[each].exact, each))
    )
    vary = dispersion(list(shares.values()), scotland, OFF_IN_A_YEAR)[1]
    return f"{told} (authorities vary more than chance explains)" if told and vary else told


def compared_of(at: Place, indicator: str) -> dict[str, Share]:
    """Return the shares of the authorities that have enough cases."""
    found = {code: at.share(indicator, area=code) for code in AUTHORITIES}
    return {code: share for code, share in found.items() if share and share.of >= 10}


PLACES = {0: "Within the limits", 1: "outside 95% limits", 2: "outside 99.8% limits"}


def test_comparisons_tell_who_is_outside_and_how_many_would_be_by_chance(released: Released) -> None:
    names = released.figures.areas("authority")
    for indicator in released.standards:
        page, at = released.page(f"/compare/{indicator}", YEAR), Place(released, released.standards, YEAR)
        scotland, shares = at.share(indicator), compared_of(at, indicator)
        assert scotland is not None
        assert f"Scotland: {scotland.percent}." in page
        assert f"a standard deviation of {OFF_IN_A_YEAR:g} cases" in page
        places = {code: placed(share, scotland, OFF_IN_A_YEAR) or 0 for code, share in shares.items()}
        for code, place in places.items():
            row = part(page, f'<tr id="{code}">', "</tr>")
            side = "" if not place else "Above, " if place > 0 else "Below, "
            around = funnel(scotland.exact, shares[code].of, OFF_IN_A_YEAR)
            cells = [plain(each) for each in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
            assert cells == [
                names[code],
                shares[code].percent,
                side + PLACES[abs(place)],
                f"{shares[code].of:,}",
                around.inside(1),
                around.inside(2),
            ]
        told = plain(page)
        chances = [
            tenth(sum(funnel(scotland.exact, each.of, OFF_IN_A_YEAR).chance_of(outside) for each in shares.values()))
            for outside in (1, 2)
        ]
        about = [f"about {float(each):g}" if each else "none" for each in chances]
        beyond = [sum(abs(place) >= outside for place in places.values()) for outside in (1, 2)]
        lie = "lies" if beyond[0] == 1 else "lie"
        assert (
            f"Of the {len(shares)} authorities compared, chance alone would put {about[0]} outside the 95% limits and {about[1]} outside "
            f"the 99.8% limits. {beyond[0] or 'None'} {lie} outside the first, {beyond[1] or 'none'} outside the second."
        ) in told, indicator
        spread, over = dispersion(list(shares.values()), scotland, OFF_IN_A_YEAR)
        assert (f"The spread of authorities is {float(tenth(spread)):g} times" in told) is over, indicator
        released.seen["more than chance"] += over
        released.seen["no more than chance"] += not over
    assert released.seen["more than chance"]
    assert released.seen["no more than chance"]


def test_comparisons_tell_since_when_each_authority_is_outside(released: Released) -> None:
    quarters = released.figures.periods("quarter")[-8:]
    since = Counter[str]()
    for indicator in released.standards:
        page, at = released.page(f"/compare/{indicator}", YEAR), Place(released, released.standards, YEAR)
        told = {
            plain(name): plain(words)
            for name, words in re.findall(
                r"<li[^>]*><h3>(.*?)</h3>.*?<p>(.*?)</p></li>", part(page, 'class="pb_multiples"', "</ul>"), re.DOTALL
            )
        }
        assert len(told) == len(AUTHORITIES)
        for code, name in released.figures.areas("authority").items():
            places = [
                placed(at.share(indicator, each, code), at.share(indicator, each), OFF_IN_A_QUARTER)
                for each in quarters
            ]
            assert told[name] == since_when(places, quarters), (indicator, name)
            since[told[name].split(",")[0]] += 1
    assert {"Within the limits", "Below", "Above", "Not compared in the last quarter"} <= set(since)


def since_when(places: Sequence[int | None], quarters: Sequence[Period]) -> str:
    last = places[-1]
    if last is None:
        return "Not compared in the last quarter"
    if not last:
        times = sum(bool(each) for each in places)
        of = sum(each is not None for each in places)
        more = f" in the last quarter; outside in {times} of the {of} that can be compared" if times else ""
        return f"Within the limits{more}"
    count = 0
    for each in reversed(places):
        if not each or (each > 0) is not (last > 0):
            break
        count += 1
    told = f"{count} quarter{'s' if count > 1 else ''}"
    side = "Above" if last > 0 else "Below"
    return f"{side}, outside the limits since {months_in_words(quarters[-count])} ({told})"


def test_each_indicator_tells_its_change_and_calls_it_chance_or_not(released: Released) -> None:
    claims = Counter[str]()
    for indicator in released.titles:
        now, before = (released.figures.exact(indicator, SCOTLAND, each) for each in (YEAR, YEAR.before))
        figure = plain(part(released.page(f"/indicators/{indicator}", YEAR), 'class="pb_figure">', "</div>"))
        found = re.search(
            r"(Up|Down) (\S+?)(%| percentage points) on ([\w ]+?)(, (?:no )?more than chance explains)?\.", figure
        )
        if found is None or now is None or not before:
            continue
        points, at = found[3] == " percentage points", Place(released, (), YEAR)
        differs = now - before if points else 100 * (now - before) / before
        assert (found[1], found[4]) == ("Up" if differs > 0 else "Down", months_in_words(YEAR.before)), indicator
        assert abs(float(found[2]) - abs(differs)) <= 0.051, indicator
        moved_by = change(at.share(indicator, YEAR.before), at.share(indicator)) if points else None
        if found[5]:
            beyond = moved_by.way != "same" if moved_by else counts_differ(before, now)
            assert ("no more" not in found[5]) is beyond, indicator
            claims[found[5]] += 1
        else:
            assert not points, "of a share it is always said"
    assert set(claims) == {", more than chance explains", ", no more than chance explains"}, claims


SHIFT = re.compile(
    r"A shift: (\d+) months (above|below) the median and none \w+ it, by more than rounding explains, from ([\w ]+) to ([\w ]+) \("
)


def test_shifts_are_in_the_months_of_the_files(released: Released) -> None:
    told = 0
    for indicator in released.standards:
        for times, side, first, last in SHIFT.findall(plain(released.page(f"/indicators/{indicator}", YEAR))):
            months = settled_months(released, indicator)
            middle = median([share.exact for share in months.values()])
            names = [months_in_words(each) for each in months]
            run = list(months.values())[names.index(first) : names.index(last) + 1]
            beyond = [share for share in run if abs(share.exact - middle) > Fraction(STEP, share.of)]
            assert {share.exact > middle for share in beyond} == {side == "above"}, indicator
            assert len(beyond) == int(times) >= 8, indicator
            told += 1
    assert told, "placements got quicker for good"


def settled_months(released: Released, indicator: str) -> dict[Period, Share]:
    """Return the last two years of Scotland by month, without months in which something can still happen."""
    found = released.figures
    months = [
        each
        for each in found.periods("month")[-24:]
        if (indicator, SCOTLAND, each) in found.rows and found.is_settled(indicator, SCOTLAND, each)
    ]
    return {each: share for each in months if (share := found.share(indicator, SCOTLAND, each))}
