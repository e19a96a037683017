"""Tables as they are: kinds of file, encodings, headings, blank rows and totals."""

import os
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from contracts.generate.samples import ARRIVED
from services.connect.comparing.compare import compare
from services.connect.extracts import extent
from services.connect.extracts.sources import extracts_in
from services.connect.faults import CannotGoOn
from services.connect.home import Home
from services.connect.mapping.loading import load_mapping
from services.connect.result import ImportResult
from services.connect.state import State, Waiting
from services.connect.work import Job, check
from tests.support.made.extracts import HEADINGS, mapping, ods, order, taken, text, xls, xlsx

TWO = [HEADINGS, order("A1"), order("A2", Hours="", First_contact="")]


def told(folder: Path, file: Path, more: str = "vanished: report", **changes: str) -> tuple[list[str], int]:
    """Return what `check` says of the file."""
    made = mapping(folder / "orders.yaml", more)
    for old, new in changes.items():
        made.write_text(made.read_text().replace(old, new))
    job = Job(load_mapping(made), Home(folder / "home"), None)
    report = check(job, [taken(file, 4)])
    return report.lines, report.status


def refusals(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("Orders") or ".csv" in line]


USUAL = ["        1  contact.made, new", "        1  order.imposed, new"]


@pytest.mark.parametrize("write", [xlsx, xls, ods])
def test_workbooks(write: Callable[[Path, Any], Path], tmp_path: Path) -> None:
    file = write(tmp_path / f"o.{write.__name__}", {"Notes": [["x"]], "Orders": TWO[:2]})
    lines, status = told(tmp_path, file)
    assert lines[2:4] == USUAL
    assert status == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_of_any_encoding_and_separator(encoding: str, separator: str, tmp_path: Path) -> None:
    rows = [HEADINGS, order("A1", Court="Lèrwick Sheriff")]
    file = text(tmp_path / "o.csv", rows, encoding, separator)
    lines, status = told(tmp_path, file, Lerwick="Lèrwick")
    assert lines[1:4] == ["2 events would be sent, and a sign of life:", *USUAL]
    assert status == 0


def test_a_separator_named_in_the_first_line(tmp_path: Path) -> None:
    file = text(tmp_path / "o.csv", [HEADINGS, order("A1", Court="Nowhere, really")], separator=";")
    file.write_text("sep=;\n" + file.read_text())
    lines, _ = told(tmp_path, file)
    assert lines[0] == "o.csv!E3: court 'Nowhere, really' is not known"


def test_title_rows_blank_rows_repeated_headings_and_totals(tmp_path: Path) -> None:
    total = ["Total", "", "", "", "", "", 200]
    foot = ["", "", "", "", "", "", 200]
    rows = [
        ["Our orders"],
        [],
        ["(confidential)", "", "x"],
        HEADINGS,
        order("A1"),
        [],
        HEADINGS,
        order("A2"),
        [],
        total,
        foot,
    ]
    lines, status = told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Orders": rows}))
    assert lines[0] == "Read 4 rows of Orders. 2 rows of totals left out."
    assert lines[3:4] == ["        2  order.imposed, new"]
    assert status == 0


def test_headings_over_two_rows(tmp_path: Path) -> None:
    upper = ["", "Person", "", "", "Sentence"]
    lower = ["Ref", "Client", "Sex", "DOB", "Court", *HEADINGS[5:]]
    file = xlsx(tmp_path / "o.xlsx", {"Orders": [upper, lower, order("A1")]})
    changes = {name: f"Person {name}" for name in ("Client", "Sex", "DOB")}
    changes |= {
        name: f"Sentence {name}" for name in ("Date of order", "Hours}", "First contact", "Ended,", "Why ended")
    }
    changes["column: Court"] = "column: Sentence Court"
    _, status = told(tmp_path, file, "heading_rows: 2", **changes)
    assert status == 0


def test_columns_in_another_order_are_the_same_columns(tmp_path: Path) -> None:
    rows = [[*reversed(HEADINGS)], [*reversed(order("A1"))]]
    lines, status = told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Orders": rows}))
    assert lines[2:4] == USUAL
    assert status == 0


