"""Makes, publishes and withdraws releases. What a release holds never changes; only its status does."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from secrets import token_bytes

import msgspec
from sqlalchemy import Connection, Engine, Table, exists, insert, literal, select, update

from contracts.periods import LONDON, add_months, last_day, month_of
from services.chassis.clock import Clock
from services.chassis.database import copy_rows, transaction, unhurried
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY
from services.reporting.disclosure.rounding import NOTHING_EARLIER, CellKey, Cells, Earlier, Told, rounded, untold
from services.reporting.read.coverage import Coverage, as_stored, coverage, is_counted
from services.reporting.read.overdue import overdue_rows
from services.reporting.read.tables import cells as known_cells
from services.reporting.read.tables import public_cells, release_cells, release_changes, releases, rounding_key
from services.reporting.read.vintages import AsOf, Wanted, rows_of
from services.reporting.registry.catalogue import DEFINITIONS, INDICATORS
from services.reporting.registry.clocks import BEGINNING, OVERDUE
from services.reporting.releases.changes import Before, changes, of_scotland
from services.reporting.releases.index import DRAFT, PUBLISHED, WITHDRAWN, ReleaseInfo, last_published


class CannotRelease(Exception):
    """What was asked does not fit the state of the releases. The message says why."""


def latest_day(database: Engine, clock: Clock) -> date:
    """The last day that is over. On the very first day on which anything became known it is that day: there is no other to show."""
    today = clock().astimezone(LONDON).date()
    yesterday = today - timedelta(days=1)
    with unhurried(database) as connection:
        known_before = connection.scalar(select(exists().where(known_cells.c.known_on <= yesterday)))
        known = connection.scalar(select(exists().where(known_cells.c.known_on <= today)))
    return today if known and not known_before else yesterday


def make(
    database: Engine,
    last_month: date,
    known_on: date,
    clock: Clock,
    note: str | None = None,
    told: Told = untold,
) -> str:
    """Freeze a draft of all months up to the last, as known at the end of a day. Returns its name. `told` hears how far it is.

    What it reads and writes grows with the nation, and nobody waits for it: no statement of it has a timeout.
    """
    if not last_day(last_month) < known_on <= latest_day(database, clock):
        raise CannotRelease("A release shows whole months, as known at the end of a later day that is over")
    with unhurried(database) as connection:
        published = _published(connection)
        latest = last_published(connection)
        if latest and latest.last_month > last_month:
            raise CannotRelease("A later month was published already")
        heard = coverage(connection, AsOf(known_on))
        cells = _cells(connection, known_on, last_month, heard)
        earlier = _earlier(connection, latest)
        key = _key(connection)
    public = rounded(cells, last_month, key, earlier, told)  # takes long, so it holds no transaction open
    with unhurried(database) as connection:
        if _published(connection) != published:
            raise CannotRelease("Another release was published meanwhile; make this one again")
        name = _next_name(connection, last_month)
        frozen = _Frozen(name, last_month, known_on, heard, cells, public)
        _write(connection, frozen, clock(), note)
        if latest:
            _write_changes(connection, frozen, latest, earlier)
    return name


@dataclass(frozen=True, slots=True)
class _Frozen:
    """What a new release holds."""

    name: str
    last_month: date
    known_on: date
    heard: Coverage
    cells: Cells
    public: Cells


def publish(database: Engine, name: str, clock: Clock) -> None:
    """Make a draft public. It must have been made after the last publication, which it has to take into account."""
    with transaction(database) as connection:
        made_at = _in_status(connection, name, DRAFT)
        newest = select(releases.c.published_at).where(releases.c.published_at.is_not(None))
        if any(made_at < published for (published,) in connection.execute(newest)):
            raise CannotRelease(f"{name} was made before the last publication; make a new one")
        connection.execute(update(releases).where(releases.c.id == name).values(status=PUBLISHED, published_at=clock()))


def withdraw(database: Engine, name: str, clock: Clock, note: str) -> None:
    """Take a published release back. It stays listed, and what it told counts as known for ever."""
    with transaction(database) as connection:
        _in_status(connection, name, PUBLISHED)
        values = {"status": WITHDRAWN, "withdrawn_at": clock(), "note": note}
        connection.execute(update(releases).where(releases.c.id == name).values(**values))


def _in_status(connection: Connection, name: str, status: str) -> datetime:
    row = connection.execute(
        select(releases.c.status, releases.c.made_at).where(releases.c.id == name).with_for_update()
    ).one_or_none()
    if row is None:
        raise CannotRelease(f"There is no release {name}")
    if row.status != status:
        raise CannotRelease(f"{name} is {row.status}, not {status}")
    made_at: datetime = row.made_at
    return made_at


def _next_name(connection: Connection, last_month: date) -> str:
    # Two that are made at once must not get one name.
    connection.exec_driver_sql("LOCK TABLE releases IN SHARE ROW EXCLUSIVE MODE")
    names = set(connection.scalars(select(releases.c.id)))
    number = next(n for n in range(1, len(names) + 2) if f"{last_month:%Y-%m}.{n}" not in names)
    return f"{last_month:%Y-%m}.{number}"


def _published(connection: Connection) -> list[str]:
    """All that was ever published, in that order."""
    found = select(releases.c.id).where(releases.c.published_at.is_not(None)).order_by(releases.c.published_at)
    return list(connection.scalars(found))


def _cells(connection: Connection, known_on: date, last_month: date, heard: Coverage) -> dict[CellKey, int]:
    """Every cell that any version of an indicator is made of and that counts, services summed, zero cells left out."""
    forms = {form for each in DEFINITIONS for form in each.forms}
    wanted = Wanted(tuple(sorted({form.measure for form in forms})), last=last_day(last_month))
    cut, clocks = AsOf(known_on), {form.measure for form in forms if OVERDUE in form.categories}
    overdue = overdue_rows(cut, sorted(clocks), (BEGINNING, last_month), None, known_on)
    categories = {(form.measure, category) for form in forms for category in form.categories}
    cells: dict[CellKey, int] = {}
    for rows in (rows_of(cut, wanted), overdue):
        c = rows.c
        query = select(c.measure, c.authority, c.period, c.category, c.value)
        for measure, authority, period, category, value in connection.execute(query):
            if (measure, category) in categories and is_counted(heard, measure, authority, month_of(period)):
                key = CellKey(measure, category, period, authority)
                cells[key] = cells.get(key, 0) + value
    return {key: value for key, value in cells.items() if value}


def _earlier(connection: Connection, latest: ReleaseInfo | None) -> Earlier:
    """What the public got last. Of all that was ever published no more is needed: each release took up the one before it."""
    if latest is None:
        return NOTHING_EARLIER
    cells, published = (_frozen_cells(connection, table, latest.id) for table in (release_cells, public_cells))
    return Earlier(cells, published, latest.public)


def _frozen_cells(connection: Connection, table: Table, name: str) -> Cells:
    c = table.c
    query = select(c.measure, c.category, c.period, c.authority, c.value).where(c.release == name)
    return {CellKey(*key): value for *key, value in connection.execute(query)}


def _key(connection: Connection) -> bytes:
    """The secret of the rounding, made with the first release."""
    connection.execute(
        insert(rounding_key).from_select(["key"], select(literal(token_bytes(32))).where(~exists(select(rounding_key))))
    )
    return bytes(connection.scalars(select(rounding_key.c.key)).one())


def _write(connection: Connection, frozen: _Frozen, now: datetime, note: str | None) -> None:
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
            note=note,
        )
    )
    columns = ("release", "measure", "category", "period", "authority", "value")
    for table, cells in ((release_cells, frozen.cells), (public_cells, frozen.public)):
        copy_rows(connection, table, columns, [(frozen.name, *key, value) for key, value in cells.items()])


def _hash(cells: Cells, definitions: object) -> str:
    """SHA-256 over everything that decides what is shown."""
    digest = hashlib.sha256(msgspec.json.encode(definitions, order="sorted"))
    for key, value in sorted(cells.items()):
        digest.update(msgspec.json.encode((*key, value)))
    return digest.hexdigest()


def _write_changes(connection: Connection, frozen: _Frozen, latest: ReleaseInfo, earlier: Earlier) -> None:
    """Cell by cell, and for Scotland as the public gets it."""
    columns = ("release", "place", "measure", "category", "period", "authority", "before", "after", "why")
    whole = changes(Before(latest.last_month, earlier.cells, latest.versions), frozen.cells)
    public = Before(latest.last_month, of_scotland(earlier.published), latest.versions)
    found = chain(whole, changes(public, of_scotland(frozen.public)))
    copy_rows(
        connection, release_changes, columns, [(frozen.name, place, *change) for place, change in enumerate(found)]
    )


def default_month(clock: Clock) -> date:
    """The month before the last: by then most of what is late has come."""
    return add_months(clock().date().replace(day=1), -2)
