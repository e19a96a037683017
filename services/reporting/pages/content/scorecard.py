"""One authority against the standards: beside Scotland and similar areas, against chance, and this quarter against the last."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from contracts.authorities import AUTHORITIES
from services.chassis.web import small_charts
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Answer, Question
from services.reporting.figures.comparison import Comparison, compare
from services.reporting.pages.content import words
from services.reporting.pages.content.choices import Choice
from services.reporting.pages.content.moves import Move, Way, none_moved, of_how_many
from services.reporting.pages.content.reader import BY_AUTHORITY, Reader, series
from services.reporting.pages.content.standards import STANDARDS, row_of
from services.reporting.read.queries import Span
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.indicators import Indicator
from services.reporting.statistics.funnel import Place

SIMILAR = 5
MOST_SIMILAR = 10


@dataclass(frozen=True, slots=True)
class Scored:
    """One standard, for one authority."""

    indicator: Indicator
    value: str
    interval: str
    mark: str
    scotland: str
    similar: str
    """The share of similar areas together, of those whose figures are shown."""
    place: str
    """`within`, `better`, `worse` or `none`."""
    verdict: str
    why_not: str
    """Why it is not compared; empty if it is."""
    spine: str
    spark: str
    figures: tuple[str, str] | None
    """The earlier and the present figure, as written."""
    move: Move | None
    """The change between them."""


def nearest_in_size(code: str, among: Collection[str], count: int = SIMILAR) -> tuple[str, ...]:
    """Return the authorities whose populations are nearest to this one's in proportion. A stated rule, not a judgement of similarity."""
    own = AUTHORITIES[code].population_thousands
    others = [AUTHORITIES[each] for each in among if each != code]
    others.sort(key=lambda each: max(own, each.population_thousands) / min(own, each.population_thousands))
    return tuple(each.code for each in others[:count])


def similar_to(code: str, wanted: Sequence[str], among: Collection[str]) -> tuple[str, ...]:
    """Return the chosen authorities, or else the nearest in size."""
    chosen = [each for each in dict.fromkeys(wanted) if each in among and each != code]
    return tuple(chosen[:MOST_SIMILAR]) or nearest_in_size(code, among)


Times = tuple[Choice, Choice]
"""The two periods of a comparison, the earlier first."""


def times_of(reader: Reader, code: str, offered: Sequence[Choice]) -> Times | None:
    """Return the last two quarters; the last two years if for no standard two quarters of this authority can be told apart."""
    pairs = [found for kind in ("quarter-", "year-") if (found := _latest_two(offered, kind))]
    shown = (pair for pair in pairs if any(_tells(reader, each, code, pair) for each in STANDARDS))
    return next(shown, pairs[0] if pairs else None)


def _latest_two(offered: Sequence[Choice], kind: str) -> Times | None:
    found = [each for each in offered if each.value.startswith(kind)][:2]
    return (found[1], found[0]) if len(found) == 2 else None


def _tells(reader: Reader, indicator: Indicator, code: str, times: Times) -> bool:
    moved = reader.moved(indicator, *(row_of(reader, indicator, each.span, code) for each in times))
    return moved is not None and not moved.too_few


def said_of(times: Times | None) -> str:
    """Return the heading of a comparison in time."""
    is_year = times is not None and times[0].value.startswith("year-")
    return "This year against the last" if is_year else "This quarter against the last"


def scorecard(reader: Reader, code: str, span: Span, similar: Collection[str], times: Times | None) -> list[Scored]:
    """Return the scorecard of all standards."""
    return [_scored(reader, indicator, code, span, similar, times) for indicator in STANDARDS]


def _scored(
    reader: Reader,
    indicator: Indicator,
    code: str,
    span: Span,
    similar: Collection[str],
    times: Times | None,
) -> Scored:
    answer = reader.ask(indicator, Question(span.first, span.last, BY_AUTHORITY))
    rows = {row.authority: row for row in answer.rows}
    own, scotland = rows.get(code), rows.get(SCOTLAND)
    place, verdict, why_not = _verdict(answer, code)
    months = series(reader, indicator, span, code)
    then, now = (row_of(reader, indicator, each.span, code) for each in times) if times else (None, None)
    values = [row.value for area, row in rows.items() if area != SCOTLAND and row.value is not None]
    return Scored(
        indicator,
        words.figure(own, indicator.unit),
        "" if own is None else words.interval(own, indicator.unit),
        words.mark(own),
        words.figure(scotland, indicator.unit),
        _together(rows, similar),
        place,
        verdict,
        why_not,
        small_charts.spine(f"{indicator.title}: among all authorities", values, _value(own), _value(scotland)),
        small_charts.spark(f"{indicator.title}, over time", [r.value for r in months], [r.provisional for r in months]),
        (words.figure(then, indicator.unit), words.figure(now, indicator.unit)) if times else None,
        reader.moved(indicator, then, now),
    )


