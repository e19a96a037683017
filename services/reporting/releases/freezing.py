"""The contents of a release: every cell that counts, exact and rounded, and the changes since the previous release."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from secrets import token_bytes

import msgspec
from sqlalchemy import Connection, Table, exists, insert, literal, select

from contracts.periods import last_day, month_of
from services.chassis.database import copy_rows
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY
from services.reporting.disclosure.rounding import NOTHING_EARLIER, CellKey, Cells, Earlier
from services.reporting.read.coverage import Coverage, as_stored, is_counted
from services.reporting.read.overdue import overdue_rows
from services.reporting.read.tables import public_cells, release_cells, release_changes, releases, rounding_key
from services.reporting.read.vintages import AsOf, Wanted, rows_of
from services.reporting.registry.catalogue import DEFINITIONS, INDICATORS
from services.reporting.registry.deadlines import BEGINNING, OVERDUE
from services.reporting.releases.changes import Before, changes, of_scotland, public_changes
from services.reporting.releases.index import DRAFT, ReleaseInfo


@dataclass(frozen=True, slots=True)
class Frozen:
    """The contents of a new release."""

    name: str
    last_month: date
    known_on: date
    heard: Coverage
    cells: Cells
    public: Cells


def cells_of(connection: Connection, known_on: date, last_month: date, heard: Coverage) -> dict[CellKey, int]:
    """Return every cell that any version of an indicator uses and that counts, with services added up and zeros left out."""
    forms = {form for each in DEFINITIONS for form in each.forms}
    wanted = Wanted(tuple(sorted({form.measure for form in forms})), last=last_day(last_month))
    vintage, clocks = AsOf(known_on), {form.measure for form in forms if OVERDUE in form.categories}
    overdue = overdue_rows(vintage, sorted(clocks), (BEGINNING, last_month), None, known_on)
    categories = {(form.measure, category) for form in forms for category in form.categories}
    cells: dict[CellKey, int] = {}
    for rows in (rows_of(vintage, wanted), overdue):
        c = rows.c
        query = select(c.measure, c.authority, c.period, c.category, c.value)
        for measure, authority, period, category, value in connection.execute(query):
            if (measure, category) in categories and is_counted(heard, measure, authority, month_of(period)):
                key = CellKey(measure, category, period, authority)
                cells[key] = cells.get(key, 0) + value
    return {key: value for key, value in cells.items() if value}


def earlier(connection: Connection, latest: ReleaseInfo | None) -> Earlier:
    """Return the last public cells. No earlier release is needed, since each continued from the one before it."""
    if latest is None:
        return NOTHING_EARLIER
    cells, published = (_frozen_cells(connection, table, latest.id) for table in (release_cells, public_cells))
    return Earlier(cells, published, latest.public)


def _frozen_cells(connection: Connection, table: Table, name: str) -> Cells:
    c = table.c
    query = select(c.measure, c.category, c.period, c.authority, c.value).where(c.release == name)
    return {CellKey(*key): value for *key, value in connection.execute(query)}


def key(connection: Connection) -> bytes:
    """Return the secret of the rounding, which is made with the first release."""
    connection.execute(
        insert(rounding_key).from_select(["key"], select(literal(token_bytes(32))).where(~exists(select(rounding_key))))
    )
    return bytes(connection.scalars(select(rounding_key.c.key)).one())


def write(connection: Connection, frozen: Frozen, now: datetime) -> None:
    definitions = {
        "indicators": {indicator.id: indicator.version for indicator in INDICATORS.values()},
        "public": sorted(NATIONAL_ONLY),
    }
    heard = as_stored(frozen.heard)
    connection.execute(
        insert(releases).values(
            id=frozen.name,
            status=DRAFT,
            last_month=frozen.last_month,
            known_on=frozen.known_on,
            content_hash=_hash(frozen.public, [definitions, heard]),
            whole_hash=_hash(frozen.cells, [definitions, heard]),
            definitions=definitions,
            heard=heard,
            made_at=now,
        )
    )
    columns = ("release", "measure", "category", "period", "authority", "value")
    for table, cells in ((release_cells, frozen.cells), (public_cells, frozen.public)):
        copy_rows(connection, table, columns, [(frozen.name, *key, value) for key, value in cells.items()])


def _hash(cells: Cells, definitions: object) -> str:
    """Return the SHA-256 over everything that decides what is shown."""
    digest = hashlib.sha256(msgspec.json.encode(definitions, order="sorted"))
    for key, value in sorted(cells.items()):
        digest.update(msgspec.json.encode((*key, value)))
    return digest.hexdigest()


def write_changes(connection: Connection, frozen: Frozen, latest: ReleaseInfo, before: Earlier) -> None:
    """Write the changes cell by cell, and for Scotland as the public gets them."""
    columns = ("release", "place", "measure", "category", "period", "authority", "before", "after", "why")
    whole = changes(Before(latest.last_month, before.cells, latest.versions), frozen.cells)
    public = Before(latest.last_month, of_scotland(before.published), latest.versions)
    found = chain(whole, public_changes(public, of_scotland(frozen.public)))
    copy_rows(
        connection, release_changes, columns, [(frozen.name, place, *change) for place, change in enumerate(found)]
    )
