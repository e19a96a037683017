"""How reliable the figures are: which authorities have reported, when, and how much is likely still to arrive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.authorities import AUTHORITIES, in_force
from contracts.cells import BOTH, Service
from contracts.periods import add_months, last_day, month_of, months_between
from services.reporting.disclosure.gate import Gate, ToCome
from services.reporting.figures.answers import Answer, Enquiry
from services.reporting.figures.evidence import Doubt, Evidence, evidence
from services.reporting.read.coverage import Heard
from services.reporting.read.queries import Grain, Period, Span, reports_of, shown
from services.reporting.read.query_cache import cached
from services.reporting.read.vintages import Live, Released, Rounded, Vintage, Wanted
from services.reporting.registry.areas import areas_of, members
from services.reporting.registry.definitions.data_quality import DELAYS
from services.reporting.releases.index import ReleaseInfo
from services.reporting.statistics.outlook import METHOD, Estimate, Outlook, estimate, is_settled, months_needed

BANDS = tuple(f"delay_band={band}" for band in DELAYS)
FRESH = timedelta(days=3)


class State(StrEnum):
    """How complete an authority's figures of a period are."""

    COMPLETE = "complete"
    """Heard from after the period ended, with evidence to judge by and none against it."""
    PARTIAL = "partial"
    """Heard from, but more may come: its doubts say why."""
    NOT_KNOWN = "not_known"
    """There is no evidence to judge by: its doubts say why."""
    MISSING = "missing"
    """It reported nothing about the period. Totals do not include it."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """One authority's reporting."""

    authority: str
    state: State
    heard_on: date | None
    """The day on which its last event was accepted, by the service that is further behind."""
    heard_at: datetime | None
    """The present time of that event to the second, for viewers who may see its figures exactly."""
    fresh: bool
    doubts: tuple[Doubt, ...]
    """Why figures may be incomplete, or cannot be judged."""


def standings(
    enquiry: Enquiry,
    span: Span,
    whole: Vintage | None,
    published: ReleaseInfo | None,
    services: frozenset[Service] = BOTH,
) -> list[Completeness]:
    """Return the completeness of every authority of the period, by code, each in the vintage in which the viewer sees its figures.

    A month is missing unless any of `services` heard about it.
    """
    asked = "standings", span, whole, published and published.id, services
    return enquiry.once(asked, lambda: _standings(enquiry, span, whole, published, services))


def _standings(
    enquiry: Enquiry, span: Span, whole: Vintage | None, published: ReleaseInfo | None, services: frozenset[Service]
) -> list[Completeness]:
    gate = Gate(enquiry.viewer)
    released = Rounded(published.id) if published and enquiry.viewer.audience != "national" else None
    own, others = _judged(enquiry, whole, span, services), _judged(enquiry, released, span, services)
    heard, exactly = enquiry.coverage(whole or Live()), _exactly(enquiry) if whole == Live() else {}
    found = []
    for code in in_force(span.first, last_day(span.last)):
        state, doubts = (own if gate.sees_whole(code) else others)[code]
        last = min((each.last for each in heard.get(code, {}).values()), default=None)
        fresh = last is not None and enquiry.today - last <= FRESH
        moment = exactly.get(code) if gate.sees_whole(code) else None
        found.append(Completeness(code, state, last, moment, fresh, doubts))
    return found


def _exactly(enquiry: Enquiry) -> Mapping[str, datetime]:
    """Return when the last event of each authority was accepted, by the service that is further behind."""
    found: dict[str, datetime] = {}
    for each in shown(enquiry.connection):
        if each.heard_at is not None:
            found[each.authority] = min(each.heard_at, found.get(each.authority, each.heard_at))
    return found


Judgement = tuple[State, tuple[Doubt, ...]]


