"""What releases hold, against their hashes and against each other."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import groupby, pairwise
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from contracts.periods import add_months
from services.operations.proof.mismatch import Mismatch
from services.reporting.read.tables import release_cells, release_changes, release_files, release_hidden
from services.reporting.read.tables import releases as table

Found = Iterator[Mismatch]
_json = msgspec.json.encode
DATES = {"draft": (), "published": ("published_at",), "withdrawn": ("published_at", "withdrawn_at")}
"""What must be dated in each status."""


def releases(connection: Connection) -> Found:
    """Every release is what its hash was made of, and says of the one before what that one held."""
    rows = connection.execute(select(table).order_by(table.c.made_at)).all()
    for row in rows:
        cells = _cells(connection, row.id)
        hash_ = _hash(row, cells, _hidden(connection, row.id))
        if hash_ != row.content_hash:
            what = f"hash of cells, hidden numbers and definitions of {row.id}"
            yield Mismatch("reporting.releases", what, hash_, row.content_hash)
        yield from _dates(row, cells)
        yield from _files(connection, row.id)
        before = [one for one in rows if one.published_at is not None and one.published_at < row.made_at]
        latest = max(before, key=lambda one: one.published_at, default=None)
        yield from _changes(connection, row, cells, {} if latest is None else _cells(connection, latest.id))


def _cells(connection: Connection, name: str) -> dict[tuple[Any, ...], int]:
    c = release_cells.c
    query = select(c.measure, c.category, c.period, c.authority, c.value).where(c.release == name)
    return {tuple(key): value for *key, value in connection.execute(query)}


def _hidden(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    c = release_hidden.c
    query = select(c.measure, c.grouping, c.period, c.area).where(c.release == name)
    return sorted(tuple(row) for row in connection.execute(query))


def _hash(row: Any, cells: dict[tuple[Any, ...], int], hidden: list[tuple[Any, ...]]) -> str:
    """As services.reporting.releases.publication describes it: over everything that decides what is shown."""
    parts = [_json([row.definitions, row.heard], order="sorted")]
    parts += [_json((*key, value)) for key, value in sorted(cells.items())]
    parts += [_json(number) for number in hidden]
    return sha256(b"".join(parts)).hexdigest()


def _files(connection: Connection, name: str) -> Found:
    for file in connection.execute(select(release_files).where(release_files.c.release == name)):
        held = sha256(file.content).hexdigest(), len(file.content)
        if held != (file.sha256, file.size):
            yield Mismatch("reporting.release_files", f"{file.name} of {name}", held, (file.sha256, file.size))


def _dates(row: Any, cells: dict[tuple[Any, ...], int]) -> Found:
    dated = tuple(name for name in ("published_at", "withdrawn_at") if getattr(row, name) is not None)
    if dated != DATES.get(row.status):
        yield Mismatch("reporting.releases", f"dates of {row.id}, which is {row.status},", dated, DATES.get(row.status))
    after = add_months(row.last_month, 1)
    latest = max((period for _, _, period, _ in cells), default=row.last_month)
    if latest >= after:
        yield Mismatch("reporting.releases", f"last month of {row.id}", latest, f"before {after}")
    if not after <= row.known_on <= row.made_at.date() + timedelta(days=1):
        yield Mismatch("reporting.releases", f"day of {row.id}", row.known_on, f"{after} to {row.made_at.date()}")


def _changes(
    connection: Connection, row: Any, cells: dict[tuple[Any, ...], int], before: dict[tuple[Any, ...], int]
) -> Found:
    """The causes of one cell lead from what was released before to what is released now."""
    c = release_changes.c
    key = (c.measure, c.category, c.period, c.authority)
    query = select(*key, c.before, c.after).where(c.release == row.id).order_by(*key, c.place)
    found = (one for one in connection.execute(query) if "/" not in one.category)  # those are of definitions
    for cell, moves in groupby(found, key=lambda one: tuple(one[:4])):
        steps = [(one.before, one.after) for one in moves]
        led = (steps[0][0], steps[-1][1], all(one[1] == next_[0] for one, next_ in pairwise(steps)))
        due = (before.get(cell, 0), cells.get(cell, 0), True)
        if led != due:
            what = f"{row.id}: before and after of {'|'.join(map(str, cell))}"
            yield Mismatch("reporting.release_changes", what, led[:2], due[:2])
