"""The trees in PostgreSQL: leaves, full subtrees and signed heads. They never change, except that an erasure removes the entries of its
events.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, text, tuple_, update

from contracts.receipts.merkle import Growing, Node, Range, full_subtrees, hashes, inclusion, leaf_hash
from contracts.receipts.receipt import Leaf
from services.chassis.database import copy_rows
from services.records.ingest.tables import tree_heads, tree_keys, tree_leaves, tree_nodes


class KeptHead(NamedTuple):
    """A head as it was signed, and the first offset whose event it does not include."""

    day: date
    size: int
    root: bytes
    next_offset: int
    signed: str


class NewLeaf(NamedTuple):
    """A leaf to be added."""

    event_id: str
    entry: str
    salt: bytes


def hold(connection: Connection, authority: str) -> None:
    """Lock the tree: others that want to add to it wait until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"tree {authority}", 0))))


def latest_head(connection: Connection, authority: str) -> KeptHead | None:
    """Return the latest head; None before the first day was closed."""
    return next(iter(heads(connection, authority, limit=1)), None)


def heads(connection: Connection, authority: str, before: date | None = None, limit: int = 100) -> list[KeptHead]:
    """Return the heads of days before this one, the latest first."""
    query = select(*(tree_heads.c[name] for name in KeptHead._fields)).where(tree_heads.c.authority == authority)
    if before is not None:
        query = query.where(tree_heads.c.day < before)
    return [KeptHead(*row) for row in connection.execute(query.order_by(tree_heads.c.day.desc()).limit(limit))]


def add_head(connection: Connection, authority: str, head: KeptHead) -> None:
    """Add a head, for good."""
    connection.execute(tree_heads.insert().values(authority=authority, **head._asdict()))


def public_keys(connection: Connection) -> list[Any]:
    """Return the keys by which heads are checked, the oldest first."""
    return list(connection.scalars(select(tree_keys.c.public).order_by(tree_keys.c.since)))


def nodes(connection: Connection, authority: str, wanted: Sequence[Node]) -> dict[Node, bytes]:
    """Return the hashes of full subtrees."""
    table = tree_nodes.c
    query = select(table.level, table.number, table.hash).where(table.authority == authority)
    rows = connection.execute(query.where(tuple_(table.level, table.number).in_(wanted)))
    return {Node(row.level, row.number): row.hash for row in rows}


def growing(connection: Connection, authority: str, size: int) -> Growing:
    """Return the tree as it was when it had `size` leaves, so that more can be added."""
    return Growing(size, nodes(connection, authority, full_subtrees(Range(0, size))))


def root_of(connection: Connection, authority: str, size: int) -> bytes:
    """Return the root of the tree as it was when it had `size` leaves; it must have at least that many."""
    (root,) = hashes([Range(0, size)], lambda wanted: nodes(connection, authority, wanted))
    return root


def add(connection: Connection, authority: str, tree: Growing, leaves: Sequence[NewLeaf]) -> None:
    """Add leaves, one after the other."""
    numbered = enumerate(leaves, tree.size)
    rows = [(authority, number, leaf.event_id, leaf.entry, leaf.salt) for number, leaf in numbered]
    grown = [node for leaf in leaves for node in tree.add(leaf_hash(leaf.entry.encode()))]
    copy_rows(connection, tree_leaves, ("authority", "number", "event_id", "entry", "salt"), rows)
    columns = ("authority", "level", "number", "hash")
    copy_rows(connection, tree_nodes, columns, [(authority, *node, found) for node, found in grown])


_KNOWN = text(
    "SELECT l.event_id, l.entry, l.salt FROM unnest(CAST(:ids AS text[])) AS w (id) CROSS JOIN LATERAL "
    "(SELECT * FROM tree_leaves WHERE authority = :authority AND event_id = w.id LIMIT :most) l"
)


def known(connection: Connection, authority: str, ids: Collection[str], most: int) -> Iterable[Row[Any]]:
    """Return leaves of events with these ids, with `event_id`, `entry` and `salt`: of each id so many at most."""
    return connection.execute(_KNOWN, {"authority": authority, "ids": list(ids), "most": most}).all()


def leaf_of(connection: Connection, authority: str, event_id: str, among: range) -> Leaf | None:
    """Return the first event of this id among these numbers, with its path to the root of the tree that ends
    there; None if there is none.
    """
    mine = tree_leaves.c.authority == authority, tree_leaves.c.event_id == event_id
    its = tree_leaves.c.number >= among.start, tree_leaves.c.number < among.stop
    found = connection.execute(
        select(tree_leaves).where(*mine, *its).order_by(tree_leaves.c.number).limit(1)
    ).one_or_none()
    if found is None:
        return None
    path = path_of(connection, authority, inclusion(found.number, among.stop))
    return Leaf(found.number, found.entry, found.salt.hex(), path)


def path_of(connection: Connection, authority: str, ranges: Sequence[Range]) -> list[str]:
    """Return the hashes of these subtrees, in hexadecimal."""
    return [found.hex() for found in hashes(ranges, lambda wanted: nodes(connection, authority, wanted))]


def forget(connection: Connection, ids_by_authority: Mapping[str, Collection[str]]) -> None:
    """Remove the entries of events with these ids. Their hashes stay, so that every head remains valid."""
    nothing = {"event_id": None, "entry": None, "salt": None}
    for authority, ids in ids_by_authority.items():
        mine = tree_leaves.c.authority == authority, tree_leaves.c.event_id.in_(ids)
        connection.execute(update(tree_leaves).where(*mine).values(**nothing))
