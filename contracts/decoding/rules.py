"""Rules that a fact must keep beyond the form of its members and that no schema states, pure."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from contracts.authorities import AUTHORITIES, Authority, current_code
from contracts.codes import ATTENDED, Change, RequirementKind
from contracts.events import (
    Fact,
    FactWithdrawn,
    Heartbeat,
    OrderImposed,
    RequirementVaried,
    SessionRecorded,
    Supervision,
    Topic,
    TransferReceived,
    TransferRequested,
    UnpaidWork,
    fact_keys,
    withdrawable,
)
from contracts.periods import LONDON
from contracts.rejections import Reason, Unacceptable

FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Community payback orders began in 2011; a date far outside is a typing error."""
_FIRST_DAY, _LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
_DAY = timedelta(days=1)


def check_in_force(authority: str, time: datetime) -> None:
    """Check that the authority existed when it recorded the event, however late the event comes. Raises Unacceptable."""
    one = AUTHORITIES.get(authority)
    if one is None or (one.first_day is None and one.last_day is None):
        return
    day = time.astimezone(LONDON).date()
    if not one.is_in_force(day, day):
        raise Unacceptable(Reason.WRONG_AUTHORITY, "$.time", _life(one))


def _life(one: Authority) -> str:
    begins = [f"its first day is {one.first_day}"] if one.first_day else []
    ends = [f"its last day is {one.last_day}"] if one.last_day else []
    heir = [f"what came after belongs to {one.successor}"] if one.successor else []
    return f"{one.code} was no authority then: {', '.join([*begins, *ends, *heir])}"


def check_dates(data: Fact, time: datetime) -> None:
    """Check the event's time and the dates that depend on it. Raises Unacceptable."""
    recorded = time.date()
    if not _FIRST_DAY <= recorded <= _LAST_DAY:
        raise Unacceptable(Reason.OUT_OF_RANGE, "$.time", f"the year must be {FIRST_YEAR} to {LAST_YEAR}")
    for field in data.DATES:
        day: date = getattr(data, field)
        if day < _FIRST_DAY or day > _LAST_DAY:
            _check_year(day, f"$.data.{field}")
        if day > recorded:
            _check_not_after(day, time, f"$.data.{field}")


def _check_not_after(day: date, time: datetime, path: str) -> None:
    if day - time.astimezone(LONDON).date() > _DAY:
        raise Unacceptable(Reason.DATE_AFTER_TIME, path, "the date is more than a day after the time of the event")


def _check_year(day: date, path: str) -> None:
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise Unacceptable(Reason.OUT_OF_RANGE, path, f"the year must be {FIRST_YEAR} to {LAST_YEAR}")


def _imposed(data: OrderImposed, _: Topic) -> None:
    kinds = [type(requirement) for requirement in data.requirements]
    path = "$.data.requirements"
    if len(set(kinds)) < len(kinds):
        raise Unacceptable(Reason.REPEATED_REQUIREMENT, path, "a kind of requirement is named twice")
    if Supervision not in kinds:
        if UnpaidWork not in kinds:
            raise Unacceptable(Reason.NO_MAIN_REQUIREMENT, path, "neither supervision nor unpaid work")
        if len(kinds) > 1:
            raise Unacceptable(
                Reason.NEEDS_SUPERVISION, path, "a requirement other than unpaid work without supervision"
            )
        if data.age_at_imposition < 18:
            raise Unacceptable(Reason.UNDER_18_NEEDS_SUPERVISION, path, "a person under 18 without supervision")
    _completion_dates(data)


def _completion_dates(data: OrderImposed) -> None:
    for index, requirement in enumerate(data.requirements):
        if isinstance(requirement, UnpaidWork) and requirement.complete_by is not None:
            path = f"$.data.requirements[{index}].complete_by"
            _check_year(requirement.complete_by, path)
            if requirement.complete_by < data.imposed_on:
                raise Unacceptable(Reason.COMPLETE_BY_BEFORE_IMPOSED, path, "before the imposition")


def _session(data: SessionRecorded, _: Topic) -> None:
    if data.minutes_credited and data.attendance not in ATTENDED:
        raise Unacceptable(
            Reason.CREDIT_WITHOUT_ATTENDANCE, "$.data.minutes_credited", "minutes for a session not attended"
        )


def _withdrawn(data: FactWithdrawn, topic: Topic) -> None:
    if not withdrawable(data.fact, topic):
        raise Unacceptable(
            Reason.UNKNOWN_FACT, "$.data.fact", f"not a fact key of {topic}: {', '.join(fact_keys(topic))}"
        )


def _other_authority(data: TransferRequested | TransferReceived, _: Topic) -> None:
    field, code = ("to", data.to) if isinstance(data, TransferRequested) else ("from", data.from_)
    if current_code(code) is None:
        raise Unacceptable(Reason.BAD_CODE, f"$.data.{field}", f"not a code of the list: {', '.join(AUTHORITIES)}")


def _heartbeat(data: Heartbeat, _: Topic) -> None:
    if data.nothing_to_report_since is not None:
        _check_year(data.nothing_to_report_since, "$.data.nothing_to_report_since")


def _varied(data: RequirementVaried, _: Topic) -> None:
    if data.complete_by is not None:
        _check_year(data.complete_by, "$.data.complete_by")
    needed = _needed_by(data)
    for field in ("hours", "complete_by", "months"):
        given = getattr(data, field) is not None
        if field == needed and not given:
            raise Unacceptable(
                Reason.MISSING_MEMBER, f"$.data.{field}", f"change {data.change} of {data.kind} needs {field}"
            )
        if given and field != needed and not (field == "complete_by" and needed == "hours"):
            raise Unacceptable(
                Reason.CHANGE_DOES_NOT_FIT, f"$.data.{field}", f"change {data.change} of {data.kind} has no {field}"
            )


def _needed_by(data: RequirementVaried) -> str | None:
    unpaid = data.kind is RequirementKind.UNPAID_WORK
    match data.change:
        case Change.REMOVED:
            return None
        case Change.ADDED:
            return "hours" if unpaid else "months"
        case Change.HOURS | Change.COMPLETE_BY if not unpaid:
            raise Unacceptable(Reason.CHANGE_DOES_NOT_FIT, "$.data.change", f"{data.change} is for unpaid work only")
        case Change.MONTHS if unpaid:
            raise Unacceptable(Reason.CHANGE_DOES_NOT_FIT, "$.data.change", "unpaid work is counted in hours")
        case _:
            return str(data.change)


RULES: dict[type[Fact], Callable[[Any, Topic], None]] = {
    OrderImposed: _imposed,
    SessionRecorded: _session,
    FactWithdrawn: _withdrawn,
    TransferRequested: _other_authority,
    TransferReceived: _other_authority,
    RequirementVaried: _varied,
    Heartbeat: _heartbeat,
}
"""Each raises Unacceptable."""
