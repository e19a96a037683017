"""Which worker reads which topics."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from contracts.authorities import AUTHORITIES
from contracts.events import Topic
from contracts.topics import source_topics
from services.chassis.streaming.membership.assignor import people_of
from services.chassis.streaming.placement import place, suffix

TOPICS = [f"{kind}.events.S{number:02}" for number in range(12) for kind in ("orders", "unpaid-work")]
members = st.sets(st.sampled_from("abcdefg"), min_size=1)


def even(plan: dict[str, set[str]]) -> bool:
    sizes = [len({suffix(topic) for topic in topics}) for topics in plan.values()]
    return max(sizes) - min(sizes) <= 1


@given(members, st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.sampled_from(TOPICS))))
def test_every_topic_has_one_owner_evenly_and_pairs_stay_together(names: set[str], owned: dict[str, set[str]]) -> None:
    plan = place(dict.fromkeys(names, TOPICS), owned)
    assert sorted(topic for topics in plan.values() for topic in topics) == sorted(TOPICS)
    assert even(plan)
    owners = {topic: member for member, topics in plan.items() for topic in topics}
    assert all(owners[f"orders.events.S{n:02}"] == owners[f"unpaid-work.events.S{n:02}"] for n in range(12))


@given(members)
def test_nothing_moves_when_nothing_changes(names: set[str]) -> None:
    plan = place(dict.fromkeys(names, TOPICS), {})
    assert place(dict.fromkeys(names, TOPICS), plan) == plan


@given(members, st.sampled_from("hij"))
def test_a_newcomer_takes_its_share_and_nobody_else_gains(names: set[str], newcomer: str) -> None:
    before = place(dict.fromkeys(names, TOPICS), {})
    after = place(dict.fromkeys(names | {newcomer}, TOPICS), before)
    assert all(after[name] <= before[name] for name in names)


@given(st.sets(st.sampled_from("abcdefg"), min_size=2))
def test_what_a_leaver_had_is_all_that_moves(names: set[str]) -> None:
    before = place(dict.fromkeys(names, TOPICS), {})
    left = names - {min(names)}
    after = place(dict.fromkeys(left, TOPICS), before)
    assert all(after[name] >= before[name] for name in left)


def test_a_suffix_goes_to_a_member_that_reads_all_of_it() -> None:
    old, new = ["orders.events.S00"], ["orders.events.S00", "unpaid-work.events.S00"]
    assert place({"old": old, "new": new}, {"old": old}) == {"old": set(), "new": set(new)}


weights = st.lists(st.integers(1, 1000), min_size=12, max_size=12)
plans = st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.sampled_from(TOPICS)))


@given(members, plans, weights)
def test_no_move_would_make_the_weights_more_even(
    names: set[str], owned: dict[str, set[str]], heavy: list[int]
) -> None:
    weigh = {f"S{number:02}": weight for number, weight in enumerate(heavy)}
    plan = place(dict.fromkeys(names, TOPICS), owned, weigh.__getitem__)
    held = {member: {suffix(topic) for topic in topics} for member, topics in plan.items()}
    loads = {member: sum(map(weigh.__getitem__, of)) for member, of in held.items()}
    assert sum(map(len, held.values())) == len(weigh)
    assert all(
        loads[giver] - loads[taker] <= weigh[name]
        for giver, taker in product(held, held)
        for name in held[giver]
        if giver != taker
    )
    assert place(dict.fromkeys(names, TOPICS), plan, weigh.__getitem__) == plan


def test_two_workers_each_get_half_of_the_people_of_scotland() -> None:
    topics = [topic for kind in Topic for topic in source_topics(kind)]
    plan = place({"a": topics, "b": topics}, {"a": topics}, people_of)
    halves = [sum(people_of(code) for code in {suffix(topic) for topic in of}) for of in plan.values()]
    assert abs(halves[0] - halves[1]) <= min(one.population_thousands for one in AUTHORITIES.values())
