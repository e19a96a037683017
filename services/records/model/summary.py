"""The columns by which lists show and sort records, derived from a record and its deadlines, pure."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import msgspec

from contracts.authorities import current_code
from contracts.codes import EndReason
from contracts.events import (
    HoursAdjusted,
    OrderEnded,
    OrderImposed,
    SessionRecorded,
    TransferAnswered,
    TransferReceived,
    TransferRequested,
)
from contracts.periods import month_of
from services.records.model.counting import Counted
from services.records.model.deadlines import Reading, State
from services.records.model.findings import Finding
from services.records.model.record import Record, caseload_of, fact, facts, is_void, is_withdrawn, overfull


class Summary(NamedTuple):
    """The columns of a record beside its facts. For an order that counts nothing, all but `standing` are empty."""

    imposed_on: date | None = None
    ended_on: date | None = None
    next_due: date | None = None
    """The earliest due date of a standard that is not yet met."""
    standing: bytes | None = None
    """A `Standing` in JSON; None if there is nothing to say."""
    came_from: str | None = None
    """The authority and order from which it was transferred in, as in `S12000036/CPO/1`."""
    left_on: date | None = None
    """The day on which it was transferred out."""
    asked_of: str | None = None
    """The authority that was last asked to take the order over, and has not refused."""
    asked_on: date | None = None
    counts_from: date | None = None
    """No cell of an earlier period counts anything of the record; None if no cell does."""
    counts_until: date | None = None
    """No cell of a later period counts anything of the record."""


LIGHT = 30
"""Facts of an order at most of which nobody needs to know how many there are."""


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of an order's standards."""

    dues: list[tuple[date, str]] = []
    """Each due date and standard still pending, in order."""
    late: list[str] = []
    """Standards that were met late or missed for good."""
    findings: list[str] = []
    """Codes of the data quality rules that it breaks."""
    minutes: tuple[int, int] | None = None
    """Unpaid work in minutes, ordered and credited."""
    withdrawn: bool = False
    begun_on: date | None = None
    """For an order from elsewhere, the day from which its duties run here."""
    wrong_since: date | None = None
    """The day on which its latest finding became known."""
    caseload: str = ""
    overfull: list[str] = []
    """The topics that stated too many facts of the order, so that it counts nothing."""
    facts: int = 0
    """How many facts it has, if they are more than `LIGHT`: whoever reads many orders at once must know which are large."""


_PENDING, _LATE = State.PENDING, (State.LATE, State.MISSED)
_encode = msgspec.json.Encoder().encode
_NOTHING = _encode(Standing())


def summary(counted: Counted) -> Summary:
    """Derive the summary from a record and the notes of its parts."""
    record = counted.record
    if is_void(record):
        topics = list(map(str, overfull(record)))
        void = Standing(withdrawn=is_withdrawn(record), overfull=topics, facts=_heavy(record))
        return Summary(standing=_encode(void))
    imposed, ended = fact(record, "imposed", OrderImposed), fact(record, "ended", OrderEnded)
    arrived = fact(record, "transferred_in", TransferReceived)
    departing = _departure(record, ended) if imposed else _Departure()
    standing = _standing(record, counted)
    encoded = _encode(standing)
    return Summary(
        imposed.imposed_on if imposed else None,
        ended.ended_on if ended else None,
        standing.dues[0][0] if standing.dues else None,
        None if encoded == _NOTHING else encoded,
        f"{current_code(arrived.from_)}/{arrived.from_subject}" if arrived else None,
        *departing,
        *_span(counted),
    )


def _span(counted: Counted) -> tuple[date | None, date | None]:
    """Return the first and last period in which any cell counts it."""
    periods = [period for part in counted.parts for period in part.span]
    periods += map(month_of, credited_on(counted.record))
    return min(periods, default=None), max(periods, default=None)


def credited_on(record: Record) -> Iterator[date]:
    """Yield the day of each session and each adjustment."""
    for entry in record.values():
        data = entry.data
        if type(data) is SessionRecorded:
            yield data.session_on
        elif type(data) is HoursAdjusted:
            yield data.adjusted_on


class _Departure(NamedTuple):
    """The statements of an order's record about its transfer elsewhere."""

    left_on: date | None = None
    asked_of: str | None = None
    asked_on: date | None = None


def _departure(record: Record, ended: OrderEnded | None) -> _Departure:
    requests, answers = facts(record, TransferRequested), {one.ref: one for one in facts(record, TransferAnswered)}
    days = [answer.answered_on for answer in answers.values() if answer.accepted]
    if ended is not None and ended.reason is EndReason.TRANSFERRED_OUT:
        days.append(ended.ended_on)
    asked = [
        (one.requested_on, one.ref, one.to) for one in requests if one.ref not in answers or answers[one.ref].accepted
    ]
    asked_on, _, asked_of = max(asked, default=(None, "", None))
    return _Departure(min(days, default=None), asked_of and current_code(asked_of), asked_on)


def _standing(record: Record, counted: Counted) -> Standing:
    dues: list[tuple[date, str]] = []
    late: set[str] = set()
    findings: list[str] = []
    minutes: tuple[int, int] | None = None
    begun_on: date | None = None
    wrong_since: date | None = None
    for note in [note for part in counted.parts if part.notes for note in part.notes]:
        if isinstance(note, Reading):
            if note.taken_over:
                begun_on = note.start
            if note.state is _PENDING and note.due is not None:
                dues.append((note.due, note.standard.name))
            elif note.state in _LATE:
                late.add(note.standard.name)
        elif isinstance(note, Finding):
            findings.append(note.rule.code)
            wrong_since = max(known_since(record, note), wrong_since or date.min)
        else:
            minutes = note.minutes, _credited(record)
    return Standing(
        sorted(dues),
        sorted(late),
        sorted(findings),
        minutes,
        False,
        begun_on,
        wrong_since,
        caseload_of(record),
        facts=_heavy(record),
    )


def _heavy(record: Record) -> int:
    return len(record) if len(record) > LIGHT else 0


def known_since(record: Record, finding: Finding) -> date:
    """Return the day on which the last of the facts that break the rule arrived."""
    return max((record[key].known_on for key in finding.facts if key in record), default=date.min)


def _credited(record: Record) -> int:
    minutes = 0
    for entry in record.values():
        data = entry.data
        if type(data) is SessionRecorded:
            minutes += data.minutes_credited
        elif type(data) is HoursAdjusted:
            minutes += data.minutes
    return minutes
