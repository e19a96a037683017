"""Topics that belong together are handed over in step of time, and none holds another for ever."""

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, cast

import pytest
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.fetching.abreast import PATIENCE_SECONDS, SHARE, STEP, TAKEN, Abreast
from services.chassis.streaming.fetching.bounded import FETCHED, Portion

ORDERS, SESSIONS = (TopicPartition(f"{kind}.events.S12000005", 0) for kind in ("orders", "unpaid-work"))
ELSEWHERE = TopicPartition("orders.events.S12000036", 0)


Taken = dict[Any, list[Any]]


class Record(NamedTuple):
    offset: int
    timestamp: int


class Fetcher:
    """A fetcher that knows the fetched messages, and those that Kafka has beyond them."""

    def __init__(self, fetched: Mapping[TopicPartition, int], *, missing: tuple[TopicPartition, ...] = ()) -> None:
        """Begin with so many `fetched` messages of each; they come a day apart."""
        self.held: dict[Any, list[Record]] = {
            at: [Record(offset, offset * 86_400) for offset in range(number)] for at, number in fetched.items()
        }
        self.missing, self.faults = set[Any](missing), dict[Any, KafkaError]()
        self.now, self.waited = 0.0, list[set[Any]]()
        self.abreast = Abreast(self.give, self.missing.__contains__, lambda: self.now)

    async def give(self, partitions: set[Any], timeout: float, most: int) -> dict[Any, list[Record]]:  # noqa: ASYNC109
        if timeout:
            self.waited.append(partitions)
            self.now += timeout
        for at in sorted(partitions):
            if at in self.faults:
                raise self.faults.pop(at)
            given, self.held[at] = self.held.get(at, [])[:most], self.held.get(at, [])[most:]
            if given:
                return {at: given}
        return {}

    def take(self, most: int = 50_000) -> dict[Any, list[Record]]:
        partitions = [TopicPartition(*at) for at in self.held.keys() | self.missing | self.faults.keys()]
        return without_waiting(self.abreast.take(partitions, 1.0, most))


def without_waiting(work: Coroutine[Any, Any, Taken]) -> Taken:
    """Return its result without a loop for each of thousands of calls: the fetcher never waits but moves its clock."""
    with pytest.raises(StopIteration) as done:
        work.send(None)
    return cast("Taken", done.value.value)


