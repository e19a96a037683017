"""Which worker reads which topics."""

from hypothesis import given
from hypothesis import strategies as st

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
