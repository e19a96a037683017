"""However many facts an order has, the cache holds no more than it has room for."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.records.ingest.cache import FACTS, MORE, Cache, Key, room_of
from services.records.model.counting import Counted

SIZE = 10
KEYS = st.sampled_from([("A", f"{number}") for number in range(6)])


def counted(facts: int) -> Counted:
    record: Any = dict.fromkeys(map(str, range(facts)))
    return Counted(record, [], None)


@given(st.lists(st.tuples(KEYS, st.integers(0, 3 * FACTS) | st.integers(0, FACTS)), max_size=40))
def test_facts_are_counted_and_not_orders(puts: list[tuple[Key, int]]) -> None:
    cache, latest = Cache(SIZE), dict[Key, Counted]()
    for key, facts in puts:
        latest[key] = counted(facts)
        cache.put(key, latest[key])
        held = {one: found for one in latest if (found := cache.get(one)) is not None}
        assert all(found is latest[one] for one, found in held.items())
        assert sum(room_of(len(found.record)) for found in held.values()) <= SIZE
        assert key in held or room_of(facts) > SIZE
        assert sum(len(found.record) for found in held.values()) <= SIZE * (FACTS + MORE)


def test_the_one_that_was_used_longest_ago_makes_room() -> None:
    cache = Cache(3)
    for name in "abc":
        cache.put(("A", name), counted(1))
    cache.get(("A", "a"))
    cache.put(("A", "d"), counted(1))
    assert [name for name in "abcd" if cache.get(("A", name))] == ["a", "c", "d"]
    cache.put(("A", "large"), counted(FACTS + 2 * MORE))
    assert [name for name in "abcd" if cache.get(("A", name))] == []
    cache.clear()
    for name in "abc":
        cache.put(("A", name), counted(1))
    assert all(cache.get(("A", name)) for name in "abc")