def ends(taken: Mapping[Any, list[Record]]) -> dict[Any, int]:
    return {at: records[-1].timestamp // 86_400 for at, records in taken.items()}


def test_no_topic_is_read_ahead_of_its_sibling() -> None:
    fetcher = Fetcher({ORDERS: 9_000, SESSIONS: 9_000})
    while taken := fetcher.take(3_000):
        reached = ends(taken)
        assert abs(reached[ORDERS] - reached[SESSIONS]) <= STEP


def test_a_topic_waits_for_its_sibling_of_which_more_is_on_its_way() -> None:
    fetcher = Fetcher({ORDERS: 9_000, SESSIONS: 1_000}, missing=(SESSIONS,))
    assert ends(fetcher.take())[ORDERS] <= 1_000 + STEP
    assert fetcher.take() == {}
    assert fetcher.waited == [{SESSIONS}]
    fetcher.held[SESSIONS] = [Record(offset, offset * 86_400) for offset in range(1_000, 9_000)]
    assert {at: len(records) for at, records in fetcher.take().items()}[SESSIONS] > 4_000


def test_one_that_cannot_be_read_holds_its_sibling_no_longer_than_that() -> None:
    fetcher = Fetcher({ORDERS: 9_000}, missing=(SESSIONS,))
    while fetcher.held[ORDERS]:
        assert fetcher.now <= PATIENCE_SECONDS
        fetcher.take()
    fetcher.held[ORDERS] = [Record(9_000, 9_000 * 86_400)]
    assert ends(fetcher.take()) == {ORDERS: 9_000}, "it is waited for once, not with every fetch"


def test_one_that_has_no_more_holds_nobody() -> None:
    fetcher = Fetcher({ORDERS: 9_000, SESSIONS: 10})
    assert ends(fetcher.take()) == {ORDERS: 8_999, SESSIONS: 9}


def test_another_authority_has_its_turn_after_a_share() -> None:
    fetcher = Fetcher({ORDERS: 5 * SHARE, ELSEWHERE: 5 * SHARE})
    assert {at: len(records) for at, records in fetcher.take(2 * SHARE).items()} == {ORDERS: SHARE, ELSEWHERE: SHARE}
    first, second = fetcher.take(SHARE), fetcher.take(SHARE)
    assert first.keys() | second.keys() == {ORDERS, ELSEWHERE}


def test_what_kafka_says_of_a_partition_comes_after_what_was_there_and_only_once() -> None:
    fetcher = Fetcher({ORDERS: 10, SESSIONS: 0})
    fetcher.faults[SESSIONS] = OffsetOutOfRangeError({SESSIONS: 3})
    assert ends(fetcher.take()) == {ORDERS: 9}
    with pytest.raises(OffsetOutOfRangeError):
        fetcher.take()
    assert fetcher.take() == {}


def test_what_kafka_says_of_a_partition_is_told_though_another_never_runs_dry() -> None:
    fetcher = Fetcher({ELSEWHERE: 9_000, SESSIONS: 0})
    fetcher.faults[SESSIONS] = OffsetOutOfRangeError({SESSIONS: 3})
    with pytest.raises(OffsetOutOfRangeError):
        list(map(fetcher.take, [100] * 5))
    assert len(fetcher.held[ELSEWHERE]) > 8_000


def test_after_a_seek_nothing_is_known_of_before() -> None:
    fetcher = Fetcher({ORDERS: 10, SESSIONS: 0})
    fetcher.faults[SESSIONS] = OffsetOutOfRangeError({SESSIONS: 3})
    fetcher.take()
    fetcher.abreast.forget()
    assert fetcher.take() == {}


def test_of_a_seek_in_the_middle_only_what_follows_it_is_handed_over() -> None:
    fetcher = Fetcher({ORDERS: 10, SESSIONS: 10})
    give = fetcher.give

    async def sought(partitions: set[Any], timeout: float, most: int) -> dict[Any, list[Record]]:  # noqa: ASYNC109
        if SESSIONS in partitions and fetcher.held[SESSIONS]:
            fetcher.abreast.forget()
        return await give(partitions, timeout, most)

    fetcher.abreast = Abreast(sought, lambda _: False, lambda: 0.0)
    assert fetcher.take().keys() == {SESSIONS}


@given(
    st.dictionaries(st.sampled_from([ORDERS, SESSIONS, ELSEWHERE]), st.integers(1, 700)),
    st.sets(st.sampled_from([ORDERS, SESSIONS, ELSEWHERE])),
    st.integers(1, 700),
)
def test_every_message_comes_once_and_in_order(
    fetched: dict[TopicPartition, int], missing: set[TopicPartition], most: int
) -> None:
    fetcher = Fetcher(fetched, missing=tuple(missing))
    came: dict[Any, list[int]] = {}
    while any(fetcher.held.values()):
        taken = fetcher.take(most)
        assert sum(map(len, taken.values())) <= most
        for at, records in taken.items():
            came.setdefault(at, []).extend(record.offset for record in records)
    assert came == {at: list(range(number)) for at, number in fetched.items()}


class Heavy(Fetcher):
    """A fetcher of messages that each take so many bytes, of which it hands over no more at once than a consumer does."""

    def __init__(self, fetched: Mapping[TopicPartition, int], each: Mapping[TopicPartition, int]) -> None:
        super().__init__(fetched)
        self.each = each

    async def give(self, partitions: set[Any], timeout: float, most: int) -> dict[Any, list[Record]]:  # noqa: ASYNC109
        (at,) = partitions if len(partitions) == 1 else (None,)
        each = self.each.get(cast("TopicPartition", at), 0)
        found = await super().give(partitions, timeout, min(most, max(1, FETCHED // each)) if each else most)
        portions = {}
        for key, records in found.items():
            portions[key] = Portion(records)
            portions[key].cost = each * len(records)
        return cast("dict[Any, list[Record]]", portions)


def test_large_messages_take_no_more_of_a_turn_than_many_small_ones() -> None:
    """A few bytes may have become much, and all of it is held, and worked on, while others wait."""
    large = FETCHED // 4
    fetcher = Heavy({ORDERS: 5_000, ELSEWHERE: 3_000}, {ORDERS: large})
    numbers = {at: len(records) for at, records in fetcher.take().items()}
    assert numbers == {ORDERS: 4, ELSEWHERE: 3_000}


def test_all_together_take_no_more_than_is_held_at_once() -> None:
    sources = [TopicPartition(f"orders.events.S120000{number}", 0) for number in range(10, 30)]
    fetcher = Heavy(dict.fromkeys(sources, 1_000), dict.fromkeys(sources, FETCHED // 2))
    seen = set[Any]()
    for _ in range(5):
        taken = fetcher.take()
        assert sum(map(len, taken.values())) * FETCHED // 2 <= TAKEN
        seen |= taken.keys()
    assert seen == set(sources), "everybody has a turn"
