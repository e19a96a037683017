"""The fold counts how each event ended and how long it took: by the day on which it arrived, the month that it is about, and its band."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.decoding.binary import from_kafka
from contracts.decoding.codec import Event
from contracts.events import ContactMade, Fact, FactWithdrawn, Heartbeat, Topic
from contracts.rejections import Reason, Rejection
from services.orders import domain as orders
from services.records.model.calendar import Calendar
from services.records.model.fold import Arrival, PutAside, Turn, day_of, fold, read, subjects, turns, turns_between
from services.records.model.record import Outcome
from services.unpaid_work import domain as unpaid_work
from tests.support.scenario import NOON, Sent

CALENDAR = Calendar("test", frozenset())
ORDERS, UNPAID_WORK = orders.domain(CALENDAR), unpaid_work.domain(CALENDAR)
GLASGOW = "S12000049"
MADE = date(2025, 1, 31)


def told(
    data: Fact, arrived: date, time: datetime = datetime(2025, 4, 30, 22, 59, tzinfo=UTC), name: str = "a"
) -> Arrival:
    event = Event(name, GLASGOW, None, f"{data.NAME}.v1", "CPO/1", time, data)
    return arrival(event, arrived)


def arrival(content: Any, day: date, topic: Topic = Topic.ORDERS) -> Arrival:
    return Arrival(topic, Sent(0, b""), day, content)


def counted(*arrivals: Arrival) -> dict[tuple[date, str, date, str], int]:
    """Return the cells about arrivals, by the day on which they became known."""
    held = {a.content.subject: ORDERS.counted({}) for a in arrivals if isinstance(a.content, Event)}
    folded = fold(list(arrivals), held, ORDERS)
    return {
        (day, measure, month, category): value
        for day, cells in folded.cells.items()
        for (measure, month, category), value in cells.items()
        if measure in {"events", "reporting_delay"}
    }


@pytest.mark.parametrize(
    ("days", "band"),
    [
        *((-1, "to_1_day"), (1, "to_1_day"), (2, "to_7_days"), (7, "to_7_days"), (8, "to_1_month"), (31, "to_1_month")),
        *((32, "to_3_months"), (92, "to_3_months"), (93, "to_1_year"), (366, "to_1_year"), (367, "over_1_year")),
    ],
)
def test_the_delay_of_a_report_is_counted_in_the_month_of_what_it_reports(days: int, band: str) -> None:
    arrived = MADE + timedelta(days=days)
    assert counted(told(ContactMade(made_on=MADE), arrived)) == {
        (arrived, "events", date(2025, 4, 1), "outcome=applied"): 1,
        (arrived, "reporting_delay", date(2025, 1, 1), f"delay_band={band}"): 1,
    }


def test_an_event_counts_in_the_local_month_of_its_time() -> None:
    """In summer, the last hour of a month in UTC is the first of the next month."""
    late = datetime(2025, 4, 30, 23, 0, tzinfo=UTC)
    cells = counted(told(ContactMade(made_on=MADE), MADE, late))
    assert {month for _, measure, month, _ in cells if measure == "events"} == {date(2025, 5, 1)}


def test_only_what_took_effect_and_tells_of_a_day_has_a_delay() -> None:
    arrived = date(2025, 5, 2)
    again = told(ContactMade(made_on=MADE), arrived), told(ContactMade(made_on=MADE), arrived)
    cells = counted(*again, told(Heartbeat(), arrived, name="b"))
    assert sum(value for (_, measure, _, _), value in cells.items() if measure == "reporting_delay") == 1
    assert cells[arrived, "events", date(2025, 4, 1), "outcome=duplicate"] == 1
    assert cells[arrived, "events", date(2025, 4, 1), "outcome=applied"] == 2


def test_what_was_refused_or_put_aside_counts_in_the_month_of_its_arrival() -> None:
    arrived, month = date(2025, 5, 2), date(2025, 5, 1)
    refused = Rejection(Reason.NOT_JSON, "$", "not JSON")
    assert counted(arrival(refused, arrived), arrival(PutAside("a"), arrived)) == {
        (arrived, "events", month, "reason=not_json"): 1,
        (arrived, "events", month, "outcome=rejected"): 1,
        (arrived, "events", month, "outcome=put_aside"): 1,
    }


def test_events_of_the_other_topic_are_settled_by_the_other_service() -> None:
    other = arrival(PutAside("a"), date(2025, 5, 2), Topic.UNPAID_WORK)
    folded = fold([other], {}, ORDERS)
    assert (folded.settled, folded.cells) == ([], {date(2025, 5, 2): {}})


def test_what_became_of_each_event_is_told_in_the_order_of_arrival() -> None:
    day = date(2025, 5, 2)
    same = [told(ContactMade(made_on=MADE), day), told(ContactMade(made_on=MADE), day), arrival(PutAside("x"), day)]
    folded = fold(same, {"CPO/1": ORDERS.counted({})}, ORDERS)
    assert [one.outcome for one in folded.settled] == [Outcome.APPLIED, Outcome.DUPLICATE, Outcome.PUT_ASIDE]
    assert [one.arrival for one in folded.settled] == same


def test_the_records_that_may_change_are_named_with_the_topic_of_all_that_came_of_them() -> None:
    """Of an order that this topic has marked as overfull, no more than the mark is read. So what comes of both is from neither."""
    contact = told(ContactMade(made_on=MADE), MADE).content
    whole = told(FactWithdrawn(fact="order"), MADE).content
    refused = arrival(Rejection(Reason.NOT_JSON, "$", "not JSON"), MADE)

    def of(subject: str, topic: Topic = Topic.ORDERS, content: Any = contact) -> Arrival:
        return arrival(replace(content, subject=subject), MADE, topic)

    came = [of("one"), of("one"), of("both"), of("both", Topic.UNPAID_WORK), of("both"), refused]
    came += [of("withdrawn", content=whole), of("later", content=contact), of("later", content=whole)]
    assert subjects(came, ORDERS) == {"one": Topic.ORDERS, "both": "", "withdrawn": "", "later": ""}
    assert subjects([of("one")], UNPAID_WORK) == {}, "it holds nothing about contacts"


@given(st.lists(st.integers(0, 4_000_000_000_000), max_size=8), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_days_of_arrivals_never_go_back(times: list[int], known: date) -> None:
    messages = [Sent(0, b"{", time) for time in times]
    days = [one.day for one in read(Topic.ORDERS, GLASGOW, messages, known)]
    assert days == [max([known, *map(day_of, times[: count + 1])]) for count in range(len(times))]


@given(st.frozensets(st.sampled_from("abcd")), st.frozensets(st.sampled_from("abcd")))
def test_turns_lead_from_the_rules_broken_before_to_those_broken_now(
    before: frozenset[str], after: frozenset[str]
) -> None:
    found = turns("CPO/1", before, after)
    begun, ceased = ({turn.rule for turn in found if turn.broken is broken} for broken in (True, False))
    assert (before | begun) - ceased == after
    assert begun.isdisjoint(before)
    assert ceased <= before
    assert [turn.rule for turn in found] == sorted(begun | ceased)
    assert {turn.subject for turn in found} <= {"CPO/1"}


def test_turns_of_many_records_are_told_by_subject_whether_it_was_there_before_or_is_now() -> None:
    before, after = {"b": {"x"}, "c": {"x", "y"}}, {"a": {"x"}, "c": {"y"}}
    assert turns_between(before, after) == [Turn("a", "x", True), Turn("b", "x", False), Turn("c", "x", False)]
    assert turns_between(after, after) == []


def test_an_event_in_binary_mode_is_read_as_the_same_event_in_structured_mode() -> None:
    headers = (("ce_id", b"a"), ("ce_specversion", b"1.0"), ("ce_nonsense", b"x"))
    binary = Sent(3, b"{}", NOON, b"k", headers)
    structured = Sent(3, from_kafka(binary.value, headers), NOON, b"k")
    one, other = (read(Topic.ORDERS, GLASGOW, [message], date.min)[0] for message in (binary, structured))
    assert (one.content, one.day) == (other.content, other.day)
    assert (one.message.offset, one.message.timestamp, one.message.key) == (3, NOON, b"k")
    assert one.message.value == structured.value


def test_a_time_beyond_all_time_zones_has_the_day_of_utc() -> None:
    assert day_of(253_402_300_799_000) == date(9999, 12, 31)
    assert day_of(-62_135_596_800_000) == date(1, 1, 1)
    assert day_of(2**53) == date.max
