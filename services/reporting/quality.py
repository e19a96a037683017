"""How far the figures can be relied on: which authorities have been heard, and when, and how much is likely still to arrive."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from services.reporting.answers import Answer, Desk
from services.reporting.areas import areas_of, members
from services.reporting.cuts import Cut, Released, Wanted
from services.reporting.definitions.data_quality import DELAYS
from services.reporting.disclosure import Gate, ToCome
from services.reporting.evidence import Doubt, Evidence, evidence
from services.reporting.outlook import METHOD, Estimate, Outlook, estimate, is_settled, months_needed
from services.reporting.periods import last_day, months_between
from services.reporting.queries import Grain, Span, read_so_far, reports_of, shown
from services.reporting.releases import ReleaseInfo

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
    own = _evidence(desk, whole, span)
    released = Released(published.id) if published and desk.viewer.audience != "national" else None
    others = _evidence(desk, released, span)
    return [
        _standing(code, heard[code], (own if gate.sees_whole(code) else others).get(code, Evidence()), span, now)
        for code in AUTHORITIES
    ]


def _evidence(desk: Desk, cut: Cut | None, span: Span) -> Mapping[str, Evidence]:
    return {} if cut is None else evidence(desk.connection, cut, span.first, span.last)


def _standing(code: str, heard: dict[str, datetime], found: Evidence, span: Span, now: datetime) -> Standing:
    if not heard:
        return Standing(code, State.MISSING, None, fresh=False, doubts=())
    last = min(heard.values())
    since = last.date() > last_day(span.last) and heard.keys() >= BOTH
    doubts = (*(() if since else (Doubt.NOT_SINCE,)), *found.doubts(span.first, span.last))
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
    found = _kept_estimate(desk, cut, day)
    reporting = desk.reporting(cut)
    rows = []
    for period, (first, last) in _months_by_period(span, grain).items():
        if is_settled(last, day):
            continue
        single = {code: found.of(place, first, last) for place, code in enumerate(AUTHORITIES) if code in reporting}
        for area in areas:
            parts = [single[code] for code in members(area) if code in single]
            whole = single.get(area) if area in AUTHORITIES else _together(parts)
            row = None if whole is None else gate.to_come(cut, area, period, whole)
            if row is not None:
                rows.append(row)
    return rows


_kept: WeakKeyDictionary[Engine, OrderedDict[tuple[Cut, date, int], Estimate]] = WeakKeyDictionary()
KEPT = 16
"""Estimates remembered for each database: they take longer to read than most answers."""


def _kept_estimate(desk: Desk, cut: Cut, day: date) -> Estimate:
    """Of all authorities; worked out again when anything more was read, but never for a release."""
    kept = _kept.setdefault(desk.connection.engine, OrderedDict())
    key = cut, day, 0 if isinstance(cut, Released) else read_so_far(desk.connection)
    found = kept.get(key)
    if found is None:
        months = months_needed(day)
        wanted = Wanted(("reporting_delay",), BANDS, None, months[0], day)
        found = kept[key] = estimate(reports_of(desk.connection, cut, wanted, tuple(AUTHORITIES), months), months, day)
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return found


def _months_by_period(span: Span, grain: Grain) -> dict[str, tuple[date, date]]:
    """The first and the last month of each period that an answer tells apart."""
    found: dict[str, tuple[date, date]] = {}
    for month in months_between(span.first, span.last):
        label = Span(span.first, span.last).label_of(month, grain.period)
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
