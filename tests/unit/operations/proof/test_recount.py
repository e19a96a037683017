"""The queries count as the rules do, whatever is told, and find every rule that is not as the design has it."""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codes import LateReason
from contracts.decoding.codec import Event, encode
from contracts.events import ContactMade, Topic
from contracts.topics import topic_of
from services.chassis.streaming.batches import TopicPartition
from services.operations.books import DOMAINS
from services.operations.proof.books import Books
from services.operations.proof.expected import Statement, listen
from services.operations.proof.recount import COUNTED, recounted
from services.orders import contributions as of_orders
from services.records.config.closed_days import calendars
from services.records.model import deadlines
from services.records.model.calendar import Calendar
from services.unpaid_work import contributions as of_work
from services.unpaid_work import rules
from services.unpaid_work.model import Order
from tests.support import lives, scenario
from tests.support.generated.strategies import events
from tests.support.scenario import Sent

AUTHORITY = "S12000005"
IMPOSED, NOON = date(2024, 12, 2), datetime(2025, 1, 1, 12, tzinfo=UTC)
Lines = dict[Topic, list[bytes]]


def books_of(service: str, authority: str, lines: Lines) -> Books:
    """Return the books as only the log tells them, without what stands there."""
    domain = DOMAINS[service](*calendars(None)).of(authority)
    sources = {kind: TopicPartition(topic_of(kind, authority), 0) for kind in domain.kinds}
    heard = [
        one
        for kind, source in sources.items()
        for one in listen(source, authority, [Sent(*numbered) for numbered in enumerate(lines[kind])])
    ]
    return Books.of(SimpleNamespace(), domain, authority, heard)  # type: ignore[arg-type]


@cache
def of_scenario() -> Lines:
    """Return the whole scenario, as if one authority had told it."""
    found: Lines = {kind: [] for kind in Topic}
    for kind, code, lines in scenario.topics():
        found[kind] += [line.replace(code.encode(), AUTHORITY.encode()) for line in lines]
    return found


def written(told: Iterable[Event], chance: random.Random) -> list[bytes]:
    """Return events, mostly with ids of their own; at times two statements that tie, whose order the queries leave open."""
    return [
        encode(msgspec.structs.replace(one, id=f"{one.id}{chance.random()}" if chance.random() < 0.9 else one.id))
        for one in told
    ]


@pytest.mark.parametrize("service", COUNTED)
def test_the_scenario_is_counted_alike(service: str) -> None:
    books = books_of(service, AUTHORITY, of_scenario())
    assert {measure for measure, _, _ in books.contributed} > COUNTED[service]
    assert list(recounted(books)) == []


MANY = st.lists(events(Topic.ORDERS), min_size=20, max_size=60)
MUCH = st.lists(events(Topic.UNPAID_WORK), min_size=20, max_size=60)


@given(MANY, MUCH, st.randoms(use_true_random=False))
@settings(max_examples=6)
def test_whatever_is_told_is_counted_alike(orders: list[Event], work: list[Event], chance: random.Random) -> None:
    lines = {Topic.ORDERS: written(orders, chance), Topic.UNPAID_WORK: written(work, chance)}
    for service in COUNTED:
        assert list(recounted(books_of(service, AUTHORITY, lines))) == []


TIMES = (
    ("2025-01-01T23:59:59.9999984Z", "2025-01-01t23:59:60.5z"),
    ("2025-01-01T09:30:00.1234564Z", "2025-01-01T09:30:00.1234565Z"),
    ("2025-01-01T09:30:00+01:00", "2025-01-01T08:30:01Z"),
)
"""Earlier and later, by less than meets the eye."""


@pytest.mark.parametrize(("earlier", "later"), TIMES)
def test_what_is_written_oddly_is_read_alike(earlier: str, later: str) -> None:
    """Times, a byte order mark, a number with a point, and a member that is null."""
    imposed = encode(Event("9", AUTHORITY, None, "order.imposed.v1", "CPO/1", NOON, lives.imposed(IMPOSED)))
    assert b'"hours":100' in imposed
    told_twice = [
        b"\xef\xbb\xbf" + contact(day, time).replace(b'"specversion"', b'"sequence":null,"specversion"')
        for day, time in ((2, later), (9, earlier))
    ]
    lines = {Topic.ORDERS: [imposed.replace(b"100", b"100.0"), *told_twice], Topic.UNPAID_WORK: []}
    books = books_of("orders", AUTHORITY, lines)
    assert all(one.event for one in books.heard)
    assert books.contributed["first_contact", date(2024, 12, 1), "band=within_1"] == 1
    assert list(recounted(books)) == []


def contact(day: int, time: str) -> bytes:
    data = ContactMade(made_on=date(2024, 12, day))
    event = Event("1", AUTHORITY, None, "contact.made.v1", "CPO/1", NOON, data)
    return encode(event).replace(b"2025-01-01T12:00:00Z", time.encode())


ALTERED: Sequence[tuple[str, Any, str, Any]] = (
    ("orders", of_orders, "level", lambda _: 2),
    ("orders", of_orders, "age_band", lambda _: "over_40"),
    ("orders", of_orders, "length_band", lambda _: "to_6"),
    ("orders", Calendar, "working_days", lambda _, start, end: (end - start).days),
    ("orders", deadlines, "NOT_APPLICABLE", frozenset(LateReason)),
    (
        "orders",
        deadlines,
        "undone",
        lambda _due, ended: deadlines.State.PENDING if ended is None else "missed",
    ),
    ("orders", Statement, "of", lambda heard, event: Statement((NOON, 0, event.id[::-1], event.type, b"", ""), heard)),
    ("unpaid_work", of_work, "days_band", lambda _: "to_3_months"),
    ("unpaid_work", rules.Limits, "class_of", lambda _self, _on: "within_period"),
    ("unpaid_work", Order, "court_dates", lambda _: []),
    ("unpaid_work", Order, "excluded", property(lambda _: False)),
)


@pytest.mark.usefixtures("rules_altered")
@pytest.mark.parametrize(("service", "where", "rule", "altered"), ALTERED, ids=[rule for _, _, rule, _ in ALTERED])
def test_a_rule_that_is_altered_is_found(
    monkeypatch: pytest.MonkeyPatch, service: str, where: Any, rule: str, altered: Any
) -> None:
    """The worker and the rest of the proof would both have it wrong."""
    monkeypatch.setattr(where, rule, altered)
    found = list(recounted(books_of(service, AUTHORITY, of_scenario())))
    assert found
    assert {one.table for one in found} == {f"{service}.cells"}
