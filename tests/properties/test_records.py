"""The laws of records: any order of arrival gives the same record, and cells are the sum over records, always."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.decoding.codec import Event, decode
from contracts.events import OfficerNominated, Topic
from contracts.generate.samples import ARRIVED
from services.orders.domain import domain as orders
from services.records.model import limit
from services.records.model.calendar import Calendar
from services.records.model.counting import Counted
from services.records.model.deadlines import Cells
from services.records.model.domain import Domain
from services.records.model.fold import Arrival, broken, fold
from services.records.model.limit import take, topic_stating
from services.records.model.record import MARKS, Outcome, Record, apply, dump, fact, is_void, load, name_of, overfull
from services.records.model.summary import summary
from services.unpaid_work.domain import domain as unpaid_work
from tests.support import scenario
from tests.support.generated.strategies import events
from tests.support.scenario import Sent

CALENDAR = Calendar("test", frozenset({date(2024, 1, 1), date(2024, 3, 29)}))
DOMAINS = {"orders": orders(CALENDAR), "unpaid_work": unpaid_work(CALENDAR)}
SAME = datetime(2026, 1, 1, tzinfo=UTC)
MANY = st.lists(st.one_of(events(Topic.ORDERS), events(Topic.UNPAID_WORK)), max_size=40)


UNCHANGED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""A fixture that is the same for all examples."""


def _record(stream: list[Event]) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for event in stream:
        take(records.setdefault(event.subject, {}), event)
    return records


