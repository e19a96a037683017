"""Habits of offices: several sheets for one table, a column for each day, words for nothing, sub-headings, decimal commas."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.styles import Font

from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from contracts.events import SessionRecorded
from contracts.generate.samples import ARRIVED
from services.connect.comparing.compare import compare
from services.connect.extracts.cells import says_nothing
from services.connect.extracts.sources import extracts_in, taken_at
from services.connect.faults import CannotGoOn, NoTable, Unread
from services.connect.form.placing import placed
from services.connect.form.showing import tables_of
from services.connect.form.tree import remarks_in, tree_of, written
from services.connect.home import Home
from services.connect.mapping.loading import read_mapping
from services.connect.mapping.transforms import whole_in
from services.connect.result import ImportResult
from services.connect.state import State
from services.connect.work import Job, looked_at, proposed
from tests.support.made.extracts import HEADINGS, Rows, mapping, order, taken, text, xlsx

MONTHS = ("Apr 26", "May 26", "Jun 26")


class Imports:
    """One mapping, and what has been sent so far."""

    def __init__(self, folder: Path, yaml: str) -> None:
        self.job, self.state, self.last = Job(read_mapping(yaml, "m"), Home(folder / "home"), None), State(None), 0

    def take(self, *files: Path) -> tuple[ImportResult, list[Event]]:
        """Return the result of an import, and its events but for signs of life."""
        extracts = extracts_in(self.job.mapping, files, self.state, None)
        result = compare(self.job.setting(self.state, b"k" * 32), extracts, keep=True)
        new = self.state.waiting(self.last, 10_000)
        self.last = new[-1].place if new else self.last
        events = [event for one in new if isinstance(event := judge(one.body, ARRIVED), Event)]
        return result, [event for event in events if event.subject != "-"]


def with_orders(folder: Path, sheet: str = "Orders", more: str = "vanished: report") -> str:
    made = mapping(folder / "orders.yaml", more).read_text()
    return made.replace("sheet: Orders", f"sheet: {sheet}")


def months(**rows: list[Any]) -> dict[str, list[Any]]:
    """Return a workbook with a sheet for each month."""
    return {"Notes": [["x"]], **{name: [HEADINGS, *rows.get(name[:3], [])] for name in MONTHS}}


@pytest.mark.parametrize("sheet", ['"* 26"', "[Apr 26, May 26, Jun 26]"])
def test_sheets_that_fit_are_one_table(sheet: str, tmp_path: Path) -> None:
    office = Imports(tmp_path, with_orders(tmp_path, sheet, "vanished: withdraw"))
    first = months(
        Apr=[order("A1")], May=[order("A2"), order("A3", Court="Nowhere")], Jun=[order("A4", Court="Nowhere")]
    )
    result, events = office.take(taken(xlsx(tmp_path / "1.xlsx", first), 2))
    assert {event.subject for event in events if event.data.NAME == "order.imposed"} == {"A1", "A2"}
    assert dict(result.rows) == {"Apr 26": 1, "May 26": 2, "Jun 26": 1}
    assert next(iter(result.lines(done=True))) == "May 26!E3; Jun 26!E2: court 'Nowhere' is not known"
    moved = months(Apr=[order("A1"), order("A2")], Jun=[order("A4"), order("A3")])
    _, events = office.take(taken(xlsx(tmp_path / "2.xlsx", moved), 3))
    assert {(event.subject, event.data.NAME) for event in events} == {
        (subject, name) for subject in ("A3", "A4") for name in ("order.imposed",)
    }, "a row that moved to another sheet is not gone"
    gone = {name: rows for name, rows in moved.items() if name != "Apr 26"}
    _, events = office.take(taken(xlsx(tmp_path / "3.xlsx", gone), 4))
    assert {(event.subject, event.data.NAME) for event in events} == {(one, "fact.withdrawn") for one in ("A1", "A2")}


def test_orders_of_other_sheets_of_the_table_are_known(tmp_path: Path) -> None:
    yaml = (
        mapping(tmp_path / "m.yaml", "vanished: report", "vanished: withdraw")
        .read_text()
        .replace("sheet: Orders", 'sheet: "* 26"')
    )
    sessions = [["Ref", "Session", "Day", "Attendance", "Hours"], ["A1", "s1", date(2026, 2, 20), "Attended", 5]]
    sessions += [["A2", "s2", date(2026, 2, 20), "Attended", 5], ["A3", "s3", date(2026, 2, 20), "Attended", 5]]
    book = months(Apr=[order("A1")], Jun=[order("A2")]) | {"Sessions": sessions}
    result, _ = Imports(tmp_path, yaml).take(taken(xlsx(tmp_path / "1.xlsx", book), 2))
    assert result.remarks == [
        "Sessions!A4: order 'A3' is not in any table of orders and was never sent; did you mean 'A1' or 'A2'?"
    ]


ACROSS = """
authority: S12000027
tables:
  - sheet: Squad
    order: Ref
    across: {day: Day, cell: Mark}
    vanished: withdraw
    states:
      session.recorded:
        ref: {joined: [Day]}
        session_on: Day
        attendance: {column: Mark, codes: {P: attended, S: absent_acceptable_medical}}
        activity: {always: unpaid_work}
        work_type: {always: gardening}
        minutes_credited: {column: Mark, codes: {P: "6", S: "0"}, times: 60}
