"""Duties that both services hold become one list of what needs doing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from services.desk.files import as_csv, as_xlsx, duties
from services.desk.model.duties import Duties, DutyCount, NeverRecorded, WorkItem
from services.desk.model.hours import AtRisk
from services.desk.model.urgency import TO_DO, When
from services.desk.today import PAGE, SECTION, Choice, Order, Today, in_order, merged, page_of, sections
from services.desk.words.never_recorded import never_recorded
from services.records.api.duties.choosing import Chosen, Place, Sorting, Urgency, by_urgency, first, numbers
from services.records.api.duties.due import Due
from services.records.model.standards import TITLES

DAY = date(2026, 3, 4)
UNTIL = DAY + timedelta(days=7)
AT_RISK = AtRisk(DAY, 0, 0.0, [], [], None)


def due(subject: str, days: int, standard: str = "plan") -> Due:
    on = DAY + timedelta(days=days)
    return Due(on, subject, standard, DAY - timedelta(days=30 + days % 3), on, None, "")


def task(subject: str, days: int, standard: str = "plan") -> WorkItem:
    return _item(Urgency.OVERDUE if days < 0 else Urgency.SOON if days else Urgency.TODAY, due(subject, days, standard))


def _item(urgency: Urgency, one: Due) -> WorkItem:
    return WorkItem(
        *(one.subject, one.imposed_on, one.standard, TITLES[one.standard], one.due_on, (one.by - DAY).days),
        *(When(urgency), str(Place.of(one)), one.by, one.own_target_on),
    )


def held(tasks: Sequence[WorkItem]) -> Duties:
    """Return the duties of a service that shows all of them."""
    counts = [DutyCount(one.standard, one.title, one.urgency, 1) for one in tasks]
    return Duties(DAY, UNTIL, counts, [], list(tasks), None)


def asked(dues: Sequence[Due], choice: Choice, limit: int, acknowledged: set[tuple[str, str, date]]) -> Duties:
    """Return the answer of a service that holds these to that choice."""
    found = by_urgency(dues, DAY, UNTIL, acknowledged)
    place = Place.read(choice.after) if choice.after else None
    urgency = Urgency(choice.when) if choice.when else None
    shown = first(found, Chosen(urgency, choice.standard, Sorting(choice.order), place, limit))
    items = [_item(urgent, one) for urgent, one in shown]
    counts = [DutyCount(name, TITLES[name], When(urgent), n) for (name, urgent), n in numbers(found).items()]
    return Duties(DAY, UNTIL, counts, [], items, items[-1].place if urgency and len(items) == limit else None)


PLAIN = st.builds(
    due, st.sampled_from(["A/1", "B/2", "=C", "D"]), st.integers(-9, 9), st.sampled_from(["plan", "review"])
)


def with_own_target(one: Due, days: int | None) -> Due:
    """Return the duty as a worklist has it: one whose own target is not due by then either is not in it."""
    own = None if days is None or one.standard != "plan" else DAY + timedelta(days=days)
    return one._replace(own_target_on=own, by=min(one.due_on, own or one.due_on))


TARGETED = st.builds(with_own_target, PLAIN, st.none() | st.integers(-9, 9)).filter(lambda one: one.by <= UNTIL)
DUES = st.lists(
    TARGETED, unique_by=lambda one: (one.subject, one.standard, one.due_on if one.standard == "review" else None)
)
"""An order has many reviews, of which none has a target, and one plan."""


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


WITHIN: dict[When, Callable[[date], bool]] = {
    When.TODAY: lambda day: day == DAY,
    When.SOON: lambda day: DAY < day <= UNTIL,
    When.PAST_TARGET: lambda day: day < DAY,
    When.OVERDUE: lambda day: day < DAY,
    When.ACKNOWLEDGED: lambda day: day < DAY,
}
"""The days that each heading names."""


@given(DUES, st.sampled_from(Order))
def test_every_row_shows_a_day_that_its_heading_names(dues: list[Due], order: Order) -> None:
    """That of the own target or of the nation, one of which it is; and no duty is in two lists, or in none."""
    known = {(one.subject, one.standard, one.due_on) for one in dues[::2]}
    listed = 0
    for when, within in WITHIN.items():
        choice = Choice(when=when, order=order)
        today = merged([asked(dues, choice, PAGE, known)], AT_RISK, choice)
        for shown in today.tasks:
            assert within(shown.day)
            assert shown.day in (shown.due_on, shown.own_target_on)
            assert (shown.working_days_left < 0) == (shown.day < DAY)
            assert (shown.due_on < DAY) == (when in (When.OVERDUE, When.ACKNOWLEDGED))
            assert when is not When.PAST_TARGET or shown.due_on > UNTIL
        listed += len(today.tasks)
    assert listed == len(dues)


def test_what_is_due_today_by_the_own_target_is_due_today() -> None:
    """Not overdue, once that has passed: the nation's day has not."""
    found = [with_own_target(due("A/1", 3), days) for days in (-1, 0, 1)]
    far = with_own_target(due("B/2", 8), -1)
    by = {
        urgency: [(one.subject, one.by) for one in some]
        for urgency, some in by_urgency([*found, far], DAY, UNTIL, ()).items()
        if some
    }
    assert by == {
        Urgency.TODAY: [("A/1", DAY)],
        Urgency.SOON: [("A/1", DAY + timedelta(days=3)), ("A/1", DAY + timedelta(days=1))],
        Urgency.PAST_TARGET: [("B/2", DAY - timedelta(days=1))],
    }


@given(DUES, DUES, st.sampled_from(Order))
def test_the_first_page_shows_the_first_of_each_urgency(orders: list[Due], work: list[Due], order: Order) -> None:
    choice = Choice(order=order)
    today = merged([asked(one, choice, SECTION, set()) for one in (orders, work)], AT_RISK, choice)
    everything = [
        _item(urgency, one) for urgency, some in by_urgency([*orders, *work], DAY, UNTIL, ()).items() for one in some
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
