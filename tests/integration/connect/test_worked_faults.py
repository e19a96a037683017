"""Real extracts go wrong in many ways, each tried on the three worked mappings."""

import csv
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from os import utime
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from msgspec import structs

from services.connect.faults import CannotGoOn
from services.connect.state import State
from services.connect.watch import Folder, watch
from services.connect.work import Report
from tests.integration.connect.test_worked import EXAMPLES, Desk, said
from tests.support.made.extracts import Rows, text, xlsx

Book = dict[str, list[list[Any]]]
AFTER = {"orders 2026-03-02.xlsx": "orders 2026-03-03.xlsx", "casework_20260302.xlsx": "casework_20260303.xlsx"}
"""Under which name the same table comes a day later; a return of past years keeps its own."""


class Worked(NamedTuple):
    """One worked mapping, and where its extract is spoilt."""

    mapping: str
    file: str
    table: str
    renamed: tuple[str, str]
    """A heading, and what somebody makes of it."""
    coded: tuple[str, str, str]
    """A column, a word that is not a code of it, and what is said of that cell in the first row of the table."""
    lost: list[str]
    """What cannot be said of that row meanwhile."""
    swapped: tuple[str, str]
    """Two columns that can change places."""


WORKED = [
    Worked(
        "one-row-per-order/orders.yaml", "orders 2026-03-02.xlsx", "Orders", ("Court", "Sentencing court"),
        ("Court", "Lerwik Sheriff", "Orders!G5: court 'Lerwik Sheriff' is not known; did you mean 'Lerwick Sheriff'"),
        ["order.imposed"], ("Court", "Date of order"),
    ),
    Worked(
        "one-sheet-per-event/casework.yaml", "casework_20260302.xlsx", "Orders", ("Court Name", "Court"),
        ("Gender", "Mael", "Orders!C2: gender 'Mael' is not known; did you mean"), ["order.imposed"],
        ("Court Name", "Disposal Date"),
    ),
    Worked(
        "past-years/return.yaml", "return-2021-22.csv", "return-2021-22.csv", ("dateimp", "date_imp"),
        ("court", "77", "return-2021-22.csv!G2: court '77' is not known"), ["order.imposed"], ("persid", "dateimp"),
    ),
]  # fmt: skip


@pytest.fixture(params=WORKED, ids=lambda one: Path(one.mapping).parent.name)
def worked(request: pytest.FixtureRequest) -> Worked:
    found: Worked = request.param
    return found


@pytest.fixture
def desk(worked: Worked) -> Iterator[Desk]:
    with closing(State(None)) as state:
        yield Desk(worked.mapping, state)


@pytest.fixture
def whole(worked: Worked) -> list[tuple[str, str]]:
    """Return the statements of the unspoilt extract."""
    with closing(State(None)) as state:
        return said(Desk(worked.mapping, state).morning(worked.file)[1])


Spoil = Callable[[Book], Any]


def spoilt(worked: Worked, folder: Path, spoil: Spoil, epoch: int = 1900) -> Path:
    """Return the extract with something done to its tables."""
    source = (EXAMPLES / worked.mapping).parent / worked.file
    book = read(source)
    spoil(book)
    made = folder / worked.file
    if made.suffix == ".csv":
        return text(made, book[worked.table])
    return xlsx(made, book, epoch)


def read(source: Path) -> Book:
    if source.suffix == ".csv":
        with source.open(newline="") as stream:
            return {source.name: [list(row) for row in csv.reader(stream)]}
    made = openpyxl.load_workbook(source)
    return {
        sheet.title: [[_plain(cell) for cell in row] for row in sheet.iter_rows(values_only=True)] for sheet in made
    }


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime) and cell.time() == datetime.min.time():
        return cell.date()
    return "" if cell is None else cell


def headings(rows: Rows) -> int:
    """Return the row in which the headings are: the first that is full."""
    return next(number for number, row in enumerate(rows) if sum(cell != "" for cell in row) > 4)


def column(rows: Rows, heading: str) -> int:
    return list(rows[headings(rows)]).index(heading)


def test_a_renamed_heading_stops_everything_and_is_guessed(worked: Worked, desk: Desk, tmp_path: Path) -> None:
    old, new = worked.renamed

    def spoil(book: Book) -> None:
        row = book[worked.table][headings(book[worked.table])]
        row[row.index(old)] = new

    with pytest.raises(CannotGoOn, match=f"there is no column '{old}'; did you mean '{new}'\\?"):
        desk.morning(str(spoilt(worked, tmp_path, spoil)))
    assert desk.state.waiting(0, 10) == []


def test_a_wrong_code_holds_back_its_own_fact_until_it_is_mended(
    worked: Worked, desk: Desk, whole: list[tuple[str, str]], tmp_path: Path
) -> None:
    heading, word, told = worked.coded

    def spoil(book: Book) -> None:
        rows = book[worked.table]
        rows[headings(rows) + 1][column(rows, heading)] = word

    result, events = desk.morning(str(spoilt(worked, tmp_path, spoil)))
    assert (result.status, len(result.refusals)) == (1, 1)
    assert str(result.refusals[0]).startswith(told)
    missing = sorted({*whole} - {*said(events)})
    assert [fact for _, fact in missing] == worked.lost
    mended = spoilt(worked, tmp_path, lambda _: None)
    mended = mended.rename(tmp_path / AFTER.get(worked.file, worked.file))
    later(mended)
    result, events = desk.morning(str(mended))
    assert result.status == 0
    assert said(events) == missing


