"""The workbooks as people have them: opened by LibreOffice, printed on paper, and read out cell by cell."""

import csv
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from odf.opendocument import load
from odf.style import PageLayoutProperties
from odf.table import Table, TableHeaderRows
from openpyxl import load_workbook

from contracts.authorities import AUTHORITIES
from services.reporting.files.making import for_people
from services.reporting.files.ods import as_ods
from services.reporting.files.tidy import Tidy
from services.reporting.files.workbook import Sheet, workbook
from services.reporting.files.xlsx import as_xlsx
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases.index import PUBLISHED, ReleaseInfo
from services.reporting.releases.notices import Notice, NoticeKind

MADE = datetime(2026, 5, 10, 9, tzinfo=UTC)
NOTE = Notice("2026-03.1", MADE, NoticeKind.NOTE, "=SUM(A1) was written here, and is no formula. " * 3, "ann")
RELEASE = ReleaseInfo("2026-03.1", PUBLISHED, date(2026, 3, 1), date(2026, 5, 9), "", MADE, MADE, None, (NOTE,), {})
SHOWN = ("orders_imposed", "placement_within_7", "mean_hours", "unpaid_work_completed_in_time")
EVERY_SHEET_AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
CONVERT = ("soffice", "--headless", "--convert-to", EVERY_SHEET_AS_SHOWN)


def rows(name: str) -> Iterator[Tidy]:
    """Yield some years of everybody, with every mark."""
    indicator = INDICATORS[name]
    for at, code in enumerate((SCOTLAND, *AUTHORITIES)):
        for year in range(2016, 2026):
            mark = "cxz"[at % 3] if at and (at + year) % 7 == 0 else ""
            value = None if mark else 1234.0 * (at + 1) if indicator.denominator is None else 73.4
            label, days = f"{year}-{(year + 1) % 100:02d}", (date(year, 4, 1), date(year + 1, 3, 31))
            of_area = (code, AREA_NAMES[code], "authority", "year", label, *days, "", "", "")
            told = (value, None, None, None, None, mark, year == 2025, False, 1)
            fields: tuple[Any, ...] = (RELEASE.id, name, indicator.title, indicator.unit, *of_area, *told)
            yield Tidy(*fields)


@pytest.fixture(scope="module")
def sheets() -> list[Sheet]:
    return workbook(RELEASE, [(INDICATORS[name], list(rows(name))) for name in SHOWN if name in INDICATORS])


@pytest.fixture(scope="module")
def files(sheets: list[Sheet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("workbooks")
    (where / "excel.xlsx").write_bytes(as_xlsx("Orders", MADE, sheets))
    (where / "open.ods").write_bytes(as_ods("Orders", sheets))
    return where


def test_headers_are_above_their_numbers_stay_in_sight_and_are_on_every_page(files: Path, sheets: list[Sheet]) -> None:
    for sheet, page in zip(sheets, load_workbook(files / "excel.xlsx").worksheets, strict=True):
        assert (page.page_setup.orientation, page.page_setup.fitToHeight) == ("landscape", 0)
        if sheet.header:
            assert page.print_title_rows == f"${sheet.header_row}:${sheet.header_row}"
            assert page.freeze_panes == f"{'A' if sheet.text_only else 'C'}{sheet.header_row + 1}"
            heads = page[sheet.header_row]
            assert all(cell.font.b for cell in heads)
            below = page[sheet.header_row + 1]
            assert sheet.text_only or {c.alignment.horizontal for c in (*heads[2:], *below[2:])} == {"right"}


def test_the_open_document_has_headers_that_stay_in_sight_too(files: Path, sheets: list[Sheet]) -> None:
    book = load(files / "open.ods")
    tables = book.spreadsheet.getElementsByType(Table)
    assert [len(table.getElementsByType(TableHeaderRows)) for table in tables] == [bool(s.header) for s in sheets]
    assert all(
        each.getAttribute("printorientation") == "landscape" for each in book.getElementsByType(PageLayoutProperties)
    )
    assert str(book.settingsxml()).count("VerticalSplitPosition") == len(sheets) - 1


def test_what_is_made_of_the_same_figures_is_the_same_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """At any time, and whatever the process made before."""
    found = [(INDICATORS["orders_imposed"], list(rows("orders_imposed")))]
    first = [each.sha256 for each in for_people(RELEASE, found)]
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(10**9))
    assert [each.sha256 for each in for_people(RELEASE, found)] == first


@pytest.mark.parts
def test_libreoffice_shows_both_alike(files: Path, sheets: list[Sheet]) -> None:
    """One start of it for both, since that is what takes the time."""
    if which("soffice") is None:
        pytest.skip("needs LibreOffice: make workbooks")
    home = f"-env:UserInstallation=file://{files}/home"
    command = [*CONVERT, home, "excel.xlsx", "open.ods"]
    subprocess.run(command, cwd=files, check=True, capture_output=True, timeout=300)
    for sheet in sheets:
        for stem in ("excel", "open"):
            text = (files / f"{stem}-{sheet.name}.csv").read_text()
            assert list(csv.reader(StringIO(text))) == list(expected(sheet)), (stem, sheet.name)


def expected(sheet: Sheet) -> Iterator[list[str]]:
    """Yield the value as people read it."""
    width = max(1, len(sheet.header))
    for line in (sheet.title, *sheet.words):
        yield [line, *[""] * (width - 1)]
    yield from [list(sheet.header)] if sheet.header else []
    for row in sheet.rows:
        yield [f"{cell:,.{sheet.decimals}f}" if isinstance(cell, float) else f"{cell}" for cell in row]
