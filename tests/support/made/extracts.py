"""Tables of an authority, written as its programs would write them."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from os import utime
from pathlib import Path
from typing import Any

import openpyxl
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl.utils.datetime import CALENDAR_MAC_1904

Rows = Sequence[Sequence[Any]]
Book = Mapping[str, Rows]

HEADINGS = ["Ref", "Client", "Sex", "DOB", "Court", "Date of order", "Hours", "First contact", "Ended", "Why ended"]
MAPPING = """
authority: S12000027
tables:
  - sheet: Orders
    order: Ref
    {more}
    states:
      order.imposed:
        imposed_on: Date of order
        court_type: {{column: Court, codes: {{Lerwick Sheriff: sheriff_summary}}}}
        person_ref: Client
        sex: Sex
        age_at_imposition: {{born: DOB}}
        ethnicity: {{always: not_known}}
        employment: {{always: not_known}}
        fine_default: {{always: no}}
        outside_jurisdiction: {{always: no}}
        progress_review_ordered: {{always: no}}
        requirements: [{{kind: unpaid_work, hours: Hours}}]
      contact.made: {{made_on: First contact}}
      order.ended: {{ended_on: Ended, reason: Why ended}}
"""
SESSIONS = """
  - sheet: Sessions
    order: Ref
    {more}
    states:
      session.recorded:
        ref: Session
        session_on: Day
        attendance: Attendance
        activity: {{always: unpaid_work}}
        work_type: {{always: other}}
        minutes_credited: {{column: Hours, times: 60, blank: 0}}
"""


def order(ref: str, **changes: Any) -> list[Any]:
    """Return a usual row below HEADINGS."""
    usual = {
        "Ref": ref,
        "Client": 100,
        "Sex": "M",
        "DOB": date(1990, 5, 6),
        "Court": "Lerwick Sheriff",
        "Date_of_order": date(2026, 2, 2),
        "Hours": 100,
        "First_contact": date(2026, 2, 3),
    }
    found = usual | changes
    return [found.get(heading.replace(" ", "_"), "") for heading in HEADINGS]


def mapping(path: Path, more: str = "vanished: report", sessions: str | None = None) -> Path:
    """Write a mapping of these headings."""
    text = MAPPING.format(more=more) + ("" if sessions is None else SESSIONS.format(more=sessions))
    path.write_text(text)
    return path


def xlsx(path: Path, book: Book, epoch: int = 1900) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    if epoch == 1904:
        made.epoch = CALENDAR_MAC_1904
    for name, rows in book.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append([None if cell == "" else cell for cell in row])
    made.save(path)
    return path


def xls(path: Path, book: Book, epoch: int = 1900) -> Path:
    made = xlwt.Workbook()
    made.dates_1904 = epoch == 1904
    day = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for name, rows in book.items():
        sheet = made.add_sheet(name)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if cell != "":
                    sheet.write(y, x, cell, *([day] if isinstance(cell, date) else []))
    made.save(str(path))
    return path


def ods(path: Path, book: Book) -> Path:
    made = OpenDocumentSpreadsheet()
    for name, rows in book.items():
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for cell in row:
                line.addElement(_ods_cell(cell))
            table.addElement(line)
        made.spreadsheet.addElement(table)
    made.save(str(path))
    return path


def _ods_cell(cell: Any) -> Any:
    if cell == "":
        return TableCell()
    if isinstance(cell, date):
        found = TableCell(valuetype="date", datevalue=cell.isoformat())
    elif isinstance(cell, int | float):
        found = TableCell(valuetype="float", value=str(cell))
    else:
        found = TableCell(valuetype="string")
    found.addElement(P(text=str(cell)))
    return found


def text(path: Path, rows: Rows, encoding: str = "utf-8", separator: str = ",") -> Path:
    """Write CSV with dates as a British program writes them."""
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=separator)
        writer.writerows([[f"{cell:%d/%m/%Y}" if isinstance(cell, date) else cell for cell in row] for row in rows])
    return path


def taken(path: Path, day: int, hour: int = 18) -> Path:
    """Set the time of a file as if it had been written on that day of March 2026."""
    at = datetime(2026, 3, day, hour, tzinfo=UTC).timestamp()
    utime(path, (at, at))
    return path