def test_contents_that_were_swapped_are_refused_cell_by_cell(tmp_path: Path) -> None:
    row = order("A1")
    row[4], row[5] = row[5], row[4]
    lines, status = told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, row]}))
    assert refusals(lines) == [
        "Orders!F2: date of order 'Lerwick Sheriff' is not a date",
        "Orders!E2: court '2026-02-02' is not known",
    ]
    assert status == 1


def test_a_renamed_heading_stops_everything_and_is_guessed(tmp_path: Path) -> None:
    headings = ["Court name" if one == "Court" else one for one in HEADINGS]
    with pytest.raises(CannotGoOn, match="Orders: there is no column 'Court'; did you mean 'Court name'\\?"):
        told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Orders": [headings, order("A1")]}))


def test_another_sheet_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(CannotGoOn, match=r"fits no table .* It has 'Sheet1'\. The mapping knows the sheet 'Orders'"):
        told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Sheet1": [HEADINGS, order("A1")]}))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half of it", b"\x00\x01"])
def test_a_damaged_workbook_stops_everything(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "o.xlsx").write_bytes(content)
    with pytest.raises(CannotGoOn, match="cannot be opened as a workbook"):
        told(tmp_path, tmp_path / "o.xlsx")


def test_a_stray_cell_at_the_far_corner_is_said_and_fills_no_memory(tmp_path: Path) -> None:
    """What reads workbooks makes room for the whole rectangle up to it, and ends the process if there is none."""
    for corner, words in (("XFD1048576", "XFD1048576, far from the others"), ("AMJ90000", "AMJ90000")):
        file = _with_a_cell_at(tmp_path, corner, "<v>1</v>")
        with pytest.raises(CannotGoOn, match=words):
            told(tmp_path, file)
    assert told(tmp_path, _with_a_cell_at(tmp_path, "XFD1048576", ""))[1] == 0, "a corner that was only coloured"
    told(tmp_path, _with_a_cell_at(tmp_path, "C1048576", "<v>1</v>"))


def test_a_workbook_that_unfolds_to_more_than_can_be_read_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = xlsx(tmp_path / "orders.xlsx", {"Orders": TWO[:2]})
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.bin", b"a" * 2_000_000)
    monkeypatch.setattr(extent, "MOST_BYTES", 2_000_000)
    with pytest.raises(CannotGoOn, match="unfolds to"):
        told(tmp_path, file)


