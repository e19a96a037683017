"""Duties that both services hold become one list of what needs doing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from services.desk.files import as_csv, as_xlsx, duties
from services.desk.model import AtRisk, Duties, DutyCount, NeverRecorded, WorkItem
from services.desk.today import PAGE, SECTION, Choice, Order, Today, in_order, merged, page_of, sections
from services.desk.words.never import never_recorded
from services.desk.words.urgency import TO_DO, When
from services.records.api.duties.choosing import Chosen, Place, Sorting, Urgency, by_urgency, first, numbers
from services.records.api.duties.due import Due
from services.records.model.standards import TITLES

DAY = date(2026, 3, 4)
AT_RISK = AtRisk(DAY, 0, 0.0, [], [], None)


def due(subject: str, days: int, standard: str = "plan") -> Due:
    on = DAY + timedelta(days=days)
    return Due(on, subject, standard, DAY - timedelta(days=30 + days % 3), on, None, "")


def task(subject: str, days: int, standard: str = "plan") -> WorkItem:
    return _item(Urgency.OVERDUE if days < 0 else Urgency.SOON if days else Urgency.TODAY, due(subject, days, standard))


def _item(urgency: Urgency, one: Due) -> WorkItem:
    return WorkItem(
        *(one.subject, one.imposed_on, one.standard, TITLES[one.standard], one.due_on, (one.due_on - DAY).days),
        *(When(urgency), str(Place.of(one))),
    )


def held(tasks: Sequence[WorkItem]) -> Duties:
    """Return the duties of a service that shows all of them."""
    counts = [DutyCount(one.standard, one.title, one.urgency, 1) for one in tasks]
    return Duties(DAY, DAY + timedelta(days=7), counts, [], list(tasks), None)


def asked(dues: Sequence[Due], choice: Choice, limit: int, acknowledged: set[tuple[str, str, date]]) -> Duties:
    """Return the answer of a service that holds these to that choice."""
    found = by_urgency(dues, DAY, acknowledged)
    place = Place.read(choice.after) if choice.after else None
    urgency = Urgency(choice.when) if choice.when else None
    shown = first(found, Chosen(urgency, choice.standard, Sorting(choice.order), place, limit))
    items = [_item(urgent, one) for urgent, one in shown]
    counts = [DutyCount(name, TITLES[name], When(urgent), n) for (name, urgent), n in numbers(found).items()]
    return Duties(DAY, DAY, counts, [], items, items[-1].place if urgency and len(items) == limit else None)


DUES = st.lists(
    st.builds(due, st.sampled_from(["A/1", "B/2", "=C", "D"]), st.integers(-9, 9), st.sampled_from(["plan", "review"])),
    unique=True,
)


@given(DUES, DUES, st.sampled_from(Order), st.sampled_from(["", "plan"]), st.integers(1, 7))
def test_page_by_page_every_task_comes_once_in_its_order_and_is_counted(
    orders: list[Due], work: list[Due], order: Order, standard: str, limit: int
) -> None:
    """Whichever service holds it. `limit` is what a service gives at once, and no more than a page."""
    both = (orders, [one._replace(subject=f"W{one.subject}") for one in work])
    known = {(one.subject, one.standard, one.due_on) for one in orders[::2]}
    for when in When:
        choice, found = Choice(standard=standard, when=when, order=order), list[WorkItem]()
        while True:
            today = merged([asked(one, choice, limit, known) for one in both], AT_RISK, choice)
            cut = today.tasks[:limit]  # a page as long as what each service gives
            found += cut
            if len(cut) == len(today.tasks) and today.next is None:
                break
            choice = replace(choice, after=cut[-1].place)
        assert found == in_order(found, order)
        assert len({one.place for one in found}) == len(found) == today.number(when, standard)
    assert sum(today.counts().values()) == sum(map(len, both))


def test_what_is_due_today_by_the_own_target_is_due_today() -> None:
    """Not overdue, once that has passed: the nation's day has not."""
    found = [due("A/1", 3)._replace(own_target_on=DAY + timedelta(days=days)) for days in (-1, 0, 1)]
    sorted_ = by_urgency(found, DAY, ())
    assert {urgency: some for urgency, some in sorted_.items() if some} == {
        Urgency.TODAY: [found[1]],
        Urgency.SOON: [found[0], found[2]],
    }


