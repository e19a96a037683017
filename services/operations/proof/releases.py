"""Checks releases against their hashes and against each other."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import groupby, pairwise
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select

from contracts.periods import add_months
from services.operations.proof.mismatch import Mismatch
from services.reporting.read.tables import public_cells, release_cells, release_changes, release_files
from services.reporting.read.tables import releases as table

Found = Iterator[Mismatch]
Cells = dict[tuple[Any, ...], int]
SCOTLAND = "S92000003"
_json = msgspec.json.encode
DATES = {"draft": (), "published": ("published_at",), "withdrawn": ("published_at", "withdrawn_at")}
"""The dates that a release must have in each status."""


def releases(connection: Connection) -> Found:
    """Check that every release has the hash of its content, and states of the previous release what that one held."""
    rows = connection.execute(select(table).order_by(table.c.made_at)).all()
    for row in rows:
        cells, public = (_cells(connection, each, row.id) for each in (release_cells, public_cells))
        if row.whole_hash or row.status != "withdrawn":  # otherwise it was made before figures were rounded
            yield from _hashes(row, cells, public)
        yield from _dates(row, cells)
        yield from _files(connection, row.id)
        before = [one for one in rows if one.published_at is not None and one.published_at < row.made_at]
        latest = max(before, key=lambda one: one.published_at, default=None)
        earlier = [
            {} if latest is None else _cells(connection, each, latest.id) for each in (release_cells, public_cells)
        ]
        now, then = cells | _of_scotland(public), earlier[0] | _of_scotland(earlier[1])
        yield from _changes(connection, row, now, then)


def _of_scotland(cells: Cells) -> Cells:
    """Return the published cells of all authorities together."""
    found: Cells = Counter()
    for (measure, category, period, _), value in cells.items():
        found[measure, category, period, SCOTLAND] += value
    return found


def _cells(connection: Connection, held: Table, name: str) -> Cells:
    c = held.c
    query = select(c.measure, c.category, c.period, c.authority, c.value).where(c.release == name)
    return {tuple(key): value for *key, value in connection.execute(query)}


def _hashes(row: Any, cells: Cells, public: Cells) -> Found:
    for what, found, said in (("cells", cells, row.whole_hash), ("public cells", public, row.content_hash)):
        if (hash_ := _hash(row, found)) != said:
            yield Mismatch("reporting.releases", f"hash of {what} and definitions of {row.id}", hash_, said)


def _hash(row: Any, cells: Cells) -> str:
    """Return the hash that services.reporting.releases.publication describes, over everything that decides what is shown."""
    parts = [_json([row.definitions, row.heard], order="sorted")]
    parts += [_json((*key, value)) for key, value in sorted(cells.items())]
    return sha256(b"".join(parts)).hexdigest()


def _files(connection: Connection, name: str) -> Found:
    for file in connection.execute(select(release_files).where(release_files.c.release == name)):
        held = sha256(file.content).hexdigest(), len(file.content)
        if held != (file.sha256, file.size):
            yield Mismatch("reporting.release_files", f"{file.name} of {name}", held, (file.sha256, file.size))


def _dates(row: Any, cells: Cells) -> Found:
    dated = tuple(name for name in ("published_at", "withdrawn_at") if getattr(row, name) is not None)
    if dated != DATES.get(row.status):
        yield Mismatch("reporting.releases", f"dates of {row.id}, which is {row.status},", dated, DATES.get(row.status))
    after = add_months(row.last_month, 1)
    latest = max((period for _, _, period, _ in cells), default=row.last_month)
    if latest >= after:
        yield Mismatch("reporting.releases", f"last month of {row.id}", latest, f"before {after}")
    if not after <= row.known_on <= row.made_at.date() + timedelta(days=1):
        yield Mismatch("reporting.releases", f"day of {row.id}", row.known_on, f"{after} to {row.made_at.date()}")


def _changes(connection: Connection, row: Any, cells: Cells, before: Cells) -> Found:
    """Check that the causes of one cell lead from its previous value to its present one."""
    c = release_changes.c
    key = (c.measure, c.category, c.period, c.authority)
    query = select(*key, c.before, c.after).where(c.release == row.id).order_by(*key, c.place)
    found = (one for one in connection.execute(query) if "/" not in one.category)  # the others are of definitions
    for cell, moves in groupby(found, key=lambda one: tuple(one[:4])):
        steps = [(one.before, one.after) for one in moves]
        led = (steps[0][0], steps[-1][1], all(one[1] == next_[0] for one, next_ in pairwise(steps)))
        due = (before.get(cell, 0), cells.get(cell, 0), True)
        if led != due:
            what = f"{row.id}: before and after of {'|'.join(map(str, cell))}"
            yield Mismatch("reporting.release_changes", what, led[:2], due[:2])