REPEATED = '<table:table-cell{} office:value-type="string"><text:p>{}</text:p></table:table-cell>'
EMPTY = '<table:table-cell table:number-columns-repeated="16384"/>'
ENDLESS = {
    "rows and columns": (
        ' table:number-rows-repeated="9000"',
        REPEATED.format(' table:number-columns-repeated="9000"', "x"),
    ),
    "rows": (' table:number-rows-repeated="60000000"', REPEATED.format("", "x")),
    "columns, beyond a strange attribute": (
        "",
        REPEATED.format(' x=">" table:number-columns-repeated="60000000"', "x"),
    ),
    "a far corner": (
        ' table:number-rows-repeated="1048000"',
        f"{EMPTY}</table:table-row><table:table-row>{EMPTY}" + REPEATED.format("", "x"),
    ),
    "blanks": ("", REPEATED.format("", '<text:s text:c="900000000"/>')),
    "many blanks": ("", REPEATED.format("", '<text:s text:c="30000000"/>' * 2)),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_an_open_document_of_a_few_bytes_that_repeats_cells_without_end_is_not_opened(
    what: str, tmp_path: Path
) -> None:
    """What reads workbooks writes each of them out."""
    with pytest.raises(CannotGoOn, match="repeated so often"):
        told(tmp_path, _with_a_row(tmp_path, *ENDLESS[what]))


def test_what_spreadsheets_fill_up_to_their_edge_is_read(tmp_path: Path) -> None:
    file = _with_a_row(tmp_path, ' table:number-rows-repeated="1048574"', EMPTY)
    assert told(tmp_path, file)[0][2:4] == USUAL


def _with_a_row(folder: Path, attributes: str, cells: str) -> Path:
    """Return an OpenDocument workbook with one more row."""
    file = ods(folder / "orders.ods", {"Orders": TWO[:2]})
    row = f"<table:table-row{attributes}>{cells}</table:table-row></table:table>".encode()
    return _with_parts(file, "content.xml", b"</table:table>", row)


@pytest.mark.parametrize("write", [xlsx, ods, text])
def test_of_a_text_without_end_the_beginning_is_read(write: Callable[[Path, Any], Path], tmp_path: Path) -> None:
    """To look for a time of day at each of its blanks would take days."""
    rows = [HEADINGS, order("A1", First_contact="a" + " " * 100_000 + "b")]
    file = write(
        tmp_path / f"o.{'csv' if write is text else write.__name__}", rows if write is text else {"Orders": rows}
    )
    begun = process_time()
    assert "first contact" in refusals(told(tmp_path, file)[0])[0]
    assert process_time() - begun < 10


def _with_a_cell_at(folder: Path, place: str, held: str) -> Path:
    """Return a workbook with one more cell."""
    file = xlsx(folder / "orders.xlsx", {"Orders": TWO[:2]})
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    cell = f'<c r="{place}" s="1">{held}</c>' if held else f'<c r="{place}" s="1"/>'
    more = f'<row r="{row}">{cell}</row></sheetData>'.encode()
    return _with_parts(file, "xl/worksheets/sheet1.xml", b"</sheetData>", more)


def _with_parts(file: Path, part: str, old: bytes, new: bytes) -> Path:
    """Return the workbook with something else in one of its parts."""
    with ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


def test_a_workbook_whose_sheet_is_damaged_stops_everything(tmp_path: Path) -> None:
    whole, broken = xlsx(tmp_path / "whole.xlsx", {"Orders": TWO}), tmp_path / "o.xlsx"
    with ZipFile(whole) as old, ZipFile(broken, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with pytest.raises(CannotGoOn, match=r"o\.xlsx is damaged"):
        told(tmp_path, broken)


def test_a_label_of_totals_may_stand_under_the_reference(tmp_path: Path) -> None:
    rows = [[*reversed(row)] for row in (HEADINGS, order("A1"), ["Total", "", "", "", "", "", 100, "", "", ""])]
    lines, status = told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Orders": rows}))
    assert lines[0] == "Read 2 rows of Orders. 1 row of totals left out."
    assert status == 0


@pytest.mark.parametrize(("epoch", "serial"), [(1900, 46055), (1904, 44593)])
@pytest.mark.parametrize("write", [xlsx, xls])
def test_dates_of_both_epochs(epoch: int, serial: int, write: Callable[..., Path], tmp_path: Path) -> None:
    """A cell that is marked as a date, and days as bare numbers, are the same: a wrong epoch would put four years between."""
    row = order("A1", First_contact=serial, Ended=serial + 30, Why_ended="Completed")
    file = write(tmp_path / f"o.{write.__name__}", {"Orders": [HEADINGS, row]}, epoch=epoch)
    # Old workbooks do not say it where we could read it.
    said = {"dates: dmy": ""} if write is xlsx else {"authority:": f"epoch: {epoch}\nauthority:"}
    made = mapping(tmp_path / "orders.yaml")
    for old, new in said.items():
        made.write_text(made.read_text().replace(old, new))
    state = State(None)
    job = Job(load_mapping(made), Home(tmp_path / "home"), None)
    result = compare(job.setting(state, b"s" * 32), extracts_in(job.mapping, [taken(file, 15)], state, None), keep=True)
    assert result.status == 0
    days = {type(data).__name__: data for data in map(data_in, state.waiting(0, 10))}
    assert days["OrderImposed"].imposed_on == date(2026, 2, 2)
    assert days["ContactMade"].made_on == date(2026, 2, 2)
    assert days["OrderEnded"].ended_on == date(2026, 3, 4)
    state.close()


def data_in(waiting: Waiting) -> Any:
    event = judge(waiting.body, ARRIVED)
    assert isinstance(event, Event)
    return event.data


def test_a_date_of_birth_is_not_repeated_even_where_it_is_wrong(tmp_path: Path) -> None:
    lines, _ = told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("A1", DOB="31/02/1980")]}))
    assert lines[0] == "Orders!D2: DOB is not a date of birth"
    assert "1980" not in "".join(lines)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Ref": ""}, "Orders!A2: ref is blank"),
        ({"Client": ""}, "Orders!B2: client is blank"),
        ({"Date_of_order": ""}, "Orders!F2: date of order is blank"),
        ({"Hours": 500}, "Orders!G2: hours is refused: "),
        ({"Hours": ""}, "Orders!G2: hours is refused: neither supervision nor unpaid work"),
        ({"Date_of_order": date(2026, 3, 9)}, "Orders!F2: date of order is refused: it is after 4 March 2026"),
        ({"DOB": date(2012, 1, 1)}, "Orders!D2: DOB is refused: "),
        ({"Ended": date(2026, 3, 1)}, "Orders!J2: why ended is blank"),
    ],
)
def test_what_is_wrong_is_said_of_its_cell(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    lines, status = told(tmp_path, xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("A1", **changes)]}))
    assert any(line.startswith(words) for line in lines), lines
    assert status == 1