def _judged(
    enquiry: Enquiry, vintage: Vintage | None, span: Span, services: frozenset[Service]
) -> Mapping[str, Judgement]:
    """Return the judgement by authority. Only months that the vintage contains are judged."""
    if vintage is None or span.first > enquiry.last_month(vintage):
        ever = enquiry.coverage(vintage or Live())
        unjudged: Judgement = State.NOT_KNOWN, (Doubt.NOT_IN_CUT,)
        return {
            code: (State.MISSING, ()) if services.isdisjoint(ever.get(code, {})) else unjudged for code in AUTHORITIES
        }
    within = Span(span.first, min(span.last, enquiry.last_month(vintage)))

    def work_out() -> Mapping[str, Judgement]:
        whole = Released(vintage.release) if isinstance(vintage, Rounded) else vintage
        found = evidence(enquiry.connection, whole, within.first, within.last)
        months, heard = enquiry.reported(vintage, within, services), enquiry.coverage(vintage)
        return {
            code: judge(
                found.get(code, Evidence()), heard.get(code, {}), months.get(code, frozenset()), _own(code, within)
            )
            for code in AUTHORITIES
        }

    return cached(enquiry.connection, vintage, ("judged", within, services), work_out)


def _own(code: str, span: Span) -> Span:
    """Return the months of the span in which the authority existed; all of them if there was none."""
    months = [m for m in months_between(span.first, span.last) if AUTHORITIES[code].is_in_force(m, last_day(m))]
    return Span(months[0], months[-1]) if months else span


def judge(found: Evidence, heard: Mapping[str, Heard], months: frozenset[date], span: Span) -> Judgement:
    """Judge one authority by when it was heard from, and the months of the span on which it reported."""
    doubts = found.doubts(span.first, span.last)
    if not months:
        return State.MISSING, tuple(doubt for doubt in doubts if doubt is Doubt.REFUSED)
    if len(months) < len(months_between(span.first, span.last)):
        doubts.insert(0, Doubt.NOT_ALL_MONTHS)
    if heard.keys() < BOTH:
        doubts.insert(0, Doubt.ONE_SERVICE)
    if min((each.last for each in heard.values()), default=date.min) <= last_day(span.last):
        doubts.insert(0, Doubt.NOT_SINCE)
    if doubts:
        return State.PARTIAL, tuple(doubts)
    return (State.COMPLETE, ()) if found.expects(span.first) else (State.NOT_KNOWN, (Doubt.NO_EXPECTATION,))


def latest_month(enquiry: Enquiry) -> date:
    """Return the last whole month that the viewer's figures of all authorities have."""
    before = add_months(month_of(enquiry.today), -1)
    published = None if enquiry.viewer.audience == "national" else enquiry.release()
    return before if published is None else min(before, published.last_month)


@dataclass(frozen=True, slots=True)
class Summary:
    """The authorities by state, and the doubts about those that have any."""

    complete: tuple[str, ...]
    partial: tuple[str, ...]
    not_known: tuple[str, ...]
    missing: tuple[str, ...]
    doubts: Mapping[str, tuple[Doubt, ...]]

    @property
    def by_state(self) -> dict[State, tuple[str, ...]]:
        return {state: getattr(self, state.value) for state in State}


@dataclass(frozen=True, slots=True)
class Lacking:
    """The authorities that reported nothing for a period, which its totals leave out."""

    period: str
    authorities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quality(Summary):
    """The quality of the figures of an answer, in the form in which programs get it."""

    lacking: list[Lacking]
    still_to_come: list[ToCome]
    method: str = METHOD


def summary(found: Sequence[Completeness]) -> Summary:
    """Return the authorities by state, and the doubts about those that have any."""

    def those(state: State) -> tuple[str, ...]:
        return tuple(each.authority for each in found if each.state is state)

    return Summary(
        those(State.COMPLETE),
        those(State.PARTIAL),
        those(State.NOT_KNOWN),
        those(State.MISSING),
        {each.authority: each.doubts for each in found if each.doubts},
    )


def quality_of(enquiry: Enquiry, answer: Answer) -> Quality:
    """Return the quality of the figures of an answer."""
    told = summary(standings(enquiry, answer.span, answer.whole, answer.release, answer.indicator.services))
    by_state = told.complete, told.partial, told.not_known, told.missing
    return Quality(*by_state, told.doubts, lacking(enquiry, answer), still_to_come(enquiry, answer))


