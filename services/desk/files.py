"""Lists of tasks as files, with the same rows as the page."""

from collections.abc import Iterable, Iterator
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from services.chassis import sheets
from services.chassis.sheets import Value
from services.desk.model import WorkItem
from services.desk.today import Today, urgency

HEADINGS = ("Order", "Standard", "State", "Due on", "Working days left", "Imposed on", "Own target on")
WIDTHS = (24, 34, 14, 14, 20, 14, 16)


def rows(today: Today, tasks: Iterable[WorkItem]) -> Iterator[tuple[Value, ...]]:
    """Return a row for each task, in the order of HEADINGS."""
    for task in tasks:
        state = urgency(task, today.day).heading
        yield (
            task.subject,
            task.title,
            state,
            task.due_on,
            task.working_days_left,
            task.imposed_on,
            task.own_target_on,
        )


def as_csv(today: Today, tasks: Iterable[WorkItem]) -> bytes:
    """Return the tasks as CSV, in UTF-8 with a mark that spreadsheets know it by."""
    return sheets.as_csv([HEADINGS, *rows(today, tasks)]).encode("utf-8-sig")


def as_xlsx(today: Today, tasks: Iterable[WorkItem]) -> bytes:
    """Return the tasks as a workbook of one sheet with a header row."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "To do"
    sheets.append(sheet, [HEADINGS, *rows(today, tasks)])
    for number, width in enumerate(WIDTHS, 1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    out = BytesIO()
    book.save(out)
    return out.getvalue()
