"""Decides which worker reads which topics. Topics that share the suffix after the last "." stay together."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

Plan = dict[str, list[str]]
"""The suffixes of each member."""


def suffix(topic: str) -> str:
    """Return the part after the last ".", such as `S12000036` of `orders.events.S12000036`."""
    return topic.rpartition(".")[2]


def place(
    subscribed: Mapping[str, Collection[str]],
    owned: Mapping[str, Collection[str]],
    weigh: Callable[[str], int] = lambda _: 1,
) -> dict[str, set[str]]:
    """Give every subscribed topic to one member, so that no move of a suffix would make their weights more even. What was `owned` stays
    where it is unless it has to move for that.

    A suffix goes to a member that subscribes to all of its topics, so that old and new versions can run side by side.
    """
    groups = _groups(subscribed)
    weights = {name: weigh(name) for name in groups}
    able = {name: {m for m in subscribed if topics <= set(subscribed[m])} for name, topics in groups.items()}
    plan = _kept(subscribed, owned, able)
    free = {name for name in groups if able[name]}.difference(*plan.values())
    for name in sorted(free, key=lambda name: (-weights[name], name)):
        plan[min(sorted(able[name]), key=lambda member: _load(plan[member], weights))].append(name)
    while move := _best_move(plan, able, weights):
        plan[move.giver].remove(move.name)
        plan[move.taker].append(move.name)
    return {member: {topic for name in names for topic in groups[name]} for member, names in plan.items()}


class _Move(NamedTuple):
    """How much more even the weights become, as half the fall of the sum of their squares, and what moves."""

    gain: int
    name: str
    giver: str
    taker: str


def _groups(subscribed: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for topic in {topic for topics in subscribed.values() for topic in topics}:
        groups[suffix(topic)].add(topic)
    return dict(groups)


def _kept(
    subscribed: Mapping[str, Collection[str]], owned: Mapping[str, Collection[str]], able: Mapping[str, set[str]]
) -> Plan:
    """Return what each member keeps of its own; if two claim a suffix, the first of them by name."""
    plan: Plan = {}
    taken: set[str] = set()
    for member in sorted(subscribed):
        claims = {suffix(topic) for topic in owned.get(member, ())} - taken
        plan[member] = sorted(name for name in claims if member in able.get(name, ()))
        taken.update(plan[member])
    return plan


def _best_move(plan: Plan, able: Mapping[str, set[str]], weights: Mapping[str, int]) -> _Move | None:
    """Return the move that evens the weights most, or None once there is none."""
    return max(_moves(plan, able, weights), default=None)


def _moves(plan: Plan, able: Mapping[str, set[str]], weights: Mapping[str, int]) -> Iterator[_Move]:
    loads = {member: _load(names, weights) for member, names in plan.items()}
    for giver, names in plan.items():
        for name in names:
            for taker in able[name]:
                gain = weights[name] * (loads[giver] - loads[taker] - weights[name])
                if gain > 0:
                    yield _Move(gain, name, giver, taker)


def _load(names: Collection[str], weights: Mapping[str, int]) -> int:
    return sum(weights[name] for name in names)