@given(DUES, DUES, st.sampled_from(Order))
def test_the_first_page_shows_the_first_of_each_urgency(orders: list[Due], work: list[Due], order: Order) -> None:
    choice = Choice(order=order)
    today = merged([asked(one, choice, SECTION, set()) for one in (orders, work)], AT_RISK, choice)
    everything = [
        _item(urgency, one) for urgency, some in by_urgency([*orders, *work], DAY, ()).items() for one in some
    ]
    shown = sections(today, "")
    assert [when for when, *_ in shown] == [when for when in TO_DO if today.number(when)]
    for when, tasks, count in shown:
        wanted = in_order((one for one in everything if one.urgency is when), order)
        assert count == len(wanted)
        assert [one.place for one in tasks] == [one.place for one in wanted][:SECTION]


def test_a_page_is_full_and_says_where_the_next_begins() -> None:
    choice = Choice(when=When.OVERDUE)
    tasks = in_order([task(f"A/{number}", -1 - number % 5) for number in range(PAGE + 1)], Order.DUE)
    today = merged([held(tasks), held([])], AT_RISK, choice)
    assert (today.tasks, today.next) == (tasks[:PAGE], tasks[PAGE - 1].place)
    assert merged([held(tasks[:PAGE]), held([])], AT_RISK, choice).next is None


def test_places_and_words_are_those_of_the_services() -> None:
    assert [*map(str, When)] == [*map(str, Urgency)]
    assert [*map(str, Order)] == [*map(str, Sorting)]
    place = Place(DAY, DAY - timedelta(days=1), "plan", "a reference with spaces")
    assert Place.read(str(place)) == place


def test_what_is_never_recorded_is_counted_and_told_in_one_line() -> None:
    never = NeverRecorded("review", TITLES["review"], 12, 11)
    tasks = [task("A/1", -1), *(task(f"B/{number}", -2, "review") for number in range(12))]
    of_orders = msgspec.structs.replace(held(tasks), items=tasks[:1], never_recorded=[never])
    today = merged([of_orders, held([])], AT_RISK, Choice())
    assert (today.number(When.OVERDUE), today.listed(When.OVERDUE), today.number(None)) == (13, 1, 13)
    assert (today.listed(When.OVERDUE, "review"), today.listed(When.SOON)) == (12, 0)
    assert sections(today, "") == [(When.OVERDUE, tasks[:1], 1)]
    assert [never_recorded(one) for one in today.never] == [
        "No departmental review was ever recorded by this authority: 11 orders, 12 duties overdue"
    ]


def pages(tasks: list[WorkItem]) -> Iterator[WorkItem]:
    number, last = 1, 1
    while number <= last:
        shown, last = page_of(tasks, number)
        yield from shown
        number += 1


def test_pages_hold_every_row_once_and_a_page_too_far_is_the_last() -> None:
    tasks = [task(f"A/{number}", number % 5) for number in range(2 * PAGE + 1)]
    assert list(pages(tasks)) == tasks
    assert page_of(tasks, 99) == (tasks[-1:], 3)


def test_files_hold_the_rows_of_the_page_and_no_formula() -> None:
    sheet_of_tasks = duties([task("=1+1", -1), task("B/2", 3, "placement")])
    lines = as_csv(sheet_of_tasks).decode("utf-8-sig").splitlines()
    assert lines[0] == ",".join(sheet_of_tasks.headings)
    assert lines[1].startswith(f"'=1+1,{TITLES['plan']},Overdue,2026-03-03,-1")
    sheet = load_workbook(BytesIO(as_xlsx(sheet_of_tasks))).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[0] for row in rows] == ["=1+1", "B/2"]
    assert sheet["A2"].data_type == "s"
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_what_is_at_risk_is_told_beside_the_duties() -> None:
    at_risk = msgspec.structs.replace(AT_RISK, orders=3, hours_left=90.5, caseloads=["team-2"])
    today: Today = merged([held([]), held([])], at_risk, Choice())
    assert (today.orders_at_risk, today.hours_at_risk, today.caseloads) == (3, 90.5, ["team-2"])