def _value(row: Row | None) -> float | None:
    return None if row is None else row.value


def _verdict(answer: Answer, code: str) -> tuple[str, str, str]:
    """Return the place against limits around Scotland, for the authority's size; and why not, if it is not compared."""
    found = compare(answer)
    own = next((each for each in found.authorities if each.row.authority == code), None)
    if own is None or own.place is None or own.row.value is None:
        why_not = _why_not(found, next((row for row in answer.rows if row.authority == code), None))
        return "none", f"Not compared: {why_not}", why_not
    if own.place is Place.WITHIN:
        return "within", "No different from Scotland beyond chance", ""
    above = own.row.value > 100 * (found.share or 0)
    limits = "99.8%" if own.place is Place.ALARM else "95%"
    return (
        "better" if above else "worse",
        f"{'Better' if above else 'Worse'} than Scotland, outside the {limits} limits",
        "",
    )


def _why_not(found: Comparison, own: Row | None) -> str:
    is_shown = own is not None and own.numerator is not None
    return "Scotland's figure is not shown" if is_shown and found.share is None else words.why_not_compared(own)


def _together(rows: Mapping[str, Row], codes: Collection[str]) -> str:
    """Return the share of these authorities together. Those that are not shown are left out, which is stated; if none is shown, return the
    marks.
    """
    shown = [row for code in codes if (row := rows.get(code)) and row.numerator is not None and row.denominator]
    whole = sum(row.denominator or 0 for row in shown)
    if not whole:
        return " or ".join(dict.fromkeys(words.figure(rows.get(code), "percent") for code in codes))
    share = 100 * sum(row.numerator or 0 for row in shown) / whole
    lacking = f" ({len(shown)} of {len(codes)} shown)" if len(shown) < len(codes) else ""
    return f"{words.value(share, 'percent')}{lacking}"


def summary(name: str, scored: Sequence[Scored], times: Times | None) -> list[str]:
    """Return the scorecard in sentences."""
    found = [_against_scotland(name, scored), _moved(scored, times) if times else ""]
    return [each for each in found if each]


def _against_scotland(name: str, scored: Sequence[Scored]) -> str:
    judged = [each for each in scored if each.place != "none"]
    if not judged:
        reasons = dict.fromkeys(each.why_not for each in scored)
        return f"{name} cannot be compared with Scotland in this period: {', or '.join(reasons)}."
    better, worse = ([_title(each) for each in judged if each.place == way] for way in ("better", "worse"))
    said = f"Of the {len(judged)} standards on which {name} can be compared, "
    parts = [
        f"{way} than Scotland on {len(titles)} ({words.listed(titles)})"
        for way, titles in (("better", better), ("worse", worse))
        if titles
    ]
    if not parts:
        return f"{said}none differs from Scotland by more than chance explains."
    rest = len(judged) - len(better) - len(worse)
    others = f"; {rest} {'do' if rest > 1 else 'does'} not differ" if rest else ""
    return f"{said}it is {' and '.join(parts)}, by more than chance explains{others}."


def _moved(scored: Sequence[Scored], times: Times) -> str:
    moves = [each.move for each in scored if each.move]
    if not moves:
        return ""
    changed = [
        f"{_title(each)} {_WAYS[each.move.way]}{_from_to(each)}"
        for each in scored
        if each.move and each.move.way != "same"
    ]
    then, now = (each.label for each in times)
    if not changed:
        return f"{now} against {then}: {none_moved(moves, len(scored))}."
    lacking = of_how_many(moves, len(scored))
    return f"{now} against {then}: {words.listed(changed)}, by more than chance explains{lacking}."


_WAYS: Mapping[Way, str] = {"better": "got better", "worse": "got worse", "up": "rose", "down": "fell"}


def _from_to(each: Scored) -> str:
    return f" ({each.figures[0]} to {each.figures[1]})" if each.figures else ""


def _title(each: Scored) -> str:
    return each.indicator.title[0].lower() + each.indicator.title[1:]
