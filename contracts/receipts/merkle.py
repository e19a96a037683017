"""Merkle trees in the form of RFC 6962, with proofs checked as in RFC 9162. Pure.

A tree only grows. The hash of a full subtree never changes, so only those are kept, by level and number.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

Proof = Sequence[bytes]
HASH_BYTES = 32


class Node(NamedTuple):
    """A full subtree of 2^level leaves, with its number among those of its level."""

    level: int
    number: int


class Range(NamedTuple):
    """Leaves from `start` up to but not including `end`, which are a subtree."""

    start: int
    end: int


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of one leaf."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees together."""
    return sha256(b"\x01" + left + right).digest()


def full_subtrees(leaves: Range) -> list[Node]:
    """Return the full subtrees that make up a subtree, from the left."""
    found, start = [], leaves.start
    while start < leaves.end:
        level = (leaves.end - start).bit_length() - 1
        found.append(Node(level, start >> level))
        start += 1 << level
    return found


def range_hash(leaves: Range, nodes: Mapping[Node, bytes]) -> bytes:
    """Return the hash of a subtree that need not be full, from the full subtrees that make it up."""
    *lefts, whole = [nodes[node] for node in full_subtrees(leaves)]
    for left in reversed(lefts):
        whole = node_hash(left, whole)
    return whole


class Growing:
    """A tree as leaves are added. `nodes` has the full subtrees that make it up at the beginning."""

    def __init__(self, size: int, nodes: Mapping[Node, bytes]) -> None:
        self.size = size
        self._edge = {node: nodes[node] for node in full_subtrees(Range(0, size))}

    def add(self, leaf: bytes) -> Iterator[tuple[Node, bytes]]:
        """Add a leaf, and yield the full subtrees that its hash completes, its own first."""
        node, found = Node(0, self.size), leaf
        yield node, found
        while node.number % 2:
            left = self._edge.pop(Node(node.level, node.number - 1))
            node, found = Node(node.level + 1, node.number // 2), node_hash(left, found)
            yield node, found
        self._edge[node] = found
        self.size += 1

    @property
    def root(self) -> bytes:
        """Return the root of the present tree, which has at least one leaf."""
        return range_hash(Range(0, self.size), self._edge)


def inclusion(number: int, size: int) -> list[Range]:
    """Return the subtrees whose hashes prove that a leaf is in a tree, from the leaf up (RFC 6962, 2.1.1)."""
    start, end, path = 0, size, list[Range]()
    while end - start > 1:
        middle = start + _left(end - start)
        if number < middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(start, middle))
            start = middle
    return path[::-1]


def consistency(old: int, new: int) -> list[Range]:
    """Return the subtrees whose hashes prove that a tree begins with an older one of at least one leaf (RFC 6962, 2.1.2)."""
    start, end, path = 0, new, list[Range]()
    while old != end:
        middle = start + _left(end - start)
        if old <= middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(start, middle))
            start = middle
    if start:
        path.append(Range(start, end))
    return path[::-1]


def _left(leaves: int) -> int:
    """Return how many leaves the left subtree has: the largest power of two that is less."""
    return 1 << (leaves - 1).bit_length() - 1


def includes(leaf: bytes, number: int, size: int, proof: Proof, root: bytes) -> bool:
    """Return whether the proof shows that the leaf with this hash is in the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= number < size:
        return False
    at, last, found = number, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at % 2 or at == last:
            found = node_hash(sibling, found)
            at, last = _up_to_a_right_turn(at, last)
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def begins_with(old: tuple[int, bytes], new: tuple[int, bytes], proof: Proof) -> bool:
    """Return whether the proof shows that the new tree, by size and root, begins with the old one (RFC 9162, 2.1.4.2)."""
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    whole = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    return bool(whole) and _joins(old_size - 1, new_size - 1, whole, old_root) == new_root


def _joins(at: int, last: int, proof: Proof, old_root: bytes) -> bytes | None:
    """Return the root of the new tree by a proof of consistency; None if it does not give the root of the old one, or ends early."""
    while at % 2:
        at, last = at >> 1, last >> 1
    before = after = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return None
        if at % 2 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            at, last = _up_to_a_right_turn(at, last)
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    return after if last == 0 and before == old_root else None


def _up_to_a_right_turn(at: int, last: int) -> tuple[int, int]:
    """Climb past levels on which the right edge of the tree has no sibling."""
    while at and not at % 2:
        at, last = at >> 1, last >> 1
    return at, last


Lookup = Callable[[Sequence[Node]], Mapping[Node, bytes]]
"""Gives the hashes of full subtrees."""


def hashes(ranges: Sequence[Range], look_up: Lookup) -> list[bytes]:
    """Return the hashes of these subtrees, looked up together."""
    nodes = look_up([node for leaves in ranges for node in full_subtrees(leaves)])
    return [range_hash(leaves, nodes) for leaves in ranges]
