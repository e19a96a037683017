"""Trees and proofs are those of RFC 6962: by vectors that were published, and by its definitions written out once more."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest

from contracts.receipts.merkle import (
    Growing,
    Node,
    Range,
    begins_with,
    consistency,
    hashes,
    includes,
    inclusion,
    leaf_hash,
    range_hash,
)

# Leaves, roots and proofs of the tests of Certificate Transparency.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
CONSISTENCY = {
    (1, 8): INCLUSION[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
ALL, MOST = 70, 300
"""Up to which size all proofs are compared with the definition, and up to which size some of each."""
Prove = Callable[[list[Range]], list[bytes]]


def content(number: int) -> bytes:
    return b"leaf %d" % number


# The definitions of RFC 6962, 2.1 to 2.1.2, over the leaves from `start` up to `end`.
def split(start: int, end: int) -> int:
    k = 1
    while 2 * k < end - start:
        k *= 2
    return start + k


@cache
def mth(start: int, end: int) -> bytes:
    if end - start == 1:
        return sha256(b"\x00" + content(start)).digest()
    middle = split(start, end)
    return sha256(b"\x01" + mth(start, middle) + mth(middle, end)).digest()


def path(m: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = split(start, end)
    if m < middle:
        return [*path(m, start, middle), mth(middle, end)]
    return [*path(m, middle, end), mth(start, middle)]


def subproof(m: int, start: int, end: int, whole: bool) -> list[bytes]:
    if m == end:
        return [] if whole else [mth(start, end)]
    middle = split(start, end)
    if m <= middle:
        return [*subproof(m, start, middle, whole), mth(middle, end)]
    return [*subproof(m, middle, end, False), mth(start, middle)]


def grown(leaves: list[bytes]) -> tuple[Growing, dict[Node, bytes]]:
    tree, nodes = Growing(0, {}), dict[Node, bytes]()
    for leaf in leaves:
        nodes.update(tree.add(leaf_hash(leaf)))
    return tree, nodes


@pytest.fixture(scope="module")
def prove() -> Prove:
    _, nodes = grown([content(number) for number in range(MOST)])
    return lambda ranges: hashes(ranges, lambda _: nodes)


def test_trees_and_proofs_are_those_that_were_published() -> None:
    for size, root in enumerate(ROOTS, 1):
        assert grown(LEAVES[:size])[0].root.hex() == root
    tree, nodes = grown(LEAVES)
    for (number, size), told in INCLUSION.items():
        proof = hashes(inclusion(number, size), lambda _: nodes)
        assert [one.hex() for one in proof] == list(told)
        assert includes(leaf_hash(LEAVES[number]), number, size, proof, tree.root)
    for (old, new), told in CONSISTENCY.items():
        proof = hashes(consistency(old, new), lambda _: nodes)
        assert [one.hex() for one in proof] == list(told)
        assert begins_with((old, bytes.fromhex(ROOTS[old - 1])), (new, tree.root), proof)


def test_every_proof_of_every_size_is_the_definition_and_proves_that_leaf_and_beginning_only(prove: Prove) -> None:
    for size in range(1, ALL + 1):
        for number in range(size):
            check_leaf(prove, number, size)
        for old in range(1, size + 1):
            check_beginning(prove, old, size)
    for size in range(ALL + 1, MOST + 1):
        for number in {0, size // 3, size - 2, size - 1}:
            check_leaf(prove, number, size)
            check_beginning(prove, number + 1, size)


def check_leaf(prove: Prove, number: int, size: int) -> None:
    proof, leaf, root = prove(inclusion(number, size)), mth(number, number + 1), mth(0, size)
    assert proof == path(number, 0, size)
    assert includes(leaf, number, size, proof, root)
    assert not includes(leaf, (number + 1) % size, size, proof, root) or size == 1
    assert not includes(leaf, number, size, [*proof, root], root)
    assert not includes(leaf, number, size, proof[:-1], root) or size == 1


def check_beginning(prove: Prove, old: int, size: int) -> None:
    proof, before, root = prove(consistency(old, size)), mth(0, old), mth(0, size)
    assert proof == subproof(old, 0, size, True)
    assert begins_with((old, before), (size, root), proof)
    assert not begins_with((old, mth(1, old + 1)), (size, root), proof)
    assert not begins_with((old, before), (size, mth(1, size + 1)), proof)
    assert not begins_with((old, before), (size, root), [*proof, root])
    assert not begins_with((old, before), (size, root), proof[:-1]) or old == size


def test_a_tree_that_goes_on_from_its_edge_is_the_same_as_one_that_grew_at_once() -> None:
    whole, nodes = grown([content(number) for number in range(MOST)])
    for size in range(0, MOST, 7):
        rest = Growing(size, nodes)
        for number in range(size, MOST):
            list(rest.add(leaf_hash(content(number))))
        assert rest.root == whole.root
    assert range_hash(Range(0, MOST), nodes) == mth(0, MOST)


def test_what_is_no_place_in_a_tree_is_not_proven() -> None:
    leaf = leaf_hash(b"")
    assert includes(leaf, 0, 1, [], leaf)
    assert not includes(leaf, 1, 1, [], leaf)
    assert not includes(leaf, -1, 1, [], leaf)
    assert not begins_with((0, leaf), (1, leaf), [])
    assert not begins_with((2, leaf), (1, leaf), [])
    assert not begins_with((3, leaf), (4, leaf), [])
