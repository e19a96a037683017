"""The first page: Scotland in sentences, each standard, the map, and authorities that need attention."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.chassis.web.words import counted, rounded
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Question
from services.reporting.figures.comparison import compare
from services.reporting.pages.content import words
from services.reporting.pages.content.choices import Choice, year_before
from services.reporting.pages.content.moves import differ, none_moved, of_how_many
from services.reporting.pages.content.reader import BY_AUTHORITY, Reader
from services.reporting.pages.content.standards import STANDARDS, StandardLine, row_of
from services.reporting.read.queries import Span
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator
from services.reporting.statistics.funnel import Place


@dataclass(frozen=True, slots=True)
class Behind:
    """Authorities that are further below Scotland in one standard than chance explains, at the 99.8 % limits."""

    indicator: Indicator
    authorities: tuple[tuple[str, str, str], ...]
    """Code, name and value, the lowest first."""
    overdispersed: bool


def sentences(reader: Reader, choice: Choice, standings: Sequence[StandardLine]) -> list[str]:
    """Describe Scotland in whole sentences, from figures that are shown; changes only if chance does not explain them."""
    found = [_orders(reader, choice), _completed(reader, choice), _met(standings), _moved(standings)]
    return [sentence for sentence in found if sentence]


def _orders(reader: Reader, choice: Choice) -> str:
    now = _count(reader, "orders_imposed", choice.span)
    if now is None:
        return ""
    before = _count(reader, "orders_imposed", year_before(choice.span))
    step = reader.step(INDICATORS["orders_imposed"], SCOTLAND)
    when = words.within(choice.span)
    said = f"Courts imposed {rounded(now, 0):,} community payback orders {when}"
    hours = _count(reader, "hours_credited", choice.span)
    worked = "" if hours is None else f" People on orders did {rounded(hours, 0):,} hours of unpaid work."
    return f"{said}{against(now, before, step)}.{worked}"


def against(now: float, before: float | None, step: int) -> str:
    """Compare a count with that of a year before. A difference is named only if chance and rounding to `step` do not explain it."""
    if not before:
        return ""
    if not differ(before, now, step):
        return ", about as many as a year before"
    percent = 100 * (now - before) / before
    return f", {rounded(abs(percent))}% {'more' if percent > 0 else 'fewer'} than a year before"


def _completed(reader: Reader, choice: Choice) -> str:
    row = row_of(reader, INDICATORS["completion_rate"], choice.span)
    if row is None or row.value is None:
        return ""
    return (
        f"Of the orders that ended, {words.value(row.value, 'percent')} were completed or discharged early "
        f"(95% interval {words.interval(row, 'percent')})."
    )


def _met(standings: Sequence[StandardLine]) -> str:
    shown = sorted((each for each in standings if each.row and each.row.value is not None), key=_share)
    if len(shown) < 2:
        return ""
    worst, best = shown[0], shown[-1]
    return (
        f"Of the {len(STANDARDS)} national standards, the one met most often is {_named(best)} ({best.value}); "
        f"the one missed most often is {_named(worst)} ({worst.value}: missed for {worst.missed})."
    )


def _share(each: StandardLine) -> float:
    return (each.row.value if each.row else None) or 0.0


def _moved(standings: Sequence[StandardLine]) -> str:
    better = [_named(each) for each in standings if each.move and each.move.way == "better"]
    worse = [_named(each) for each in standings if each.move and each.move.way == "worse"]
    moves = [each.move for each in standings if each.move]
    if not moves:
        return ""
    if not better and not worse:
        return f"Since a year before, {none_moved(moves, len(standings))}."
    parts = [
        f"{counted(len(names), 'standard')} got {way} ({words.listed(names)})"
        for names, way in ((better, "better"), (worse, "worse"))
        if names
    ]
    told = " and ".join(parts)
    return f"Since a year before, {told}, by more than chance explains{of_how_many(moves, len(standings))}."


def _named(each: StandardLine) -> str:
    title = each.indicator.title
    return title[0].lower() + title[1:]


def _count(reader: Reader, name: str, span: Span) -> float | None:
    row: Row | None = row_of(reader, INDICATORS[name], span)
    return None if row is None else row.value


def behind(reader: Reader, span: Span) -> list[Behind]:
    """Return the authorities that need attention, by standard; standards without any are left out."""
    return [each for each in _behind(reader, span) if each.authorities]


def _behind(reader: Reader, span: Span) -> Iterator[Behind]:
    for indicator in STANDARDS:
        found = compare(reader.ask(indicator, Question(span.first, span.last, BY_AUTHORITY)))
        middle = 100 * (found.share or 0)
        low = [
            (each.row.value, each.row.authority)
            for each in found.authorities
            if each.place is Place.ALARM and each.row.value is not None and each.row.value < middle
        ]
        told = tuple((code, AREA_NAMES[code], words.value(value, "percent")) for value, code in sorted(low))
        yield Behind(indicator, told, found.by_chance is not None and found.by_chance.overdispersed)
