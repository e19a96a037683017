"""How many facts of one order a topic may state."""

from datetime import date, timedelta

import pytest

from contracts.codes import Activity, Attendance, WorkType
from contracts.events import FACTS, ContactMade, FactWithdrawn, Heartbeat, SessionRecorded, Topic
from contracts.rejections import OF_ORDERS, Reason
from services.records.model import limit
from services.records.model.limit import MOST_FACTS, is_marked, marked_only, refusal, refuses, take, topic_stating
from services.records.model.record import MARKS, Outcome, Record, as_known, dump, is_void, load, overfull
from tests.support.lives import event, imposed

DAY = date(2026, 1, 5)


def session(number: int) -> SessionRecorded:
    return SessionRecorded(
        ref=f"s{number}",
        session_on=DAY,
        attendance=Attendance.ATTENDED,
        activity=Activity.UNPAID_WORK,
        work_type=next(iter(WorkType)),
        minutes_credited=60,
    )


def of(number: int) -> Record:
    record: Record = {}
    for each in range(number):
        assert take(record, event(session(each)), DAY) is Outcome.APPLIED
    return record


def test_as_many_as_may_be_count_and_can_be_corrected() -> None:
    record = of(MOST_FACTS)
    later = event(session(0), recorded=event(session(0)).time + timedelta(days=1))
    assert take(record, later, DAY) is Outcome.APPLIED
    assert not is_void(record)
    assert load(dump(record)) == record


def test_each_fact_is_known_from_the_day_on_which_it_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is much room and where there is little, for the first statement and for one that corrects it."""
    monkeypatch.setattr(limit, "MOST_FACTS", 2)
    record, next_day = of(2), DAY + timedelta(days=1)
    assert take(record, event(imposed(DAY)), next_day) is Outcome.APPLIED
    ended = FactWithdrawn(fact="session/s0")
    assert take(record, event(ended, recorded=event(ended).time + timedelta(days=1)), next_day) is Outcome.APPLIED
    assert {key: entry.known_on for key, entry in record.items()} == {
        "session/s0": next_day,
        "session/s1": DAY,
        "imposed": next_day,
    }


@pytest.mark.parametrize("topic", list(Topic))
def test_a_mark_is_of_one_topic_and_of_no_event(topic: Topic) -> None:
    [other] = set(Topic) - {topic}
    record = marked_only(topic)
    assert is_marked(record, topic)
    assert not is_marked(record, other)
    assert not is_marked(record, ""), "what has no topic is marked by none"
    assert not is_marked({}, topic)
    assert overfull(record) == [topic]
    assert as_known(record, date.min) == record, "it is marked on any day"
    assert [(entry.id, entry.data) for entry in record.values()] == [("", None)]
    assert refuses(record, "session/s0") is (topic is Topic.UNPAID_WORK)


def test_one_more_is_refused_and_so_is_everything_after_it() -> None:
    record = of(MOST_FACTS)
    assert take(record, event(session(MOST_FACTS)), DAY) is Outcome.REJECTED
    assert overfull(record) == [Topic.UNPAID_WORK]
    assert record[MARKS[Topic.UNPAID_WORK]].known_on == DAY
    kept = dict(record)
    assert take(record, event(session(0)), DAY + timedelta(days=1)) is Outcome.REJECTED
    assert record == kept == load(dump(record)), "nothing more is kept, and the mark stays as it is"
    assert refuses(record, "session/s0")
    assert not refuses(record, "imposed")
    assert not refuses(record, "order")


def test_the_withdrawal_of_a_fact_that_nobody_stated_takes_room_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "MOST_FACTS", 2)
    record: Record = {}
    found = [take(record, event(FactWithdrawn(fact=f"session/{number}")), DAY) for number in range(3)]
    assert found == [Outcome.APPLIED, Outcome.APPLIED, Outcome.REJECTED]


def test_facts_of_the_other_topic_and_the_withdrawal_of_the_order_take_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "MOST_FACTS", 2)
    record = of(2)
    stated = (imposed(DAY), ContactMade(made_on=DAY), FactWithdrawn(fact="order"))
    assert [take(record, event(fact), DAY) for fact in stated] == [Outcome.APPLIED] * 3
    assert overfull(record) == []


def test_what_an_authority_says_of_itself_has_no_limit_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign of life has one key, and totals of months one for each month of a century."""
    monkeypatch.setattr(limit, "MOST_FACTS", 0)
    assert take({}, event(Heartbeat(), "-"), DAY) is Outcome.APPLIED
    assert {fact for fact in FACTS.values() if fact.KEY and topic_stating(fact.KEY) is None} == {
        fact for fact in FACTS.values() if fact.ABOUT_AUTHORITY
    }


def test_every_fact_has_one_topic_which_counts_it() -> None:
    for fact in FACTS.values():
        if fact.KEY and not fact.ABOUT_AUTHORITY:
            assert (topic_stating(fact.KEY),) == fact.TOPICS


def test_it_is_refused_in_words_that_say_how_many_may_be() -> None:
    refused = refusal(event(session(1), number=7))
    assert (refused.reason, refused.path, refused.id) == (Reason.TOO_MANY_FACTS, "$.subject", "7")
    assert f"{MOST_FACTS:,}" in refused.message
    assert refused.reason in OF_ORDERS
