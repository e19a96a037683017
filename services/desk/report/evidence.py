"""Evidence for self-evaluation and inspection: what an authority can show about each standard and outcome, in plain sentences."""

from collections.abc import Sequence
from itertools import dropwhile

from contracts.periods import month_of, quarter_of
from services.chassis.web import words
from services.desk.report.aims import aims
from services.desk.report.chance import Difference, Share, trend
from services.desk.report.figures import Comparison, Series, percent, share_of
from services.desk.report.gathering import span_of
from services.desk.report.model import Report, Section, Table, Told
from services.desk.report.sentences import (
    OUTCOMES,
    beside_one_another,
    capacity,
    changes,
    in_short,
    method,
    numbers,
    of_themes,
    quality,
    sentences_of,
)

_TRENDS = {
    Difference.HIGHER: "it rises by more than chance explains",
    Difference.LOWER: "it falls by more than chance explains",
    Difference.BY_CHANCE: "no trend beyond chance",
}


def evidence(told: Told) -> Report:
    """Return the evidence in these figures."""
    standards = [one for one in told.comparisons if one.indicator.standard is not None]
    outcomes = [one for one in told.comparisons if one.indicator.theme == OUTCOMES]
    others = [one for one in told.comparisons if one not in standards and one not in outcomes]
    sections = [
        in_short(told),
        *(_of_standard(told, one) for one in standards),
        _outcomes(told, outcomes),
        *of_themes(told, others),
        numbers(told),
        capacity(told),
        *aims(told),
        changes(told),
        quality(told),
    ]
    shown = [section for section in sections if section.sentences or section.table]
    return Report(f"Evidence for self-evaluation: {told.name}", told.period, [*shown, _limits(), method()])


def _of_standard(told: Told, comparison: Comparison) -> Section:
    """Say what the standard is, what its present state is, and how it developed."""
    indicator = comparison.indicator
    sentences = [*filter(None, [indicator.definition]), " ".join(sentences_of(told, comparison))]
    series = told.quarters.get(indicator.id)
    table = _by_quarter(told, series) if series else None
    developed = [_developed(told, series)] if series and table else []
    return Section(indicator.title, [*sentences, *developed], table)


def _outcomes(told: Told, found: Sequence[Comparison]) -> Section:
    sentences = [" ".join(sentences_of(told, one)) for one in found]
    sentences += [
        f"{one.indicator.title}: {_developed(told, told.quarters[one.indicator.id])}"
        for one in found
        if one.indicator.id in told.quarters
    ]
    return Section(OUTCOMES, sentences, beside_one_another(told, OUTCOMES, found) if found else None)


def _by_quarter(told: Told, series: Series) -> Table | None:
    """Return the authority's own figures from the first quarter that shows one; where none does, all say that they are not shown."""
    own = [row for row in series.rows if row.authority == told.authority]
    begun = list(dropwhile(lambda row: share_of(row) is None, own))
    rows = [
        (
            _quarter(told, row.period),
            *((words.number(share.met), words.number(share.of)) if share else ("", "")),
            percent(row),
        )
        for row in begun or own
        for share in [share_of(row)]
    ]
    return Table(f"{series.indicator.title} by quarter", ("Quarter", "Met", "Of", "Share"), rows) if rows else None


def _quarter(told: Told, label: str) -> str:
    """Return the months of a quarter, with a remark if it is not over."""
    name = span_of(label).label
    return f"{name} so far" if label == quarter_of(month_of(told.today)) else name


def _developed(told: Told, series: Series) -> str:
    """Say whether there is a trend. Provisional quarters are left out: what happens in them later is still missing."""
    shares = _settled(told, series)
    return f"Over {words.counted(len(shares), 'quarter')}: {_TRENDS.get(trend(shares), str(trend(shares)))}."


def _settled(told: Told, series: Series) -> list[Share]:
    rows = [row for row in series.rows if row.authority == told.authority and not row.provisional]
    return [share for share in map(share_of, rows) if share is not None]


def _limits() -> Section:
    return Section(
        "What figures cannot show",
        [
            "Figures say what was done and when. Only people can say how well it was done: add that from case files and interviews.",
            "A trend is reported only if chance alone would produce one as strong less than one time in twenty.",
            "Quarters that are provisional or not shown are left out of a trend.",
        ],
    )