@pytest.fixture(params=[2, limit.MOST_FACTS])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Limit the facts of one order, also to so few that drawn orders have more."""
    monkeypatch.setattr(limit, "MOST_FACTS", request.param)
    return int(request.param)


def test_whether_an_order_has_too_many_facts_is_the_same_for_any_order_of_arrival(most: int) -> None:
    """And whatever comes again. Only then may the facts that are kept differ: they count nothing."""
    reached = set[bool]()

    @given(MANY, st.randoms(use_true_random=False))
    def converge(stream: list[Event], chance: random.Random) -> None:
        again = stream + [event for event in stream if chance.random() < 0.5]
        chance.shuffle(again)
        records, others = _record(stream), _record(again)
        for domain in DOMAINS.values():
            assert _counts(records, domain) == _counts(others, domain)
        for subject, record in records.items():
            stated = {event.data.key for event in stream if event.subject == subject}
            by_topic = Counter(filter(None, map(topic_stating, stated)))
            assert overfull(record) == overfull(others[subject]) == sorted(t for t, n in by_topic.items() if n > most)
            assert overfull(record) or record == others[subject]
            reached.add(bool(overfull(record)))

    converge()
    assert reached == {False} if most > 100 else {True, False}


def _counts(records: dict[str, Record], domain: Domain) -> list[Cells]:
    return [domain.contributions(_held(record, domain)) for _, record in sorted(records.items())]


def _held(record: Record, domain: Domain) -> Record:
    """Return what a service holds of a record."""
    return {key: entry for key, entry in record.items() if key in MARKS.values() or domain.holds(key)}


@given(MANY, st.randoms(use_true_random=False))
def test_convergence(stream: list[Event], chance: random.Random) -> None:
    """Any order, repetition or delay of deliveries gives the same records."""
    again = stream + [event for event in stream if chance.random() < 0.5]
    chance.shuffle(again)
    assert _record(again) == _record(stream)


EQUAL = st.lists(
    st.builds(
        lambda event, sequence, number: msgspec.structs.replace(event, time=SAME, sequence=sequence, id=number),
        events(Topic.ORDERS),
        st.none() | st.integers(1, 4),
        st.sampled_from(["a", "b"]),
    ),
    max_size=12,
)


@given(EQUAL, st.randoms(use_true_random=False))
def test_of_equal_times_the_higher_number_wins_then_the_id(stream: list[Event], chance: random.Random) -> None:
    """And so in any order; a statement without a number comes before all that have one."""
    again = stream + stream
    chance.shuffle(again)
    records = _record(again)
    assert records == _record(stream)
    for subject, record in records.items():
        for key, entry in record.items():
            stated = [event for event in stream if (event.subject, event.data.key) == (subject, key)]
            assert (entry.sequence, entry.id) == max((event.sequence or 0, event.id) for event in stated)


def test_what_was_stored_before_numbers_were_is_read_and_gives_way_to_a_number() -> None:
    old = (
        b'{"officer":["2026-01-01T00:00:00Z","b","officer.nominated.v1",{"nominated_on":"2026-01-01"},"2026-01-01",[]]}'
    )
    record = load(old)
    assert record["officer"].sequence == 0
    assert load(dump(record)) == record
    later = Event(
        "a", "S12000005", None, "officer.nominated.v1", "x", SAME, OfficerNominated(nominated_on=date(2026, 1, 2)), 1
    )
    assert apply(record, later) is Outcome.APPLIED
    assert fact(record, "officer", OfficerNominated) == later.data


@pytest.mark.usefixtures("most")
@UNCHANGED
@given(MANY)
def test_what_is_stored_is_what_was(stream: list[Event]) -> None:
    for record in _record(stream).values():
        assert load(dump(record)) == record


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize("name", DOMAINS)
@UNCHANGED
@given(stream=MANY, chance=st.randoms(use_true_random=False))
def test_conservation(name: str, stream: list[Event], chance: random.Random) -> None:
    """Whatever the batches and days, the cells are the sum of the contributions of the records."""
    domain = DOMAINS[name]
    held: dict[str, Counted] = {}
    total: Counter[tuple[str, date, str]] = Counter()
    for batch in _batches([event for event in stream if _topic(event) in domain.kinds], chance):
        for event in batch:
            held.setdefault(event.subject, domain.counted({}))
        folded = fold([_arrival(event, chance) for event in batch], held, domain)
        held |= folded.records
        for deltas in folded.cells.values():
            total.update({key: value for key, value in deltas.items() if key[0] not in ("events", "reporting_delay")})
    assert _without_zero(total) == _without_zero(_recount(held, domain))


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize("name", DOMAINS)
@UNCHANGED
@given(stream=MANY)
def test_a_number_is_explained_by_no_more_than_it_depends_on(name: str, stream: list[Event]) -> None:
    """The periods of a summary leave out no cell, and what counts a measure needs no other facts than it says."""
    domain = DOMAINS[name]
    for whole in _record([event for event in stream if _topic(event) in domain.kinds]).values():
        record = _held(whole, domain)
        found, cells = summary(domain.counted(record)), domain.contributions(record)
        if not is_void(record):
            assert {found.counts_from, found.counts_until} >= _ends(cells)
        for measure in {measure for measure, _, _ in cells}:
            counting = domain.counting.of_measure(measure)
            counted = counting.contributions(load(dump(record), counting.reads), domain.calendar)
            assert _of(measure, counted) == _of(measure, cells)


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize("name", DOMAINS)
@UNCHANGED
@given(stream=MANY)
def test_a_fact_that_a_part_does_not_read_never_changes_it(name: str, stream: list[Event]) -> None:
    domain = DOMAINS[name]
    for whole in _record(stream).values():
        record = _held(whole, domain)
        counted = domain.counted(record).parts
        for place, part in enumerate(domain.counting.parts):
            read = {key: entry for key, entry in record.items() if name_of(key) in part.reads}
            assert domain.counted(read).parts[place] == counted[place]


def _ends(cells: Cells) -> set[date]:
    periods = {period for _, period, _ in cells}
    return {min(periods), max(periods)} if periods else set()


def _of(measure: str, cells: Cells) -> Cells:
    return {key: value for key, value in cells.items() if key[0] == measure}


def _stated(domain: Domain) -> Iterator[list[Event]]:
    """Yield the events of the scenario that the service reads, by authority."""
    for _, authority, _ in {one[1]: one for one in scenario.topics()}.values():
        found = [
            decode(line, kind, authority, ARRIVED)
            for kind, of, lines in scenario.topics()
            if of == authority and kind in domain.kinds
            for line in lines
        ]
        yield [event for event in found if isinstance(event, Event)]


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_carried_along_is_what_the_whole_record_gives(name: str, seed: int) -> None:
    """Parts that read none of the facts that changed, and views, are kept from one change to the next."""
    chance, domain = random.Random(seed), DOMAINS[name]
    for stated in _stated(domain):
        chance.shuffle(stated)
        held: dict[str, Counted] = {}
        told: set[tuple[str, str]] = set()
        for batch in _batches(stated, chance):
            held = {event.subject: domain.counted({}) for event in batch} | held
            folded = fold([_arrival(event, chance) for event in batch], held, domain)
            held |= folded.records
            for subject, rule, is_broken in folded.turns:
                (told.add if is_broken else told.remove)((subject, rule))
        for one in held.values():
            whole = domain.counted(one.record)
            assert (one.parts, _credited(one)) == (whole.parts, _credited(whole))
        assert told == {(subject, rule) for subject, one in held.items() for rule in broken(one.notes)}


def _credited(counted: Counted) -> tuple[int, ...]:
    """Return minutes and those of other activity, as unpaid work carries them along."""
    return tuple(getattr(counted.view, "sums", ())[:2])


def _recount(held: dict[str, Counted], domain: Domain) -> Counter[tuple[str, date, str]]:
    wanted: Counter[tuple[str, date, str]] = Counter()
    for one in held.values():
        wanted.update(domain.contributions(one.record))
    return wanted


def _without_zero(cells: Counter[tuple[str, date, str]]) -> dict[tuple[str, date, str], int]:
    return {key: value for key, value in cells.items() if value}


def _batches(stream: list[Event], chance: random.Random) -> list[list[Event]]:
    batches: list[list[Event]] = [[]]
    for event in stream:
        if chance.random() < 0.3:
            batches.append([])
        batches[-1].append(event)
    return batches


def _topic(event: Event) -> Topic:
    return Topic.ORDERS if Topic.ORDERS in type(event.data).TOPICS else Topic.UNPAID_WORK


def _arrival(event: Event, chance: random.Random) -> Arrival:
    return Arrival(_topic(event), Sent(0, b""), date(2025, 1, chance.randint(1, 3)), event)
