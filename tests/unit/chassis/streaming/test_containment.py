"""Faults are kept to their owner, for every place, number and batch; and what takes too long is made smaller."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.failures import Away, Fenced, Refused, TimedOut
from services.chassis.streaming.batches import (
    Fingerprint,
    Left,
    Message,
    Slice,
    SourceIdentity,
    TopicPartition,
    rest_of,
)
from services.chassis.streaming.containment import TRIES, TRIES_ALONE, Contained, Place
from tests.support.scenario import Sent

OWNERS = 6


class Books:
    """Keeps what it is given, in order, exactly once. Fails on poison, and on more than it can do in time."""

    def __init__(
        self, poison: set[tuple[str, int]], can_do: int = 10**6, slow: set[tuple[str, int]] | None = None
    ) -> None:
        self.poison, self.can_do, self.slow = poison, can_do, slow or set()
        self.kept: dict[str, list[int]] = {}
        self.parked: dict[str, Place] = {}
        self.tries: list[int] = []

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(sources, 0)

    def owner_of(self, source: TopicPartition) -> str:
        return source.topic[0]

    def park(self, place: Place, message: Message, fault: Exception) -> None:
        assert isinstance(fault, ArithmeticError | TimedOut)
        assert message.offset == place.offset
        self.parked[self.owner_of(place.source)] = place

    def held_back(self) -> Mapping[TopicPartition, int]:
        return {}

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return {}

    def process(self, slices: Sequence[Slice]) -> Left | None:
        new = [
            (part.topic, message.offset)
            for part in slices
            for message in part.messages
            if self.owner_of(part.source) not in self.parked and message.offset >= len(self.kept.get(part.topic, ()))
        ]
        self.tries.append(len(new))
        if len(new) > self.can_do or not self.slow.isdisjoint(new):
            raise TimedOut("too much")
        if not self.poison.isdisjoint(new):
            raise ArithmeticError
        for topic, offset in new:
            assert len(self.kept.setdefault(topic, [])) == offset, "nothing is left out"
            self.kept[topic].append(offset)
        return None


def fetches(topics: dict[str, int], size: int) -> list[list[Slice]]:
    longest = max(topics.values())
    return [
        [
            Slice(topic, 0, [Sent(offset, b"") for offset in range(begin, min(begin + size, number))])
            for topic, number in topics.items()
            if begin < number
        ]
        for begin in range(0, longest, size)
    ]


@st.composite
def streams(draw: st.DrawFn) -> tuple[dict[str, int], set[tuple[str, int]]]:
    topics = {f"{owner}-{kind}": draw(st.integers(1, 30)) for owner in range(OWNERS) for kind in ("orders", "work")}
    everything = [(topic, offset) for topic, number in topics.items() for offset in range(number)]
    return topics, draw(st.sets(st.sampled_from(everything), max_size=8))


def assert_contained(books: "Books", topics: dict[str, int], poison: set[tuple[str, int]]) -> None:
    """Assert that who sent poison is parked at it, with all that came before, and that everything of the others is kept."""
    hit = {topic[0] for topic, _ in poison}
    assert set(books.parked) == hit
    for topic, number in topics.items():
        if topic[0] not in hit:
            assert books.kept[topic] == list(range(number))
    for place in books.parked.values():
        topic = place.source.topic
        assert (topic, place.offset) in poison
        assert books.kept.get(topic, []) == list(range(place.offset))


@given(stream=streams(), size=st.integers(1, 40))
def test_those_without_a_fault_lose_nothing_and_the_others_stop_just_before_theirs(
    stream: tuple[dict[str, int], set[tuple[str, int]]], size: int
) -> None:
    topics, poison = stream
    books = Books(poison)
    contained = Contained(books)
    for fetch in fetches(topics, size):
        contained.process(fetch)
    assert_contained(books, topics, poison)


class Leaving(Books):
    """Takes only so many messages of each owner at once, and leaves the rest."""

    def __init__(self, poison: set[tuple[str, int]], at_once: int, can_do: int) -> None:
        super().__init__(poison, can_do)
        self.at_once = at_once

    def process(self, slices: Sequence[Slice]) -> Left:
        room, left, some = dict[str, int](), dict[TopicPartition, int](), list[Slice]()
        for part in slices:
            owner = self.owner_of(part.source)
            new = [one for one in part.messages if one.offset >= len(self.kept.get(part.topic, ()))]
            taken = new[: room.setdefault(owner, self.at_once)]
            room[owner] -= len(taken)
            if len(taken) < len(new) and owner not in self.parked:
                left[part.source] = new[len(taken)].offset
            some += [Slice(part.topic, 0, taken)] if taken else []
        super().process(some)
        return left


@given(stream=streams(), size=st.integers(1, 40), at_once=st.integers(1, 30), can_do=st.integers(40, 1000))
def test_what_is_left_of_an_owner_comes_again_and_nothing_of_it_is_processed_before(
    stream: tuple[dict[str, int], set[tuple[str, int]]], size: int, at_once: int, can_do: int
) -> None:
    """Whoever cuts and halves batches gives nothing of an owner any more of whom something was left."""
    topics, poison = stream
    books = Leaving(poison, at_once, can_do)
    contained = Contained(books)
    for fetch in fetches(topics, size):
        rest = fetch
        for _ in range(10_000):
            if not rest:
                break
            try:
                rest = rest_of(rest, contained.process(rest))
            except TimedOut:
                continue
        assert not rest
    assert_contained(books, topics, poison)


@pytest.mark.parametrize("fault", [Away("x"), Fenced("x"), Refused("x"), TimedOut("x")])
def test_what_is_nobodys_message_passes(fault: Exception) -> None:
    class Failing(Books):
        def process(self, slices: Sequence[Slice]) -> None:
            assert slices
            raise fault

    books = Failing(set())
    with pytest.raises(type(fault)):
        Contained(books).process(fetches({"0-orders": 5, "1-orders": 5}, 5)[0])
    assert books.parked == {}


@given(can_do=st.integers(1, 70), number=st.integers(1, 100))
def test_what_takes_too_long_is_tried_again_with_half_until_it_can_be_done(can_do: int, number: int) -> None:
    books = Books(set(), can_do)
    contained = Contained(books)
    (fetch,) = fetches({"0-orders": number, "1-orders": number}, 200)
    for _ in range(200):  # as the engine does: the same again, for as long as it is Away
        try:
            contained.process(fetch)
        except TimedOut:
            continue
        break
    assert {topic: len(kept) for topic, kept in books.kept.items()} == {"0-orders": number, "1-orders": number}
    assert books.parked == {}


@given(number=st.integers(1, 40), at=st.integers(0, 39))
def test_a_message_that_always_takes_too_long_holds_up_its_owner_only(number: int, at: int) -> None:
    slow = min(at, number - 1)
    books = Books(set(), slow={("0-orders", slow)})
    contained = Contained(books)
    (fetch,) = fetches({"0-orders": number, "1-orders": number, "1-work": number}, 200)
    tries = until_done(contained, fetch)
    assert books.parked == {"0": Place(fetch[0].source, slow)}
    assert books.kept.get("0-orders", []) == list(range(slow))
    assert [books.kept[topic] for topic in ("1-orders", "1-work")] == [list(range(number))] * 2
    assert tries < 12 + TRIES


def test_a_message_that_always_takes_too_long_and_is_alone_does_not_wait_for_ever() -> None:
    books = Books(set(), slow={("0-orders", 0)})
    assert until_done(Contained(books), fetches({"0-orders": 1}, 1)[0]) == TRIES_ALONE
    assert set(books.parked) == {"0"}


def test_a_database_that_is_slow_for_everybody_parks_nobody() -> None:
    books = Books(set(), can_do=0)
    contained = Contained(books)
    (fetch,) = fetches({"0-orders": 5, "1-orders": 5}, 5)
    for _ in range(5 * TRIES_ALONE):
        with pytest.raises(TimedOut):
            contained.process(fetch)
    assert books.parked == {}
    books.can_do = 10**6
    contained.process(fetch)
    assert books.kept == {"0-orders": list(range(5)), "1-orders": list(range(5))}


def until_done(contained: Contained, fetch: Sequence[Slice]) -> int:
    """Return how often it took too long before it was done: the same is tried again, as the engine does."""
    for times in range(200):
        try:
            contained.process(fetch)
        except TimedOut:
            continue
        return times + 1
    raise AssertionError("it never ends")


def test_after_a_while_batches_are_large_again() -> None:
    books = Books(set(), can_do=3)
    contained = Contained(books)
    topics = {"0-orders": 4000}
    with pytest.raises(TimedOut):
        contained.process(fetches(topics, 400)[0])
    books.can_do = 10**6
    for fetch in fetches(topics, 400):
        contained.process(fetch)
    assert max(books.tries[1:]) == 400
