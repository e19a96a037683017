"""The present cells in memory, for pages with many indicators: only authorities that changed are read again."""

from collections.abc import Collection, Mapping
from datetime import date
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, or_, select

from contracts.cells import MEASURES
from services.reporting.read.coverage import Coverage, counted, overheard
from services.reporting.read.cube import Cube, Run, cube_of, read_runs
from services.reporting.read.overdue import overdue_rows
from services.reporting.read.tables import positions
from services.reporting.read.vintages import Live, Wanted, rows_of
from services.reporting.registry.deadlines import AWAITED, BEGINNING

Stands = tuple[tuple[object, ...], ...]
"""On what the cells of an authority depend: how far each service has got with it, and the present day."""
_held: WeakKeyDictionary[Engine, dict[str, tuple[Stands, list[Run]]]] = WeakKeyDictionary()
_cubes: WeakKeyDictionary[Engine, tuple[Mapping[str, Stands], Cube]] = WeakKeyDictionary()
_lock = Lock()


def live_cube(connection: Connection, heard: Coverage, today: date) -> Cube:
    """Return the cells of each authority up to its position, with those that were overdue before today in the
    months in which they count.
    """
    stands = _stands(connection, today)
    with _lock:
        known = _cubes.get(connection.engine)
        held = dict(_held.get(connection.engine, {}))
    if known is not None and known[0] == stands:
        return known[1]
    moved = [code for code, stand in stands.items() if code not in held or held[code][0] != stand]
    for code, runs in _read(connection, heard, today, moved).items():
        held[code] = stands[code], runs
    cube = cube_of(run for code in stands for run in held[code][1])
    with _lock:
        _held[connection.engine], _cubes[connection.engine] = held, (stands, cube)
    return cube


def _stands(connection: Connection, today: date) -> dict[str, Stands]:
    c = positions.c
    found: dict[str, Stands] = {}
    query = select(c.authority, c.service, c.generation, c.version).order_by(c.authority, c.service)
    for authority, *stand in connection.execute(query):
        found[authority] = (*found.get(authority, ((today,),)), tuple(stand))
    return found


def _read(connection: Connection, heard: Coverage, today: date, codes: Collection[str]) -> dict[str, list[Run]]:
    """Read runs by authority; none if an authority has nothing."""
    found: dict[str, list[Run]] = {code: [] for code in codes}
    if not codes:
        return found
    rows = rows_of(Live(), Wanted(authorities=tuple(codes)))
    past = or_(rows.c.measure.not_in(AWAITED.values()), rows.c.period < today)  # what is due later is not overdue
    silent = overheard({code: heard[code] for code in codes if code in heard}, MEASURES, date.min, date.max)
    overdue = overdue_rows(Live(), AWAITED, (BEGINNING, today), tuple(codes), today)
    for run in (
        *read_runs(connection, rows, past, counted(rows, silent)),
        *read_runs(connection, overdue, counted(overdue, silent)),
    ):
        found[run.authority].append(run)
    return found
