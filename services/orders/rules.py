"""Rules of an order beyond its clocks, pure: which reviews fall due, and what changed in risk and outcomes."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import zip_longest

from contracts.codes import OutcomeDomain, RiskLevel
from contracts.events import AssessmentCompleted, OutcomeMeasured
from contracts.periods import add_months
from services.records.model.standards import in_force

_LEVELS = tuple(RiskLevel)


def reviews_due(begun: date, last: date, ended: date | None) -> list[date]:
    """Return when departmental reviews are due: after 3 and 6 months, then every 6 months, while supervision runs and the order is open.

    `begun` is the day from which the order is managed here, `last` the last day of supervision.
    """
    first, second, further = (in_force("review", begun, v).limit.number for v in ("first", "second", "further"))
    dues, after = [], first
    while (due := add_months(begun, after)) <= last and (ended is None or due < ended):
        dues.append(due)
        after = second if after < second else after + further
    return dues


def matched_reviews(dues: list[date], held: Sequence[date]) -> list[tuple[date, date | None]]:
    """Return each due date with the review that met it: the first review meets the first due date, and so on. Both are sorted."""
    return list(zip_longest(dues, held[: len(dues)]))


def risk_change(assessments: Iterable[AssessmentCompleted]) -> tuple[date, str] | None:
    """Return how risk changed from the first to the last assessment, and on which day that was known; None with fewer than two."""
    in_order = sorted(assessments, key=lambda a: (a.completed_on, a.ref))
    if len(in_order) < 2:
        return None
    first, last = (_LEVELS.index(a.level) for a in (in_order[0], in_order[-1]))
    return in_order[-1].completed_on, _change(first - last)


def score_changes(measures: Iterable[OutcomeMeasured]) -> list[tuple[date, OutcomeDomain, str]]:
    """Return how each domain's score changed from its first to its last measure; nothing for a domain measured once."""
    by_domain: dict[OutcomeDomain, list[OutcomeMeasured]] = {}
    for measure in measures:
        by_domain.setdefault(measure.domain, []).append(measure)
    changes = []
    for domain, found in sorted(by_domain.items()):
        in_order = sorted(found, key=lambda m: (m.measured_on, m.ref))
        if len(in_order) > 1:
            changes.append((in_order[-1].measured_on, domain, _change(in_order[-1].score - in_order[0].score)))
    return changes


def _change(gain: int) -> str:
    """Name a change. A positive gain is good: less risk, or a higher score."""
    return "improved" if gain > 0 else "worse" if gain < 0 else "same"