def later(path: Path) -> None:
    """Make the extract look as if it were written a minute after it was."""
    at = path.stat().st_mtime + 60
    utime(path, (at, at))


def test_columns_in_another_order_are_the_same_columns(
    worked: Worked, desk: Desk, whole: list[tuple[str, str]], tmp_path: Path
) -> None:
    def spoil(book: Book) -> None:
        rows = book[worked.table]
        for row in rows[headings(rows) :]:
            row.reverse()

    result, events = desk.morning(str(spoilt(worked, tmp_path, spoil)))
    assert (result.refusals, said(events)) == ([], whole)


def test_contents_under_each_others_headings_are_refused(worked: Worked, desk: Desk, tmp_path: Path) -> None:
    """Dates are no codes and no references, and the other way round."""

    def spoil(book: Book) -> None:
        rows = book[worked.table]
        one, other = (column(rows, heading) for heading in worked.swapped)
        for row in rows[headings(rows) + 1 :]:
            row[one], row[other] = row[other], row[one]

    result, events = desk.morning(str(spoilt(worked, tmp_path, spoil)))
    assert result.status == 1
    assert "order.imposed" not in {fact for _, fact in said(events)}
    assert any("is not a date" in str(refusal) for refusal in result.refusals)


def test_a_row_of_totals_is_left_out(worked: Worked, desk: Desk, whole: list[tuple[str, str]], tmp_path: Path) -> None:
    def spoil(book: Book) -> None:
        rows = book[worked.table]
        rows.append(["Grand total", *[123] * (len(rows[headings(rows)]) - 1)])

    before = Desk(worked.mapping, State(None))
    with closing(before.state):
        totals = before.morning(worked.file)[0].totals
    result, events = desk.morning(str(spoilt(worked, tmp_path, spoil)))
    assert (result.refusals, result.totals, said(events)) == ([], totals + 1, whole)


def test_dates_that_count_from_1904_are_the_same_days(worked: Worked, tmp_path: Path) -> None:
    """A workbook says so itself. In text they are bare numbers, and the mapping says so."""
    with closing(State(None)) as state:
        usual = Desk(worked.mapping, state).morning(worked.file)[1]
    is_text = worked.file.endswith(".csv")
    with closing(State(None)) as state:
        desk = Desk(worked.mapping, state)
        if is_text:
            desk.job = replace(desk.job, mapping=structs.replace(desk.job.mapping, epoch=1904))
        result, events = desk.morning(
            str(spoilt(worked, tmp_path, numbered if is_text else lambda _: None, epoch=1904))
        )
        assert result.refusals == []
        assert [(subject, fact) for subject, fact, _ in events] == [(subject, fact) for subject, fact, _ in usual]


def numbered(book: Book) -> None:
    """Write each date of text as a number of days since 1904 began."""
    for rows in book.values():
        for row in rows:
            row[:] = [_days(cell) if cell.count("/") == 2 else cell for cell in row]


def _days(written: str) -> int:
    day, month, year = map(int, written.split("/"))
    return (date(year, month, day) - date(1904, 1, 1)) // timedelta(days=1)


def test_a_half_written_file_is_waited_for(worked: Worked, tmp_path: Path) -> None:
    content = ((EXAMPLES / worked.mapping).parent / worked.file).read_bytes()
    file, now, imported = tmp_path / worked.file, [0.0], list[bytes]()

    def do(path: Path) -> Report:
        imported.append(path.read_bytes())
        return Report([], 0)

    folder = Folder(tmp_path, quiet=10, clock=lambda: now[0])
    for size in (len(content) // 2, len(content) * 3 // 4, len(content)):
        file.write_bytes(content[:size])
        for seconds in (0, 9):
            now[0] += seconds
            watch(folder, do, lambda *_: None)
    now[0] += 10
    watch(folder, do, lambda *_: None)
    assert imported == [content]


def test_a_return_of_past_years_is_corrected_once(tmp_path: Path) -> None:
    """The corrected fact counts as recorded after the one that it corrects, though both happened years ago."""
    worked = WORKED[2]

    def corrected(book: Book) -> None:
        rows = book[worked.table]
        rows[1][column(rows, "upwhrs")] = "60"

    with closing(State(None)) as state:
        desk = Desk(worked.mapping, state)
        _, events = desk.morning(worked.file)
        first = next(time for subject, fact, time in events if (subject, fact.NAME) == ("21/0001", "order.imposed"))
        file = spoilt(worked, tmp_path, corrected)
        (event,) = desk.morning(str(file))[1]
        subject, fact, time = event
        assert (subject, fact.requirements[0].hours) == ("21/0001", 60)
        assert time > first
        assert desk.morning(str(file))[1] == []
