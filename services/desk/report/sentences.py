"""The sentences of a report, in plain words made from figures."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby

from services.chassis.web import words
from services.desk.report.aims import aims
from services.desk.report.chance import FEWEST, Difference, Share, compared, found
from services.desk.report.figures import Comparison, Row, percent, share_of
from services.desk.report.model import Report, Section, Table, Told

STANDARDS, OUTCOMES, REPORTING = "Standards", "Outcomes", "Data quality"


def report(told: Told) -> Report:
    """Return the report for these figures."""
    sections = [
        in_short(told),
        *of_themes(told, told.comparisons),
        numbers(told),
        *aims(told),
        capacity(told),
        quality(told),
        changes(told),
    ]
    shown = [section for section in sections if section.sentences or section.table]
    return Report(f"Performance of {told.name}", told.period, [*shown, method()])


def own_row(comparison: Comparison | None, authority: str) -> Row | None:
    """Return the authority's own figure, if there is one above zero."""
    row = _row_of(comparison, authority)
    return row if row and row.denominator else None


def _row_of(comparison: Comparison | None, authority: str) -> Row | None:
    placed = comparison.authorities if comparison else []
    return next((one.row for one in placed if one.row.authority == authority), None)


def sentences_of(told: Told, comparison: Comparison) -> list[str]:
    """Return what is to be said of one share: of itself, and compared with the time before and with the nation."""
    mine = _row_of(comparison, told.authority)
    share = share_of(mine)
    if mine is None or share is None:
        nothing = mine is not None and mine.denominator == 0
        said = "there was nothing to count in" if nothing else "there is no figure for"
        return [f"{comparison.indicator.title}: {said} {told.period}."]
    said = f"{comparison.indicator.title}: {_number(share)}{told.yet}{_range(mine)}."
    parts = [said, _never(told, comparison, share), _trend(told, comparison, share), _beside_scotland(told, comparison)]
    if mine.provisional and not _all_provisional(told):
        parts.append("The figure is provisional: it can still change.")
    return [part for part in parts if part]


def _never(told: Told, comparison: Comparison, share: Share) -> str:
    """Say that a share of nothing may be one of the records: somebody who reads 0 % would take it for the service. What is about reporting
    itself has no other records: there, what counts is when the first data came.
    """
    if comparison.indicator.theme == REPORTING:
        return _first_heard(told) if _is_first_load(told, comparison, told.span.first) else ""
    if share.met or share.of < FEWEST or comparison.indicator.direction_of_good != "higher":
        return ""
    return "Not one is recorded: if they were done, their records were not sent."


def _is_first_load(told: Told, comparison: Comparison, first: date) -> bool:
    """Return whether the share is about reporting, and the months from `first` began before the authority reported anything."""
    return comparison.indicator.theme == REPORTING and told.first_heard is not None and told.first_heard > first


def _first_heard(told: Told) -> str:
    return f"Our first data arrived on {words.long_date(told.first_heard)}." if told.first_heard else ""


def _none_before(told: Told) -> bool:
    """Return whether no figure of the time before can be compared with any of now."""
    return not any(share_of(own_row(one, told.authority)) for one in told.earlier.values())


def _none_of_scotland(told: Told) -> bool:
    return not any(share_of(one.scotland) for one in told.comparisons)


def _all_provisional(told: Told) -> bool:
    rows = [row for one in told.comparisons if (row := own_row(one, told.authority)) and share_of(row)]
    return bool(rows) and all(row.provisional for row in rows)


def _number(share: Share) -> str:
    return f"{words.number(share.met)} of {words.number(share.of)}, {share.percent:.1f} %"


def _range(row: Row) -> str:
    return (
        ""
        if row.lower is None or row.upper is None
        else f" (between {row.lower:.1f} and {row.upper:.1f} % allowing for chance)"
    )


def _trend(told: Told, comparison: Comparison, share: Share) -> str:
    before = share_of(own_row(told.earlier.get(comparison.indicator.id), told.authority))
    if before is None and _none_before(told):
        return ""
    if before is None:
        return f"There is no figure for {told.span.before} to compare it with."
    if _is_first_load(told, comparison, told.span.first_before):
        return f"It cannot be compared with {told.span.before}, which began before our first data arrived."
    said = f"In {told.span.before} it was {before.percent:.1f} %: {found(compared(before, share))}"
    return f"{said}{_verdict(comparison.indicator.direction_of_good, compared(before, share))}."


def _verdict(good: str, difference: Difference) -> str:
    if difference not in {Difference.HIGHER, Difference.LOWER} or good not in {"higher", "lower"}:
        return ""
    return ", an improvement" if (difference is Difference.HIGHER) == (good == "higher") else ", which is worse"


def _beside_scotland(told: Told, comparison: Comparison) -> str:
    scotland = share_of(comparison.scotland)
    if scotland is None and _none_of_scotland(told):
        return ""
    if scotland is None:
        return "Scotland has no published figure to compare it with."
    place = next((one.place for one in comparison.authorities if one.row.authority == told.authority), None)
    mine = share_of(own_row(comparison, told.authority))
    beside = f"Scotland's is {scotland.percent:.1f} %"
    if place is None or mine is None:
        return f"{beside}; there are too few cases here to compare."
    if place == "within":
        return f"{beside}; the difference is within what chance alone explains for an authority of this size."
    side = "above" if mine.percent > scotland.percent else "below"
    limit = "99.8" if place == "alarm" else "95"
    return f"{beside}; ours lies {side} it by more than chance explains (beyond the {limit} % limit)."