def lacking(enquiry: Enquiry, answer: Answer) -> list[Lacking]:
    """Return those of each period of the answer that lacks any, by the vintage from which the viewer sees figures of its area."""
    span, grain = answer.span, answer.question.grain.period
    whole = answer.whole if Gate(enquiry.viewer).sees_whole(answer.question.area) else None
    vintage = whole or (None if answer.release is None else Rounded(answer.release.id))
    if vintage is None:
        return []
    by_period = enquiry.reported_periods(vintage, span, answer.indicator.services, grain)
    concerned = members(answer.question.area)
    found = [
        Lacking(each.label, tuple(c for c in concerned if c not in by_period[each.label] and _was_there(c, each)))
        for each in span.periods(grain)
    ]
    return [each for each in found if each.authorities]


def _was_there(code: str, period: Period) -> bool:
    return AUTHORITIES[code].is_in_force(period.first, last_day(period.last))


def still_to_come(enquiry: Enquiry, answer: Answer) -> list[ToCome]:
    """Return the outlook for each area and period of the answer for which more is likely to arrive, or nobody can say."""
    gate = Gate(enquiry.viewer)
    grain, span = answer.question.grain, answer.span
    areas = areas_of(grain.areas, answer.question.area)
    of_whole = [area for area in areas if answer.whole is not None and gate.sees_whole(area)]
    others = [area for area in areas if area not in of_whole]
    found: list[ToCome] = []
    if of_whole and answer.whole is not None:
        found += _of_vintage(enquiry, gate, answer.whole, of_whole, span, grain)
    if others and answer.release is not None:
        found += _of_vintage(enquiry, gate, Released(answer.release.id), others, span, grain)
    return found


def _of_vintage(
    enquiry: Enquiry, gate: Gate, vintage: Vintage, areas: list[str], span: Span, grain: Grain
) -> list[ToCome]:
    day = enquiry.known_on(vintage)
    found, heard = _estimate(enquiry, vintage, day), enquiry.coverage(vintage)
    rows = []
    for period, (first, last) in _months_by_period(span, grain).items():
        if is_settled(last, day):
            continue
        outlooks = zip(AUTHORITIES, found.of(first, last), strict=True)
        single = {code: outlook for code, outlook in outlooks if code in heard}
        for area in areas:
            parts = [single[code] for code in members(area) if code in single]
            whole = parts[0] if parts and area in AUTHORITIES else _together(parts)
            row = gate.to_come(vintage, area, period, whole) if parts else None
            if row is not None:
                rows.append(row)
    return rows


def _estimate(enquiry: Enquiry, vintage: Vintage, day: date) -> Estimate:
    """Return the estimate for all authorities."""

    def work_out() -> Estimate:
        months = months_needed(day)
        wanted = Wanted(("reporting_delay",), BANDS, None, months[0], day)
        return estimate(reports_of(enquiry.connection, vintage, wanted, tuple(AUTHORITIES), months), months, day)

    what = "estimate", day
    return enquiry.once((vintage, *what), lambda: cached(enquiry.connection, vintage, what, work_out))


def _months_by_period(span: Span, grain: Grain) -> dict[str, tuple[date, date]]:
    """Return the first and last month of each period that an answer distinguishes."""
    found: dict[str, tuple[date, date]] = {}
    for month in months_between(span.first, span.last):
        label = span.name_of(month, grain.period)
        first, _ = found.get(label, (month, month))
        found[label] = first, month
    return found


def _together(found: Iterable[Outlook]) -> Outlook:
    """Combine the outlooks of several authorities: the sum of the estimates, and of how many authorities nothing can be said."""
    outlooks = list(found)
    known = [each for each in outlooks if each.expected is not None]
    unknown = len(outlooks) - len(known)
    many = "authority" if unknown == 1 else "authorities"
    if not known:
        return Outlook(0, None, " or ".join(dict.fromkeys(each.why for each in outlooks if each.why)) or None)
    why = f"without {unknown} {many} for which nothing can be estimated" if unknown else None
    return Outlook(sum(each.arrived for each in known), sum(each.expected or 0.0 for each in known), why)
