"""Every event that came has its number in the books: of a refused one as far as it can be read, and in no month that has not begun."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from contracts.decoding.codec import Event
from contracts.decoding.envelope import MAX_SEQUENCE
from contracts.events import ContactMade, Topic
from contracts.rejections import Reason, Rejection
from services.records.ingest.sequences.following import numbers_in
from services.records.ingest.sequences.sequence import Bearer
from services.records.model.fold import Arrival
from tests.support.lives import event
from tests.support.scenario import Sent

GLASGOW, FIFE = "S12000049", "S12000047"
DAY, NEXT = date(2025, 7, 3), date(2025, 7, 4)
JUNE, JULY = date(2025, 6, 1), date(2025, 7, 1)
NOON_IN_JUNE = datetime(2025, 6, 10, 12, tzinfo=UTC)
LATE = datetime(2025, 6, 30, 23, 30, tzinfo=UTC)
"""The first of July in Scotland."""
REFUSED = Rejection(Reason.NOT_JSON, "$", "refused")


def numbered(number: int | None, time: datetime = NOON_IN_JUNE, system: str | None = "crm") -> Event:
    told = event(ContactMade(made_on=DAY), authority=GLASGOW, number=number or 0, recorded=time)
    return replace(told, sequence=number, system=system)


def taken(content: Event, day: date = DAY) -> Arrival:
    return Arrival(Topic.ORDERS, Sent(0, b"", 0), day, content)


def refused(value: bytes, day: date = DAY) -> Arrival:
    return Arrival(Topic.ORDERS, Sent(0, value, 0), day, REFUSED)


def envelope(number: Any, time: datetime = NOON_IN_JUNE, source: str = f"/authorities/{GLASGOW}/systems/crm") -> bytes:
    return msgspec.json.encode({"source": source, "time": time, "sequence": number, "data": "whatever"})


def found(*arrivals: Arrival) -> dict[tuple[str, str], dict[date, list[tuple[int, date]]]]:
    came, _ = numbers_in({GLASGOW: arrivals})
    return {source: dict(by_day) for source, by_day in came.items()}


def test_numbers_are_kept_by_source_and_day_with_the_month_of_their_event_in_scotland() -> None:
    came, _ = numbers_in({
        GLASGOW: [taken(numbered(5)), taken(numbered(7, LATE)), taken(numbered(6), NEXT), taken(numbered(1, system=None))],
        FIFE: [taken(numbered(9))],
    })  # fmt: skip
    assert came == {
        (GLASGOW, "crm"): {DAY: [(5, JUNE), (7, JULY)], NEXT: [(6, JUNE)]},
        (GLASGOW, ""): {DAY: [(1, JUNE)]},
        (FIFE, "crm"): {DAY: [(9, JUNE)]},
    }


def test_a_refused_event_has_its_number_too() -> None:
    came = found(taken(numbered(1)), refused(envelope(2)), refused(envelope("3")), refused(envelope(4, LATE), NEXT))
    assert came == {(GLASGOW, "crm"): {DAY: [(1, JUNE), (2, JUNE), (3, JUNE)], NEXT: [(4, JULY)]}}
    assert found(refused(envelope(1, source=f"/authorities/{GLASGOW}"))) == {(GLASGOW, ""): {DAY: [(1, JUNE)]}}


def test_a_refused_event_that_says_it_is_of_a_later_month_counts_in_that_in_which_it_came() -> None:
    """It may have been refused for just that, and no month that lies ahead can be complete."""
    assert found(refused(envelope(2, datetime(2031, 1, 1, tzinfo=UTC)))) == {(GLASGOW, "crm"): {DAY: [(2, JULY)]}}


@pytest.mark.parametrize("number", [None, 0, MAX_SEQUENCE + 1])
def test_what_is_no_number_is_none(number: int | None) -> None:
    assert found(refused(envelope(number))) == {}
    if number != 0:
        assert found(taken(numbered(number))) == {}
        assert numbers_in({GLASGOW: [taken(numbered(number))]}) == ({}, [])


@pytest.mark.parametrize(
    "value", [b"", b"no JSON", envelope("seven"), envelope(-1), envelope(3, source=f"/authorities/{FIFE}")]
)
def test_what_cannot_be_read_or_is_of_somebody_else_has_none(value: bytes) -> None:
    assert found(refused(value), taken(numbered(8))) == {(GLASGOW, "crm"): {DAY: [(8, JUNE)]}}, "others keep theirs"


def test_the_highest_number_that_may_be_is_one() -> None:
    highest = MAX_SEQUENCE
    assert found(taken(numbered(highest)), refused(envelope(highest))) == {
        (GLASGOW, "crm"): {DAY: [(highest, JUNE), (highest, JUNE)]}
    }


def test_accepted_events_bear_their_numbers_and_refused_ones_none() -> None:
    arrived = {
        GLASGOW: [refused(envelope(1)), taken(numbered(None)), taken(numbered(2, LATE)), taken(numbered(3), NEXT)],
        FIFE: [taken(numbered(4, system=None))],
    }
    _, bearers = numbers_in(arrived)
    assert bearers == [
        Bearer((GLASGOW, "crm", 2), "2", JULY, DAY),
        Bearer((GLASGOW, "crm", 3), "3", JUNE, NEXT),
        Bearer((FIFE, "", 4), "4", JUNE, DAY),
    ]
