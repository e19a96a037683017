"""Worklists of both services become one list of what needs doing."""

from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from services.desk.files import as_csv, as_xlsx, duties
from services.desk.model import WorkItem, Worklist
from services.desk.today import PAGE, Choice, Order, When, chosen, merged, page_of, sections, urgency

DAY = date(2026, 3, 4)


def task(subject: str, days: int, standard: str = "plan") -> WorkItem:
    due = DAY + timedelta(days=days)
    return WorkItem(subject, DAY - timedelta(days=30), standard, standard.title(), due, days)


def worklist(*tasks: WorkItem) -> Worklist:
    return Worklist(DAY, DAY + timedelta(days=7), list(tasks), None)


TASKS = st.lists(
    st.builds(task, st.sampled_from(["A/1", "B/2", "=C"]), st.integers(-9, 9), st.sampled_from(["plan", "review"]))
)


@given(TASKS, TASKS, st.sampled_from(Order))
def test_every_task_is_shown_once_and_counted_by_its_urgency(
    orders: list[WorkItem], work: list[WorkItem], order: Order
) -> None:
    today = merged([worklist(*orders), worklist(*work)])
    everything = chosen(today, Choice(order=order))
    assert sorted(map(repr, everything)) == sorted(map(repr, [*orders, *work]))
    assert sum(today.counts().values()) == len(everything)
    assert [each for when in When for each in chosen(today, Choice(when=when))] == sorted(
        chosen(today, Choice()), key=lambda each: list(When).index(urgency(each, DAY))
    )
    assert all(count == today.counts()[when] for when, _, count in sections(today, everything))


def pages(tasks: list[WorkItem]) -> Iterator[WorkItem]:
    number, last = 1, 1
    while number <= last:
        shown, last = page_of(tasks, number)
        yield from shown
        number += 1


def test_pages_hold_every_task_once_and_a_page_too_far_is_the_last() -> None:
    tasks = [task(f"A/{number}", number % 5) for number in range(2 * PAGE + 1)]
    assert list(pages(tasks)) == tasks
    assert page_of(tasks, 99) == (tasks[-1:], 3)


def test_files_hold_the_rows_of_the_page_and_no_formula() -> None:
    today = merged([worklist(task("=1+1", -1)), worklist(task("B/2", 3, "placement"))])
    tasks = chosen(today, Choice())
    sheet_of_tasks = duties(today, tasks)
    lines = as_csv(sheet_of_tasks).decode("utf-8-sig").splitlines()
    assert lines[0] == ",".join(sheet_of_tasks.headings)
    assert lines[1].startswith("'=1+1,Plan,Overdue,2026-03-03,-1")
    sheet = load_workbook(BytesIO(as_xlsx(sheet_of_tasks))).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[0] for row in rows] == ["=1+1", "B/2"]
    assert sheet["A2"].data_type == "s"
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
