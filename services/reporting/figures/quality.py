"""How far the figures can be relied on: which authorities have been heard, and when, and how much is likely still to arrive."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from contracts.authorities import AUTHORITIES
from contracts.periods import last_day, months_between
from services.reporting.disclosure.gate import Gate, ToCome
from services.reporting.figures.answers import Answer, Desk
from services.reporting.figures.evidence import Doubt, evidence
from services.reporting.read.queries import Grain, Span, reports_of, shown
from services.reporting.read.query_cache import remembered
from services.reporting.read.vintages import Cut, Released, Wanted
from services.reporting.registry.areas import areas_of, members
from services.reporting.registry.definitions.data_quality import DELAYS
from services.reporting.releases.index import ReleaseInfo
from services.reporting.statistics.outlook import METHOD, Estimate, Outlook, estimate, is_settled, months_needed

BANDS = tuple(f"delay_band={band}" for band in DELAYS)
FRESH = timedelta(days=3)
BOTH = frozenset({"orders", "unpaid_work"})


class State(StrEnum):
    """How complete an authority's figures of a period are."""

    COMPLETE = "complete"
    """Heard from after the period ended, and nothing speaks against it."""
    PARTIAL = "partial"
    """Heard from, but more may come: its doubts say why."""
    MISSING = "missing"
    """Never heard from."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One authority's reporting."""

    authority: str
    state: State
    heard_at: datetime | None
    """When its last event reached the platform; of the service that is further behind."""
    fresh: bool
    doubts: tuple[Doubt, ...]
    """Why a partial one may lack something."""


def standings(
    desk: Desk, span: Span, whole: Cut | None, published: ReleaseInfo | None, now: datetime
) -> list[Standing]:
    """Every authority, in the order of codes: each by the cut in which the viewer sees its figures."""
    heard: dict[str, dict[str, datetime]] = defaultdict(dict)
    for position in shown(desk.connection):
        heard[position.authority][position.service] = position.heard_at
    gate = Gate(desk.viewer)
    own = _doubts(desk, whole, span)
    released = Released(published.id) if published and desk.viewer.audience != "national" else None
    others = _doubts(desk, released, span)
    return [
        _standing(code, heard[code], (own if gate.sees_whole(code) else others).get(code, ()), span, now)
        for code in AUTHORITIES
    ]


def _doubts(desk: Desk, cut: Cut | None, span: Span) -> Mapping[str, tuple[Doubt, ...]]:
    """By authority."""
    if cut is None:
        return {}

    def work_out() -> Mapping[str, tuple[Doubt, ...]]:
        found = evidence(desk.connection, cut, span.first, span.last)
        return {code: tuple(each.doubts(span.first, span.last)) for code, each in found.items()}

    return remembered(desk.connection, cut, ("doubts", span), work_out)


def _standing(code: str, heard: dict[str, datetime], found: tuple[Doubt, ...], span: Span, now: datetime) -> Standing:
    if not heard:
        return Standing(code, State.MISSING, None, fresh=False, doubts=())
    last = min(heard.values())
    since = last.date() > last_day(span.last) and heard.keys() >= BOTH
    doubts = (*(() if since else (Doubt.NOT_SINCE,)), *found)
    return Standing(code, State.PARTIAL if doubts else State.COMPLETE, last, now - last <= FRESH, doubts)


def summary(found: Sequence[Standing]) -> dict[str, Any]:
    """Authorities by state, and the doubts about those that have any."""
    by_state = {str(state): [each.authority for each in found if each.state is state] for state in State}
    return by_state | {"doubts": {each.authority: each.doubts for each in found if each.doubts}}


def beside(desk: Desk, answer: Answer, now: datetime) -> dict[str, Any]:
    """What is said beside the figures of an answer."""
    found = standings(desk, answer.span, answer.whole, answer.release, now)
    return summary(found) | {"still_to_come": still_to_come(desk, answer), "method": METHOD}


def still_to_come(desk: Desk, answer: Answer) -> list[ToCome]:
    """For each area and period of the answer of which more is likely to arrive, or nobody can say."""
    gate = Gate(desk.viewer)
    grain, span = answer.question.grain, answer.span
    areas = areas_of(grain.areas, answer.question.area)
    of_whole = [area for area in areas if answer.whole is not None and gate.sees_whole(area)]
    others = [area for area in areas if area not in of_whole]
    found: list[ToCome] = []
    if of_whole and answer.whole is not None:
        found += _of_cut(desk, gate, answer.whole, of_whole, span, grain)
    if others and answer.release is not None:
        found += _of_cut(desk, gate, Released(answer.release.id), others, span, grain)
    return found


def _of_cut(desk: Desk, gate: Gate, cut: Cut, areas: list[str], span: Span, grain: Grain) -> list[ToCome]:
    day = desk.known_on(cut)
    found = _estimate(desk, cut, day)
    reporting = desk.reporting(cut)
    rows = []
    for period, (first, last) in _months_by_period(span, grain).items():
        if is_settled(last, day):
            continue
        outlooks = zip(AUTHORITIES, found.of(first, last), strict=True)
        single = {code: outlook for code, outlook in outlooks if code in reporting}
        for area in areas:
            parts = [single[code] for code in members(area) if code in single]
            whole = single.get(area) if area in AUTHORITIES else _together(parts)
            row = None if whole is None else gate.to_come(cut, area, period, whole)
            if row is not None:
                rows.append(row)
    return rows


def _estimate(desk: Desk, cut: Cut, day: date) -> Estimate:
    """Of all authorities."""

    def work_out() -> Estimate:
        months = months_needed(day)
        wanted = Wanted(("reporting_delay",), BANDS, None, months[0], day)
        return estimate(reports_of(desk.connection, cut, wanted, tuple(AUTHORITIES), months), months, day)

    return remembered(desk.connection, cut, ("estimate", day), work_out)


def _months_by_period(span: Span, grain: Grain) -> dict[str, tuple[date, date]]:
    """The first and the last month of each period that an answer tells apart."""
    found: dict[str, tuple[date, date]] = {}
    for month in months_between(span.first, span.last):
        label = span.name_of(month, grain.period)
        first, _ = found.get(label, (month, month))
        found[label] = first, month
    return found


def _together(found: Iterable[Outlook]) -> Outlook:
    """Several authorities: the sum of what can be estimated, and of how many authorities nothing can be said."""
    outlooks = list(found)
    known = [each for each in outlooks if each.expected is not None]
    unknown = len(outlooks) - len(known)
    why = f"without {unknown} authorities for which nothing can be estimated" if unknown else None
    if not known:
        return Outlook(0, None, why)
    return Outlook(sum(each.arrived for each in known), sum(each.expected or 0.0 for each in known), why)