"""


def squad(*rows: list[Any]) -> dict[str, list[Any]]:
    days = [date(2026, 2, 2), date(2026, 2, 9), "16/02/2026"]
    return {"Squad": [["Saturday squad"], ["Ref", "Name", *days, "Total"], *rows]}


def test_a_column_for_each_day(tmp_path: Path) -> None:
    office = Imports(tmp_path, ACROSS)
    book = squad(["A1", "Nobody", "P", "S", "P", 2], ["A2", "Nobody", "", "-", "Q", 1])
    result, events = office.take(taken(xlsx(tmp_path / "1.xlsx", book), 28))
    told = {}
    for event in events:
        assert isinstance(event.data, SessionRecorded)
        told[event.subject, event.data.session_on.day] = event.data.minutes_credited
    assert told == {("A1", 2): 360, ("A1", 9): 0, ("A1", 16): 360}
    assert str(result.refusals[0]).startswith("Squad!E4: mark 'Q' is not known")
    cleared = squad(["A1", "Nobody", "", "S", "P", 2], ["A2", "Nobody", "", "-", "P", 1])
    _, events = office.take(taken(xlsx(tmp_path / "2.xlsx", cleared), 29))
    assert sorted((event.subject, event.data.NAME) for event in events) == [
        ("A1", "fact.withdrawn"),
        ("A2", "session.recorded"),
    ]


def test_a_table_without_days_across_says_so(tmp_path: Path) -> None:
    book = {"Squad": [["Ref", "Day", "Mark"], ["A1", "x", "P"]]}
    with pytest.raises(CannotGoOn, match="no heading in row 1 is a date"):
        Imports(tmp_path, ACROSS).take(taken(xlsx(tmp_path / "1.xlsx", book), 28))


def test_days_across_and_sheets_of_months_are_proposed(tmp_path: Path) -> None:
    heads = ["Ref", "Attendance note"]
    days = {m: [f"{day:02}/{m:02}/2026" for day in (1, 8, 15)] for m in (4, 5)}
    book = {
        f"{name} squad": [[*heads, *days[m]], ["A/1", "", "Attended", "", "Sick"]]
        for m, name in ((4, "Apr"), (5, "May"))
    }
    said = proposed([xlsx(tmp_path / "squad.xlsx", book)], "S12000027")
    assert '  - sheet: "* squad"  # DOUBT: 2 sheets with the same headings are one table: Apr squad, May squad' in said
    assert 'across: {day: "Session date", cell: "Attendance"}  # 6 columns are days' in said
    assert '        session_on: "Session date"' in said
    assert '        attendance: "Attendance"' in said


def test_sheets_with_the_same_headings_are_proposed_once(tmp_path: Path) -> None:
    said = proposed(
        [xlsx(tmp_path / "o.xlsx", months(Apr=[order("A1")], May=[order("A2")], Jun=[order("A3")]))], "S12000027"
    )
    assert said.count("order.imposed:") == 1
    assert "3 sheets with the same headings" in said
    assert "# 3 references in 3 rows" in said
    apart = {"Old 26": [["Something"], ["else"]]} | months(Apr=[order("A1")], May=[order("A2")])
    said = proposed([xlsx(tmp_path / "p.xlsx", apart)], "S12000027")
    assert 'sheet: ["Apr 26", "May 26", "Jun 26"]' in said, "a pattern would take in another sheet"


@pytest.mark.parametrize("word", ["n/a", "N/A", "-", "\u2013", "TBC", "to be confirmed", " ", "--"])
def test_words_for_nothing_count_as_an_empty_cell(word: str, tmp_path: Path) -> None:
    office = Imports(
        tmp_path, with_orders(tmp_path).replace("hours: Hours", "hours: Hours}, {kind: supervision, months: Ended")
    )
    result, events = office.take(
        taken(xlsx(tmp_path / "1.xlsx", {"Orders": [HEADINGS, order("A1", First_contact=word, Ended=word)]}), 4)
    )
    assert [event.data.NAME for event in events] == ["order.imposed"]
    assert result.refusals == []
    nobody = xlsx(tmp_path / "2.xlsx", {"Orders": [HEADINGS, order("A2", Client=word), order(word or "x")]})
    result, events = office.take(taken(nobody, 5))
    assert [event.subject for event in events if event.subject == "A2" and event.data.NAME == "order.imposed"] == []
    assert "Orders!B2: client is blank" in [str(one) for one in result.refusals], "two of them would be one person"
    assert "Orders!A3: ref is blank" in [str(one) for one in result.refusals]


@pytest.mark.parametrize("cell", ["?", "✓", "0", "no", "none", "x", "A-1", 0, False, "n"])
def test_other_words_say_something(cell: Any) -> None:
    assert not says_nothing(cell)


def test_what_else_stands_for_nothing_and_what_does_not(tmp_path: Path) -> None:
    yaml = with_orders(tmp_path).replace("authority: S12000027", "authority: S12000027\nblanks: [pending]")
    book = {"Orders": [HEADINGS, order("A1", First_contact="Pending"), order("A2", Court="n/a")]}
    mapped = yaml.replace("Lerwick Sheriff: sheriff_summary", "Lerwick Sheriff: sheriff_summary, n/a: not_known")
    result, events = Imports(tmp_path, mapped).take(taken(xlsx(tmp_path / "1.xlsx", book), 4))
    assert result.refusals == []
    assert sorted((event.subject, event.data.NAME) for event in events) == [
        ("A1", "order.imposed"), ("A2", "contact.made"), ("A2", "order.imposed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["of which open", "thereof open", "Open", "Average", "incl. transfers", "Orkney Mainland only"]
)
@pytest.mark.parametrize("count", [12, 7.5, "12", "1,250", "48 %"])
def test_lines_under_the_totals_are_no_orders(name: str, count: Any, tmp_path: Path) -> None:
    totals = [["TOTAL", "", "", "", "", "", 200], [name, "", "", "", "", "", count]]
    rows = [HEADINGS, order("A1"), order("A2"), *totals]
    result, events = Imports(tmp_path, with_orders(tmp_path)).take(
        taken(xlsx(tmp_path / "1.xlsx", {"Orders": rows}), 4)
    )
    assert {event.subject for event in events} == {"A1", "A2"}
    assert result.refusals == []
    assert result.totals == 2, "and it is said how many rows were left out"
    assert "blank" not in proposed([tmp_path / "1.xlsx"], "S12000027").partition("fine_default")[0]


@pytest.mark.parametrize(
    "told", [{"Sex": "M"}, {"Date_of_order": date(2026, 2, 2)}, {"Date_of_order": 46055}, {"Court": "JP"}]
)
@pytest.mark.parametrize("name", ["of which open", "Smith"])
def test_words_in_place_of_a_reference_are_an_order_if_anything_else_is_said(
    name: str, told: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing that may be about an order is left out in silence."""
    blank = dict.fromkeys(("Client", "Sex", "DOB", "Court", "Date_of_order", "First_contact"), "")
    rows = [HEADINGS, order("A1"), order(name, **(blank | told))]
    result, _ = Imports(tmp_path, with_orders(tmp_path)).take(taken(xlsx(tmp_path / "1.xlsx", {"Orders": rows}), 4))
    assert result.refusals
    assert result.totals == 0


