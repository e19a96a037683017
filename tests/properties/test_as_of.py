"""The law of time: what cells were at the end of any day is the recount of the log up to that day, whichever topic was read first."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.decoding.codec import Event
from contracts.events import ContactMade, Fact, OrderEnded, OrderImposed, PlacementStarted, SessionRecorded, Topic
from services.orders.domain import domain as orders
from services.records.model import limit
from services.records.model.calendar import Calendar
from services.records.model.counting import Counted
from services.records.model.domain import Domain
from services.records.model.fold import Arrival, fold
from services.records.model.limit import take
from services.records.model.record import Record, apply, as_known, dump, load
from services.unpaid_work.domain import domain as unpaid_work
from tests.support.generated.strategies import events
from tests.support.lives import event
from tests.support.scenario import Sent

CALENDAR = Calendar("test", frozenset({date(2024, 1, 1), date(2024, 3, 29)}))
DOMAINS = {"orders": orders(CALENDAR), "unpaid_work": unpaid_work(CALENDAR)}
FIRST = date(2025, 1, 10)
DAYS = [FIRST + timedelta(days=number) for number in range(8)]
ARRIVAL = ("events", "reporting_delay", "sequence")

Cells = Counter[tuple[str, date, str]]
MEETING: frozenset[type[Fact]] = frozenset({OrderImposed, OrderEnded, PlacementStarted, SessionRecorded})
"""Facts of the two topics that count together."""
Log = list[tuple[date, Event]]
"""A topic: the days on which its events arrived, and the events."""


def logs(topic: Topic) -> st.SearchStrategy[Log]:
    some = st.one_of(events(topic, MEETING), events(topic))
    arrived = st.lists(st.tuples(st.sampled_from(DAYS), some), max_size=12)
    return arrived.map(lambda found: sorted(found, key=itemgetter(0)))


@pytest.fixture(params=[2, limit.MOST_FACTS])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the facts of one order, also to so few that drawn orders have more."""
    monkeypatch.setattr(limit, "MOST_FACTS", request.param)


UNCHANGED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
BOTH = st.fixed_dictionaries({topic: logs(topic) for topic in Topic})


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize("name", DOMAINS)
@UNCHANGED
@given(told=BOTH, chance=st.randoms(use_true_random=False))
def test_any_past_day_is_the_recount_of_the_log_up_to_it(
    name: str, told: dict[Topic, Log], chance: random.Random
) -> None:
    domain = DOMAINS[name]
    of_domain = {topic: log for topic, log in told.items() if topic in domain.kinds}
    known = _read(of_domain, chance, domain)
    for day in DAYS:
        sums: Cells = Counter()
        for known_on, cells in known.items():
            if known_on <= day:
                sums.update({key: value for key, value in cells.items() if key[0] not in ARRIVAL})
        assert _without_zero(sums) == _without_zero(_recount(of_domain, domain, day))


@pytest.mark.usefixtures("most")
@UNCHANGED
@given(told=BOTH)
def test_a_record_tells_what_it_was_on_any_day(told: dict[Topic, Log]) -> None:
    whole = {subject: load(dump(record)) for subject, record in _records(told, DAYS[-1]).items()}
    for day in DAYS:
        was = {subject: as_known(record, day) for subject, record in whole.items()}
        assert _stated({subject: record for subject, record in was.items() if record}) == _stated(_records(told, day))


def _stated(records: dict[str, Record]) -> dict[str, dict[str, tuple[str, Fact | None]]]:
    """Return the records without when and under which id facts were stated: the same may be said again and again."""
    return {
        subject: {key: (entry.type, entry.data) for key, entry in record.items()} for subject, record in records.items()
    }


@pytest.mark.parametrize("dates", [1, 2])
def test_what_is_said_every_day_for_ten_years_is_kept_only_where_it_changes(dates: int) -> None:
    record: Record = {}
    for number in range(3650):
        fact = ContactMade(made_on=FIRST + timedelta(days=number % dates), late_reason=None)
        recorded = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number)
        apply(record, event(fact, recorded=recorded), FIRST + timedelta(days=number))
    assert load(dump(record)) == record
    assert len(record["first_contact"].before) == (0 if dates == 1 else 3649)
    known = as_known(record, FIRST + timedelta(days=100))["first_contact"]
    assert known.data == ContactMade(made_on=FIRST, late_reason=None)


def _read(told: dict[Topic, Log], chance: random.Random, domain: Domain) -> dict[date, Cells]:
    """Return the changes that a worker makes to the cells, by day, in whatever pieces it is given either topic."""
    left = {topic: list(log) for topic, log in told.items()}
    held: dict[str, Counted] = {}
    known: dict[date, Cells] = {}
    reached = date.min
    while any(left.values()):
        fetch: list[Arrival] = []
        for topic, log in left.items():
            taken = chance.randint(0, 6)
            fetch += [Arrival(topic, Sent(0, b""), day, event) for day, event in log[:taken]]
            del log[:taken]
        for arrival in fetch:
            assert isinstance(arrival.content, Event)
            held.setdefault(arrival.content.subject, domain.counted({}))
        folded = fold(fetch, held, domain, reached)
        held |= folded.records
        reached = max([reached, *(arrival.day for arrival in fetch)])
        for day, cells in folded.cells.items():
            known.setdefault(day, Counter()).update(cells)
    return known


def _recount(told: dict[Topic, Log], domain: Domain, day: date) -> Cells:
    wanted: Cells = Counter()
    for record in _records(told, day, domain).values():
        wanted.update(domain.contributions(record))
    return wanted


def _records(told: dict[Topic, Log], day: date, domain: Domain | None = None) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for log in told.values():
        for arrived, one in log:
            if arrived <= day and (domain is None or domain.holds(one.data.key)):
                take(records.setdefault(one.subject, {}), one, arrived)
    return records


def _without_zero(cells: Cells) -> dict[tuple[str, date, str], int]:
    return {key: value for key, value in cells.items() if value}