def in_short(told: Told) -> Section:
    """Return what improved, what got worse, and what is away from Scotland's figure."""
    better: list[str] = []
    worse: list[str] = []
    outside: list[str] = []
    for comparison in told.comparisons:
        title = comparison.indicator.title
        now = share_of(own_row(comparison, told.authority))
        before = share_of(own_row(told.earlier.get(comparison.indicator.id), told.authority))
        if _is_first_load(told, comparison, told.span.first_before):
            continue
        verdict = _verdict(comparison.indicator.direction_of_good, compared(before, now)) if before and now else ""
        (better if "improvement" in verdict else worse if verdict else []).append(title)
        if any(p.row.authority == told.authority and p.place in {"alert", "alarm"} for p in comparison.authorities):
            outside.append(title)
    then = "" if not _none_before(told) else f"there are no figures of {told.span.before}"
    nation = "" if not _none_of_scotland(told) else "Scotland has no published figures for these months"
    sentences = [
        _which(better, f"Better{told.yet} than in {told.span.before}, by more than chance", then),
        _which(worse, f"Worse{told.yet} than in {told.span.before}, by more than chance", then),
        _which(outside, f"Away from Scotland's figure{told.yet} by more than chance", nation),
    ]
    if _all_provisional(told):
        sentences.append("All figures are provisional: they can still change.")
    return Section("In short", [*_not_over(told), *sentences])


def _not_over(told: Told) -> Iterator[str]:
    if told.so_far:
        yield (
            f"{told.span.label} is not over. Figures so far cover the time up to {words.long_date(told.today)}; "
            f"those for {told.span.before} cover all of it."
        )


def _which(titles: Sequence[str], what: str, unknown: str) -> str:
    """Return which of the figures are so; `unknown` says why nobody can tell, where that is so."""
    if unknown:
        return f"{what}: cannot be compared, since {unknown}."
    return f"{what}: {words.listed([title[:1].lower() + title[1:] for title in titles]) if titles else 'nothing'}."


def of_themes(told: Told, comparisons: Iterable[Comparison]) -> Iterator[Section]:
    """Yield the standards, the outcomes, then all other shares."""
    order = {STANDARDS: 0, OUTCOMES: 1}
    ranked = sorted(comparisons, key=lambda one: (order.get(one.indicator.theme, 2), one.indicator.theme))
    for theme, some in groupby(ranked, key=lambda one: one.indicator.theme):
        these = list(some)
        sentences = [" ".join(sentences_of(told, one)) for one in these]
        yield Section(theme, sentences, beside_one_another(told, theme, these))


def beside_one_another(told: Told, theme: str, comparisons: Iterable[Comparison]) -> Table:
    rows = [
        (
            one.indicator.title,
            *_cells(own_row(one, told.authority)),
            percent(own_row(told.earlier.get(one.indicator.id), told.authority)),
            percent(one.scotland),
        )
        for one in comparisons
    ]
    return Table(f"{theme}, {told.period}", ("Indicator", "Met", "Of", "Share", told.span.before, "Scotland"), rows)


def _cells(row: Row | None) -> tuple[str, str, str]:
    share = share_of(row)
    return ("", "", "") if share is None else (words.number(share.met), words.number(share.of), percent(row))


def numbers(told: Told) -> Section:
    """Return the section of counts."""
    rows = []
    for series in told.counts:
        values = [row.value for row in series.rows if row.authority == told.authority and row.value is not None]
        if values:
            earlier = _count(values[-2]) if len(values) > 1 else ""
            rows.append((series.indicator.title, _count(values[-1]), earlier))
    table = Table(f"Numbers, {told.period}", ("Number", told.period, told.span.before), rows) if rows else None
    return Section("Numbers", [], table)


def _count(value: float) -> str:
    """Return a count. None may be one of the records: what was never sent was not for that reason never done."""
    return words.hours(value) if value else "none recorded"


def capacity(told: Told) -> Section:
    """Return the pace at which hours are worked off, which is known of today only."""
    today = f"This is as of today, {words.long_date(told.today)}, whatever the months of the report."
    return Section("Capacity for unpaid work", [today, told.capacity] if told.capacity else [])


def quality(told: Told) -> Section:
    """Return whether the figures are complete, and what is wrong in them."""
    sentences = []
    found = [one.quality for one in told.comparisons[:1]]
    if any(told.authority in one.complete for one in found):
        sentences.append(f"Reporting for {told.period} is complete, as far as can be judged.")
    if any(told.authority in one.partial for one in found):
        sentences.append(f"Reporting for {told.period} may be incomplete: see the data quality page.")
    if any(told.authority in one.missing for one in found):
        sentences.append(f"Nothing was reported for {told.period}.")
    sentences.append(
        f"Today, {words.long_date(told.today)}, {words.counted(told.wrong, 'record')} "
        f"{'contradicts itself' if told.wrong == 1 else 'contradict themselves'}, "
        f"{words.number(told.newly_wrong)} of them newly. {words.counted(told.refused, 'event')} "
        f"{'was' if told.refused == 1 else 'were'} refused and not put right yet, and {'counts' if told.refused == 1 else 'count'} nowhere."
    )
    return Section("Quality of data", sentences)


def changes(told: Told) -> Section:
    """Return what managers set in these months."""
    return Section("What changed", list(told.changes))


def method() -> Section:
    """Return the methods on which the sentences rest."""
    return Section(
        "How to read this",
        [
            "Shares are of all that fell due, as the nation counts them; the public pages define each indicator.",
            "Two shares are said to differ only if chance alone would produce the difference less than one time in twenty.",
            "The report does not compare figures with fewer than ten cases.",
            "Comparison with Scotland uses control limits that are wider for authorities with few orders.",
        ],
    )