def test_an_order_that_is_gone_is_told_in_one_line(tmp_path: Path) -> None:
    office = Imports(tmp_path, with_orders(tmp_path, more="cleared: report"))
    whole = [order("A1"), order("A2", Ended=date(2026, 3, 1), Why_ended="Completed"), order("A3")]
    office.take(taken(xlsx(tmp_path / "1.xlsx", {"Orders": [HEADINGS, *whole]}), 3))
    for day in (4, 5):
        left = [HEADINGS, order("A3", First_contact="")]
        result, _ = office.take(taken(xlsx(tmp_path / f"{day}.xlsx", {"Orders": left}), day))
        told = [line for line in result.lines(done=True) if "still count" in line and line.startswith("Orders: ")]
        assert [line for line in told if "A1" in line] == [
            "Orders: the imposition and first contact of order A1 have gone; they still count."
        ]
        assert [line for line in told if "A3" in line] == [
            "Orders: first contact of order A3 is now blank; it still counts."
        ]


def test_what_is_corrected_is_named(tmp_path: Path) -> None:
    """A number of changes does not say whether they are those that were meant."""
    office = Imports(tmp_path, with_orders(tmp_path))
    office.take(taken(xlsx(tmp_path / "1.xlsx", {"Orders": [HEADINGS, order("A1"), order("A2")]}), 3))
    rows = [order("A1", First_contact=date(2026, 2, 4)), order("A2"), order("A3")]
    result, [corrected, *new] = office.take(taken(xlsx(tmp_path / "2.xlsx", {"Orders": [HEADINGS, *rows]}), 4))
    assert (corrected.subject, {event.subject for event in new}) == ("A1", {"A3"})
    assert result.corrections(done=False) == ["Would be corrected for order A1: first contact."]
    assert "Corrected for order A1: first contact." in list(result.lines(done=True))


