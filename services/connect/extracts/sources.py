"""Finds which table is in which file, and when the file was taken."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from hashlib import sha256
from pathlib import Path

from contracts.periods import LONDON
from services.connect.comparing.compare import Extract
from services.connect.comparing.rows import wanted
from services.connect.extracts.columns import days_in, found_headings
from services.connect.extracts.fitting import NEAR, Place, Sought, fitting, shared
from services.connect.extracts.readers import Sheet, sheets
from services.connect.extracts.struck import struck_rows
from services.connect.faults import CannotGoOn, Empty, NoTable
from services.connect.mapping.model import Heading, Mapping, Table
from services.connect.moments import in_words, local_day, micros, moment
from services.connect.state import State

_END_OF_DAY = time(23, 59, 59)
_MOST_NAMED = 12
_DAY = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_PARTS = {"%Y": r"(?P<Y>\d{4})", "%y": r"(?P<y>\d\d)", "%m": r"(?P<m>\d\d)", "%d": r"(?P<d>\d\d)",
          "%H": r"(?P<H>\d\d)", "%M": r"(?P<M>\d\d)", "%S": r"(?P<S>\d\d)"}  # fmt: skip


def extracts_in(mapping: Mapping, files: Sequence[Path], state: State, said: datetime | None) -> list[Extract]:
    """Return the tables in the files. Raises CannotGoOn if a file has no table of the mapping, or two files have the same one."""
    found = {file: list(_taken(mapping, file, state, said)) for file in files}
    names = [name for extracts in found.values() for name in {extract.name for extract in extracts}]
    for name in names:
        if names.count(name) > 1:
            raise CannotGoOn(f"{name} is in more than one of these files; give one of them, or `file` in the mapping")
    return [extract for extracts in found.values() for extract in extracts]


def _taken(mapping: Mapping, file: Path, state: State, said: datetime | None) -> list[Extract]:
    tables, content = list(_in_file(mapping, file)), digest_in(file)
    _check_apart(tables, file)
    newest = max((state.newest(extract.name) or 0 for extract in tables), default=0)
    taken = taken_at(mapping, file, state.taken(content), newest) if said is None else micros(said)
    return [replace(extract, taken=taken, content=content) for extract in tables]


def _check_apart(found: Sequence[Extract], file: Path) -> None:
    """Raise CannotGoOn if two tables of the mapping are the same in a file."""
    tables: dict[str, Table] = {}
    for extract in found:
        if tables.setdefault(extract.name, extract.table) is not extract.table:
            raise CannotGoOn(f"{file.name} fits more than one table of the mapping: give each of them its own `file`")


def taken_at(mapping: Mapping, file: Path, before: int | None, newest: int) -> int:
    """Return when the extract in a file was taken: by its name, when it was last changed, or as when it was imported before.

    Raises CannotGoOn if an earlier content comes again, and it is not clear whether the records went back to it.
    """
    changed = int(file.stat().st_mtime * 1_000_000)
    by_name = _by_name(mapping, file)
    if by_name is not None:
        return _on_the_day(micros(by_name), changed)
    if before is not None and before < newest and changed > before:
        raise CannotGoOn(
            f"{file.name} has the content of {in_words(before)}, which a later extract has replaced. "
            "If your records really went back to it, give the time when this file was taken as --taken, or its day on the page."
        )
    if before is None:
        return changed
    return max(before, changed) if before >= newest else before


def _on_the_day(end_of_day: int, changed: int) -> int:
    """Return when a file was taken whose name has only the day: when it was last changed, if that was on this day."""
    only_day = moment(end_of_day).astimezone(LONDON).time() == _END_OF_DAY
    return changed if only_day and local_day(changed) == local_day(end_of_day) else end_of_day


def digest_in(file: Path) -> bytes:
    """Return a digest of the content. Raises CannotGoOn if the file cannot be read."""
    digest = sha256()
    try:
        with file.open("rb") as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
    except OSError as fault:
        raise CannotGoOn(f"{file} cannot be read: {fault.strerror}") from None
    return digest.digest()


def _in_file(mapping: Mapping, file: Path) -> Iterator[Extract]:
    tables = [table for table in mapping.tables if table.query is None]
    there = sheets(file, mapping.encoding, mapping.separator)
    held = {sheet.number: _held(tables, sheet) for sheet in there}
    if not any(held.values()):
        raise NoTable(_fits_none(file, there, tables))
    struck = struck_rows(file)
    for number, table in enumerate(tables):
        fitting_ones = [sheet for sheet in there if number in held[sheet.number]]
        for sheet in fitting_ones:
            name, tab = _name(sheet, table), ""
            if len(fitting_ones) > 1 and table.whole:
                name, tab = table.name or ", ".join(_patterns(table)), sheet.name
            yield Extract(
                table,
                name,
                sheet.rows(),
                sheet.epoch,
                0,
                sheet=sheet.number,
                tab=tab,
                struck=struck.get(sheet.number, ()),
            )


def _held(tables: Sequence[Table], sheet: Sheet) -> list[int]:
    """Return the numbers of the tables that a sheet holds."""
    sought = [_sought(table) for table in tables]

    def share(number: int) -> float:
        wanted_ones = sought[number].headings
        try:
            found, _ = found_headings(sheet.name, sheet.rows(), wanted_ones, tables[number].heading_rows)
        except Empty:
            return NEAR
        if tables[number].across is not None and not days_in(found.texts):
            return 0.0
        return shared(found, wanted_ones)

    return fitting(sought, Place(sheet.file.name, (sheet.name,), bool(sheet.separator), sheet.number == 1), share)


def _sought(table: Table) -> Sought:
    made = () if table.across is None else (table.across.day, table.across.cell)
    headings = tuple(dict.fromkeys(heading for heading in wanted(table) if heading not in made))
    return Sought(table.file, _patterns(table), headings)


def _fits_none(file: Path, there: Sequence[Sheet], tables: Sequence[Table]) -> str:
    """Return that a file holds no table of the mapping, with what it holds and what the mapping knows."""
    known = "; ".join(_told(table) for table in tables) or "nothing but queries"
    names = ", ".join(f"'{sheet.name}'" for sheet in there)
    held = f"Its headings are {_headings_of(there[0])}." if there[0].separator else f"It has {names}."
    return (
        f"{file.name} fits no table of the mapping. {held} The mapping knows {known}. "
        "Add it to the mapping as a table of its own, or say there that it is one of these."
    )


def _told(table: Table) -> str:
    """Return how the mapping finds a table."""
    sheet = f"the sheet {' or '.join(map(repr, _patterns(table)))}" if table.sheet else ""
    file = f"the file '{table.file}'" if table.file else ""
    return (
        " in ".join(filter(None, (sheet, file)))
        or f"'{table.name or 'a table'}' with {_listed(_sought(table).headings)}"
    )


def _headings_of(sheet: Sheet) -> str:
    try:
        found, _ = found_headings(sheet.name, sheet.rows(), ())
    except Empty:
        return "none, since it is empty"
    return _listed([text.strip() for text in found.texts if text.strip()])


def _listed(headings: Sequence[Heading]) -> str:
    names = [heading if isinstance(heading, str) else heading[0] for heading in headings]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:_MOST_NAMED]) + more


def _name(sheet: Sheet, table: Table) -> str:
    """Return a name that is the same from day to day, even if the file's name has the date."""
    if not table.whole:  # each file stands for itself
        return sheet.name if sheet.separator else f"{sheet.file.stem} {sheet.name}"
    if table.name or not sheet.separator:
        return table.name or sheet.name
    return (
        table.file
        if table.file and "*" not in table.file
        else re.sub(r"[-_. ]*\d{6,}|[-_. ]*\d{4}-\d\d-\d\d", "", sheet.name)
    )


