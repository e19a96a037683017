"""Decides which worker reads which topics. Topics that share the suffix after the last "." stay together."""

from collections import defaultdict
from collections.abc import Collection, Mapping


def suffix(topic: str) -> str:
    """Return the part after the last ".", such as `S12000036` of `orders.events.S12000036`."""
    return topic.rpartition(".")[2]


def place(subscribed: Mapping[str, Collection[str]], owned: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Give every subscribed topic to one member: evenly by suffix, moving as little as possible from what was `owned`.

    A suffix goes to a member that subscribes to all of its topics, so that old and new versions can run side by side.
    """
    groups = _groups(subscribed)
    able = {name: [m for m in sorted(subscribed) if topics <= set(subscribed[m])] for name, topics in groups.items()}
    claims = {m: sorted({suffix(t) for t in owned.get(m, ()) if m in able.get(suffix(t), ())}) for m in subscribed}
    quota = _quotas(len(groups), claims)
    plan: dict[str, list[str]] = {member: [] for member in sorted(subscribed)}
    free = set(groups)
    for member, names in claims.items():
        plan[member] = [name for name in names if name in free][: quota[member]]
        free -= set(plan[member])
    for name in sorted(free & {name for name in able if able[name]}):
        plan[min(able[name], key=lambda member: len(plan[member]) - quota[member])].append(name)
    return {member: {topic for name in names for topic in groups[name]} for member, names in plan.items()}


def _groups(subscribed: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for topic in {topic for topics in subscribed.values() for topic in topics}:
        groups[suffix(topic)].add(topic)
    return dict(groups)


def _quotas(groups: int, claims: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return how many suffixes each member may hold. Members with the most claims get the remainder, so that the fewest move."""
    each, odd = divmod(groups, len(claims))
    ranked = sorted(claims, key=lambda member: (-len(claims[member]), member))
    return {member: each + (rank < odd) for rank, member in enumerate(ranked)}