def test_sub_headings_are_no_orders(tmp_path: Path) -> None:
    rows = [HEADINGS, ["LEWIS & HARRIS"], order("A1"), ["UISTS & BARRA"], order("A2"), ["A3"]]
    result, events = Imports(tmp_path, with_orders(tmp_path)).take(
        taken(xlsx(tmp_path / "1.xlsx", {"Orders": rows}), 4)
    )
    assert {event.subject for event in events} == {"A1", "A2"}
    assert result.refusals[0].place == "Orders!F6", "a reference alone is an order that lacks the rest"
    assert {one.place[-1] for one in result.refusals} == {"6"}
    said = proposed([tmp_path / "1.xlsx"], "S12000027")
    assert "# 3 references in 3 rows" in said


@pytest.mark.parametrize(
    ("told", "times", "read"),
    [("0,5", 60, 30), ("1,0", 60, 60), ("3,25 h", 60, 195), ("6,5", 60, 390), ("1,200", 1, 1200), ("1,234,567", 1, 1_234_567),
     ("1.200,50", 60, 72_030), ("1,200.5", 60, 72_030), ("7.5", 60, 450), ("0,1250", 8, 1), ("-1,5", 60, -90)],
)  # fmt: skip
def test_commas_divide_thousands_or_decimals(told: str, times: float, read: int) -> None:
    assert whole_in(told, times) == read


@given(st.integers(0, 999), st.integers(0, 99), st.sampled_from(["{},{:02}", "{}.{:02}"]))
def test_a_decimal_comma_is_a_decimal_point(whole: int, hundredths: int, form: str) -> None:
    assert whole_in(form.format(whole, hundredths), 100) == 100 * whole + hundredths