def _patterns(table: Table) -> tuple[str, ...]:
    return (table.sheet,) if isinstance(table.sheet, str) else table.sheet or ()


def _by_name(mapping: Mapping, file: Path) -> datetime | None:
    if mapping.taken is not None:
        return _by_pattern(mapping.taken, file)
    found = _DAY.search(file.stem)
    if found is None:
        return None
    try:
        day = datetime(int(found[1]), int(found[3]), int(found[4]), tzinfo=LONDON)
    except ValueError:
        return None
    return _end_of(day)


def _by_pattern(pattern: str, file: Path) -> datetime:
    form = re.escape(pattern)
    for part, group in _PARTS.items():
        form = form.replace(re.escape(part), group)
    found = re.search(form, file.name)
    if found is None:
        raise CannotGoOn(f"{file.name} does not show when it was taken in the form that the mapping gives: {pattern}")
    parts = {name: int(value) for name, value in found.groupdict().items()}
    year = parts.get("Y", 2000 + parts.get("y", 0))
    try:
        day = datetime(year, parts.get("m", 1), parts.get("d", 1), tzinfo=LONDON)
        return (
            day.replace(hour=parts["H"], minute=parts.get("M", 0), second=parts.get("S", 0)).astimezone(UTC)
            if "H" in parts
            else _end_of(day)
        )
    except ValueError as fault:
        raise CannotGoOn(f"{file.name} does not show when it was taken: {fault}") from None


def _end_of(day: datetime) -> datetime:
    return datetime.combine(day.date(), _END_OF_DAY, tzinfo=LONDON).astimezone(UTC)