def test_only_its_owner_reads_what_an_import_remembers(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(Home(tmp_path / "home").open_state()):
            written = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "home").iterdir()}
    finally:
        os.umask(before)
    assert written == dict.fromkeys(["state", "state-wal", "state-shm"], 0)


def test_words_of_an_outcome_are_counted_in_plain_english() -> None:
    assert list(ImportResult().lines(done=False)) == ["Read nothing.", "0 events would be sent."]


def test_check_shows_values_as_written_and_as_read(tmp_path: Path) -> None:
    """Most of all those that are not read just as they are written; nothing that tells of a person, and no row that is left out."""
    cells = ["100", "80 hrs", "60", "1\u00a00 0", "40,0", "20"]
    rows = [HEADINGS, *(order(f"A{n}", Hours=cell, Client="Smith") for n, cell in enumerate(cells))]
    book = {"Orders": [*rows, order("Total", Hours="1 000")]}
    lines, _ = told(tmp_path, xlsx(tmp_path / "o.xlsx", book))
    assert "  Orders!G Hours, as hours: '80 hrs' is 80; '40,0' is 40; '100' is 100" in lines
    assert "  Orders!E Court, as court type: 'Lerwick Sheriff' is Sheriff summary" in lines
    assert lines[-1] == "Nothing was sent."
    assert not any(word in "".join(lines) for word in ("Smith", "1990", "Total"))


def test_what_check_shows_holds_no_cell_that_only_falls_back_and_no_reference_of_a_person(tmp_path: Path) -> None:
    rows = [HEADINGS, order("Smith/1", Court="Mrs Jones rang"), order("Smith/2")]
    lines, _ = told(
        tmp_path,
        xlsx(tmp_path / "o.xlsx", {"Orders": rows}),
        **{"order: Ref": "order: {column: Ref, keyed: true}", "column: Court": "column: Court, otherwise: not_known"},
    )
    assert "  Orders!E Court, as court type: 'Lerwick Sheriff' is Sheriff summary" in lines
    assert not any(word in "".join(lines) for word in ("Smith", "Jones"))


def test_what_was_read_is_shown_only_by_a_trial(tmp_path: Path) -> None:
    job = Job(load_mapping(mapping(tmp_path / "orders.yaml")), Home(tmp_path / "home"), None)
    file = taken(xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("A1", Hours="80 hrs")]}), 4)
    with closing(State(None)) as state:
        shown = {
            keep: compare(job.setting(state, b"s" * 32), extracts_in(job.mapping, [file], state, None), keep).samples
            for keep in (False, True)
        }
    assert shown[True] is None
    assert (shown[False] or {})["Orders!G Hours, as hours"] == {"80 hrs": "80"}