@pytest.mark.parametrize("told", ["1,2,3", "1,23,456", "1.23,4.5", ",5", "5,", "1.2.3", "12,34,5"])
def test_what_could_be_no_number_is_none(told: str) -> None:
    with pytest.raises(Unread, match="is not a number"):
        whole_in(told)


def test_a_number_that_is_refused_is_shown_as_it_was_read(tmp_path: Path) -> None:
    heads = ["Ref", "Session", "Day", "Attendance", "Hours"]
    rows: Rows = [heads, ["A1", "s1", date(2026, 2, 20), "Attended", "3250"]]
    yaml = mapping(tmp_path / "m.yaml", "", "vanished: withdraw").read_text()
    result, _ = Imports(tmp_path, yaml).take(
        taken(xlsx(tmp_path / "1.xlsx", {"Orders": [HEADINGS], "Sessions": rows}), 28)
    )
    [refusal] = result.refusals
    assert str(refusal).startswith("Sessions!E2: hours '3250' is read as 195,000 minutes, which is refused: expected")


def test_a_wrong_date_of_birth_is_never_repeated(tmp_path: Path) -> None:
    book = {"Orders": [HEADINGS, order("A1", DOB=date(1890, 5, 6))]}
    result, _ = Imports(tmp_path, with_orders(tmp_path)).take(taken(xlsx(tmp_path / "1.xlsx", book), 4))
    assert result.refusals
    assert "1890" not in str(result.refusals)
    assert "read as" not in str(result.refusals)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 6)), max_size=8))
