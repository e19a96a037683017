"""However many facts an order has, the cache holds no more than it has room for."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.records.ingest.cache import FACTS, Cache, Key
from services.records.model.counting import Counted

SIZE = 10
KEYS = st.sampled_from([("A", f"{number}") for number in range(6)])


def counted(facts: int) -> Counted:
    record: Any = dict.fromkeys(map(str, range(facts)))
    return Counted(record, [], None)


@given(st.lists(st.tuples(KEYS, st.integers(0, 12 * FACTS)), max_size=40))
def test_facts_are_counted_and_not_orders(puts: list[tuple[Key, int]]) -> None:
    cache, latest = Cache(SIZE), dict[Key, Counted]()
    for key, facts in puts:
        latest[key] = counted(facts)
        cache.put(key, latest[key])
        held = {one: found for one in latest if (found := cache.get(one)) is not None}
        assert all(found is latest[one] for one, found in held.items())
        assert sum(1 + len(found.record) // FACTS for found in held.values()) <= SIZE
        assert key in held or 1 + facts // FACTS > SIZE


def test_the_one_that_was_used_longest_ago_makes_room() -> None:
    cache = Cache(3)
    for name in "abc":
        cache.put(("A", name), counted(1))
    cache.get(("A", "a"))
    cache.put(("A", "d"), counted(1))
    assert [name for name in "abcd" if cache.get(("A", name))] == ["a", "c", "d"]
    cache.put(("A", "large"), counted(2 * FACTS))
    assert [name for name in "abcd" if cache.get(("A", name))] == []
    cache.clear()
    for name in "abc":
        cache.put(("A", name), counted(1))
    assert all(cache.get(("A", name)) for name in "abc")