def test_copies_of_the_newest_extract_are_taken_whatever_their_date(copies: list[tuple[str, int]]) -> None:
    """The second content replaced the first at hour 8; a copy of it, however it was made, sends nothing and asks nothing."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        office = Imports(folder, with_orders(folder, "Orders"))
        office.take(taken(text(folder / "o.csv", [HEADINGS, order("A1")]), 2))
        new = [HEADINGS, order("A1", Hours=80)]
        office.take(taken(text(folder / "o.csv", new), 10))
        for name, days in copies:
            (folder / name).mkdir(exist_ok=True)
            _, events = office.take(taken(text(folder / name / "o.csv", new), 7 + days))
            assert events == []


def test_a_day_in_the_name_is_no_later_than_the_file(tmp_path: Path) -> None:
    yaml = read_mapping(with_orders(tmp_path), "m")
    file = taken(text(tmp_path / "o 2026-03-04.csv", [HEADINGS]), 4)
    assert taken_at(yaml, file, None, 0) == int(file.stat().st_mtime * 1_000_000), (
        "so that a second one of the day is later"
    )
    late = taken(text(tmp_path / "o 2026-03-04.csv", [HEADINGS]), 6)
    assert taken_at(yaml, late, None, 0) < int(late.stat().st_mtime * 1_000_000) - 86_400_000_000


def test_a_fault_in_a_mapping_is_told_in_words() -> None:
    yaml = "authority: S12000027\ntables:\n  - order: Ref\n    states:\n      order.received: {received_on: {column: A, keyed: Ref}}\n"
    with pytest.raises(
        CannotGoOn,
        match=r"table 1, .*received_on.keyed: expected yes or no, found text; as in \{column: Ref, keyed: true\}",
    ):
        read_mapping(yaml, "m")


def test_two_tables_without_a_file_are_told_apart_by_headings_unless_both_fit(tmp_path: Path) -> None:
    table = text(tmp_path / "o.csv", [HEADINGS, order("A1")])
    both = with_orders(tmp_path) + ACROSS.partition("tables:\n")[2]
    result, _ = Imports(tmp_path, both).take(taken(table, 2))
    assert dict(result.rows) == {"o.csv": 1}
    twice = (
        with_orders(tmp_path)
        + "  - sheet: Squad\n    order: Ref\n    states:\n      contact.made: {made_on: First contact}\n"
    )
    with pytest.raises(CannotGoOn, match=r"o\.csv fits more than one table of the mapping"):
        Imports(tmp_path, twice).take(taken(table, 2))


@pytest.mark.parametrize("again", [False, True], ids=["the sheet", "the file"])
def test_a_table_under_another_name_sends_nothing_again_and_misses_what_is_gone(again: bool, tmp_path: Path) -> None:
    yaml = with_orders(tmp_path, more="vanished: withdraw")
    yaml = yaml.replace("sheet: Orders", "file: orders*.csv") if again else yaml
    office = Imports(tmp_path, yaml)
    first, later = [HEADINGS, order("A1"), order("A2")], [HEADINGS, order("A1")]
    if again:
        files = (text(tmp_path / "orders 2026-03-02.csv", first), text(tmp_path / "cpo 2026-03-03.csv", later))
    else:
        files = (xlsx(tmp_path / "1.xlsx", {"Orders": first}), xlsx(tmp_path / "2.xlsx", {"CPO 26-27": later}))
    _, events = office.take(taken(files[0], 2))
    assert {event.subject for event in events} == {"A1", "A2"}
    with pytest.raises(NoTable, match="fits no table of the mapping"):
        office.take(taken(files[1], 3))
    tree = tree_of(yaml, "m")
    found, remarks, _ = placed(tree, remarks_in(yaml), looked_at([files[1]], tables_of(tree)), {"s0": "0"})
    office.job = Job(read_mapping(written(found, remarks), "m"), office.job.home, None)
    _, events = office.take(taken(files[1], 3))
    assert {(event.subject, event.data.NAME) for event in events} == {("A2", "fact.withdrawn")}


def test_a_row_that_is_struck_through_is_named_and_read(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.create_sheet("Orders")
    for name in ("Sheet", "Orders"):
        for row in (["Our orders"], HEADINGS, order("A1"), order("A2"), order("A3")):
            made[name].append([None if cell == "" else cell for cell in row])
    sheet = made["Orders"]
    sheet["A1"].font = sheet["B4"].font = Font(strike=True)
    sheet["A5"].font = Font(strike=False, bold=True)
    sheet["A9"].font = Font(strike=True)
    made.save(tmp_path / "1.xlsx")
    result, events = Imports(tmp_path, with_orders(tmp_path)).take(taken(tmp_path / "1.xlsx", 4))
    assert {event.subject for event in events} == {"A1", "A2", "A3"}
    [remark] = result.remarks
    assert remark == "Orders!A4: the row is struck through, and is read like any other: delete what no longer counts"


def test_a_workbook_in_which_nothing_is_struck_through_says_nothing(tmp_path: Path) -> None:
    result, _ = Imports(tmp_path, with_orders(tmp_path)).take(
        taken(xlsx(tmp_path / "1.xlsx", {"Orders": [HEADINGS, order("A1")]}), 4)
    )
    assert result.remarks == []


@pytest.mark.parametrize(
    ("old", "new", "minutes"),
    [
        ("", "", None),
        ("authority:", "decimal: comma\nauthority:", 90),
        ("times: 60", "times: 60, decimal: comma", 90),
        ("authority:", "decimal: point\nauthority:", None),
    ],
)
def test_hours_that_may_be_either_of_two_are_read_as_the_mapping_says(
    old: str, new: str, minutes: int | None, tmp_path: Path
) -> None:
    heads = ["Ref", "Session", "Day", "Attendance", "Hours"]
    rows: Rows = [
        heads,
        *(["A1", f"s{n}", date(2026, 2, 20 + n), "Attended", cell] for n, cell in enumerate(["1,500", "90 mins"])),
    ]
    yaml = mapping(tmp_path / "m.yaml", "", "vanished: withdraw").read_text().replace(old, new)
    result, events = Imports(tmp_path, yaml).take(
        taken(xlsx(tmp_path / "1.xlsx", {"Orders": [HEADINGS], "Sessions": rows}), 28)
    )
    sessions: list[Any] = [event.data for event in events if hasattr(event.data, "ref")]
    credited = {session.ref: session.minutes_credited for session in sessions}
    assert credited == {"s1": 90} | ({} if minutes is None else {"s0": minutes})
    asked = "may be 1.5 or 1500" if not new else "'1,500' is read as 90,000 minutes"
    assert [asked in one.words for one in result.refusals] == ([True] if minutes is None else [])
