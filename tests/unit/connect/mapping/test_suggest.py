"""Mappings are proposed for tables that nobody has explained."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from contracts.codes import Attendance, Code, EndReason
from services.cli import command_line
from services.connect.extracts.columns import Headings, Row
from services.connect.faults import CannotGoOn
from services.connect.home import Home
from services.connect.mapping.hints import BORN, FACTS, HOURS, LENGTHS, ORDER
from services.connect.mapping.likeness import asked_about, means, meant
from services.connect.mapping.loading import read_mapping
from services.connect.mapping.seen import Seen, Sheet, sheet_of
from services.connect.mapping.suggest import proposal
from services.connect.mapping.words import GRAVE
from services.connect.work import Job, check
from tests.support.generated.thorough import examples
from tests.support.made.extracts import HEADINGS, Rows, order, text, xlsx

ROOT = Path(__file__).parents[4]
SPREADSHEET = ROOT / "docs/examples/connect/one-row-per-order/orders 2026-03-02.xlsx"
payback = command_line(["services.connect.commands"])


def suggested(*files: Path) -> str:
    done = CliRunner().invoke(payback, ["connect", "suggest", *map(str, files)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_it_says_of_a_spreadsheet() -> None:
    said = suggested(SPREADSHEET)
    for line in (
        '        imposed_on: "Date of order"  # 7 of 7 cells are dates',
        '        age_at_imposition: {born: "DOB"}  # the date of birth itself is not sent',
        '            "Lerwick JP": "?"  # in 1 row; justice_of_the_peace?',
        '        sex: "M/F"  # all 7 words are known',
        '          - {kind: unpaid_work, hours: "Unpaid work hours", complete_by: "Complete by"}  # 6 of 6 cells are whole numbers',
        "        fine_default: {always: no}  # DOUBT: no column was found for fine default, so it is no in every row; is it always so?",
        "  # Notes is left out: no column looks like the reference of an order.",
    ):
        assert line in said.splitlines()
    assert "2041" not in said, "nobody is named"
    assert "1988" not in said


def test_once_the_doubts_are_settled_it_is_a_mapping(tmp_path: Path) -> None:
    said = suggested(SPREADSHEET).replace("S12000000", "S12000027")
    with pytest.raises(CannotGoOn, match=r"'lerwick.*' is mapped to '\?', which is not a code"):
        check(Job(read_mapping(said, "m"), Home(tmp_path), None), [SPREADSHEET])
    answers = {
        "Lerwick JP": "justice_of_the_peace",
        "Lerwick": "sheriff_summary",
        "Ferry off": "other_service",
        "Squad": "group",
        "Charity": "individual",
        "Done": "completed",
    }
    lines = said.splitlines()
    for word, code in answers.items():
        lines = [line.replace('"?"', code) if f'"{word}' in line else line for line in lines]
    report = check(Job(read_mapping("\n".join(lines), "m"), Home(tmp_path), None), [SPREADSHEET])
    assert report.status == 0, report.lines
    assert "        7  order.imposed, new" in report.lines


def test_sessions_without_a_number_are_doubted(tmp_path: Path) -> None:
    rows: Rows = [["Case ref", "Session date", "Attended", "Hours"], ["A1", date(2026, 3, 1), "Present", 3.5]]
    said = suggested(text(tmp_path / "sessions.csv", rows))
    assert '  - name: "Sessions"' in said
    assert '        ref: {joined: ["Session date"]}  # DOUBT: rows have no number' in said
    assert '        minutes_credited: {column: "Hours", times: 60, blank: 0}  # DOUBT: taken for hours' in said
    made = read_mapping(said.replace("S12000000", "S12000027"), "m")
    report = check(Job(made, Home(tmp_path / "home"), None), [tmp_path / "sessions.csv"])
    assert report.status == 0, report.lines


def test_dates_that_a_program_may_have_swapped_are_doubted(tmp_path: Path) -> None:
    rows = [HEADINGS, order("A1"), order("A2", Date_of_order="25/02/2026"), order("A3", Date_of_order="soon")]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": rows}))
    assert (
        '2 of 3 cells are dates; DOUBT: some dates are text, some are not: were days and months swapped?; DOUBT: "soon"'
        in said
    )


@pytest.mark.parametrize(
    ("days", "doubted"),
    [
        (["03/04/2026", "05/06/2026"], True),
        (["03/04/2026", "25/06/2026"], False),
        (["2026-04-03", "4 May 2026"], False),
        (["03/03/2026"], False),
        ([date(2026, 4, 3), "05/06/2026"], True),
    ],
)
def test_dates_of_which_none_tells_days_from_months_are_doubted(days: list[Any], doubted: bool, tmp_path: Path) -> None:
    rows = [HEADINGS, *(order(f"A{n}", Date_of_order=day) for n, day in enumerate(days))]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": rows}))
    assert ("is read as day, month, year, unless you give `dates: mdy`" in said) is doubted


def test_work_of_who_did_not_come_is_blank_and_may_be(tmp_path: Path) -> None:
    rows: Rows = [
        ["Case ref", "Session date", "Attended", "Hours", "Project"],
        ["A1", date(2026, 3, 1), "Present", 3, "Kirkyard"],
        ["A1", date(2026, 3, 8), "No show", "", ""],
    ]
    table = text(tmp_path / "s.csv", rows)
    said = suggested(table)
    assert "          blank: other  # DOUBT: 1 blank cell counts as other" in said.splitlines()
    report = check(
        Job(read_mapping(said.replace("S12000000", "S12000027"), "m"), Home(tmp_path / "home"), None), [table]
    )
    assert report.status == 0, report.lines


def test_hours_of_more_than_a_day_may_be_minutes(tmp_path: Path) -> None:
    for hours, doubted in ((210, True), (3.5, False)):
        rows: Rows = [["Case ref", "Session date", "Attended", "Hours"], ["A1", date(2026, 3, 1), "Present", hours]]
        said = suggested(text(tmp_path / "s.csv", rows))
        assert ("some are longer than a day: are they minutes?" in said) is doubted


WORDS = st.sampled_from(
    ["", "Lerwick JP", "dna", "Male", "Grounds", "yes", "Gone home", "03/04/2026", "7", "3.5", "tbc"]
)
COLUMNS = st.sampled_from(
    [*ORDER[:2], *BORN[:1], *HOURS[:1], *(n for names in LENGTHS.values() for n in names[:1])]
    + [name for fact in FACTS.values() for names in fact.values() for name in names[:1]]
)
CONSTANT = re.compile(r"""\b(always|blank|times|vanished): |: \[\]|^ {12}"[^"]*": (?!"\?")""")
"""What a line of a proposal gives that stands in no cell."""


@given(st.lists(COLUMNS, min_size=2, max_size=30, unique=True), st.data())
@settings(max_examples=examples(50))
def test_nothing_is_guessed_without_a_doubt_and_its_reason(headings: list[str], data: st.DataObject) -> None:
    """Whatever columns there are. A word that is the same but for its spelling is no guess."""
    some = [Row(n, data.draw(st.lists(WORDS, min_size=len(headings), max_size=len(headings)))) for n in range(3)]
    texts = Headings("Orders", 1, ["Case ref", *headings], [])
    said = proposal([sheet_of("Orders", False, texts, [Row(r.number, ["A1", *r.cells]) for r in some])])
    for line in said.splitlines():
        given_here, _, remark = line.partition("  # ")
        if CONSTANT.search(given_here) and "DOUBT: your words" not in remark:
            guessed = re.fullmatch(r' {12}("[^"]*"): (\w+)', given_here)
            same = guessed and any(
                means(json.loads(guessed[1]), code)
                for kind in Code.__subclasses__()
                for code in kind
                if code == guessed[2]
            )
            assert same or len(remark.partition("DOUBT: ")[2]) > 10, line


def test_references_that_tell_of_the_person_are_doubted(tmp_path: Path) -> None:
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("Smith")]}))
    assert 'order: "Ref"  # 1 reference in 1 row; DOUBT: does it identify the person?' in said


def test_what_becomes_of_a_row_that_is_gone_is_asked(tmp_path: Path) -> None:
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("A1")]}))
    assert "    vanished: report  # DOUBT: if a row is gone" in said
    rows: Rows = [["Case ref", "Session date", "Attended", "Hours"], ["A1", date(2026, 3, 1), "Present", 3.5]]
    assert "    vanished: withdraw  # DOUBT: if a row" in suggested(text(tmp_path / "sessions.csv", rows))


def test_how_an_order_ended_is_asked_and_formats_in_headings_are_passed_over(tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text(
        "Case No.,SWID,Court,Date of order (dd/mm/yy),Closed,Result\nA1,8,JP,08/09/2025,09/09/2025,Gone home\n"
    )
    said = suggested(table)
    assert 'imposed_on: "Date of order (dd/mm/yy)"' in said
    assert 'reason: "?"  # DOUBT: no column was found for reason' in said


def test_headings_as_a_small_office_writes_them_are_known(tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("Case No.,SWID,Sentencing court,Disposed,Hrs UPW\nOI/25/014,8801,Kirkwall,08/09/2025,150\n")
    said = suggested(table)
    for line in ('imposed_on: "Disposed"', 'person_ref: "SWID"', 'hours: "Hrs UPW"'):
        assert line in said


REGISTER: Rows = [
    ["Comhairle nan Eilean Siar: CPO register", *[""] * 11],
    ["CPO no.", "P number", "M or F", "Date of birth", "Sentencing Ct", "Sentenced on", "UW (hrs)", "Superv. (mths)", "Papers in",
     "1st meeting", "Work placement began", "Finished on", "How it ended"],
    ["WI/26/001", 1107, "M", date(1990, 5, 1), "Stornoway Sh Ct", date(2026, 4, 8), 80, "", date(2026, 4, 9), date(2026, 4, 10),
     date(2026, 4, 20), date(2026, 9, 1), "Breached - revoked"],
    ["WI/26/002", 1114, "F", date(1985, 7, 9), "Stornoway JP", date(2026, 4, 15), "", 12, date(2026, 4, 16), "tbc", "", "", ""],
]  # fmt: skip


def test_a_register_in_an_offices_own_short_words(tmp_path: Path) -> None:
    said = suggested(xlsx(tmp_path / "register.xlsx", {"Register": REGISTER}))
    for line in (
        'imposed_on: "Sentenced on"',
        'person_ref: "P number"',
        'sex: "M or F"',
        '"Stornoway Sh Ct": "?"  # in 1 row; sheriff_solemn or sheriff_summary?',
        '"Stornoway JP": "?"  # in 1 row; justice_of_the_peace?',
        'hours: "UW (hrs)"',
        'months: "Superv. (mths)"',
        'received_on: "Papers in"',
        'started_on: "Work placement began"',
        'ended_on: "Finished on"',
        '"Breached - revoked": "?"  # in 1 row; revoked_breach?',
        "DOUBT: or was it the first contact?",
    ):
        assert line in said, line
    assert "# Not used" not in said


def test_an_imposition_is_proposed_though_a_column_was_not_found(tmp_path: Path) -> None:
    rows: Rows = [
        ["Ref", "Case ID", "Sex", "Born", "Court name", "Day in court"],
        ["A1", 7, "Male", "01/02/1990", "Kirkwall", "01/04/2026"],
    ]
    said = suggested(text(tmp_path / "o.csv", rows))
    assert 'person_ref: "?"  # DOUBT: no column was found for person ref; is it "Case ID"?' in said
    assert 'imposed_on: "?"  # DOUBT: no column was found for imposed on; is it "Day in court"?' in said


def test_a_likely_heading_is_not_believed_where_its_cells_are_something_else(tmp_path: Path) -> None:
    rows: Rows = [
        ["Ref", "Sentence length", "Gender", "DOB", "Court", "Client"],
        ["A1", "long", "M", "01/02/1990", "JP", 4],
    ]
    assert '"Sentence length"' not in suggested(text(tmp_path / "o.csv", rows)).partition("# Not used")[0]


def test_attendance_is_known_by_its_words(tmp_path: Path) -> None:
    rows: Rows = [
        ["CPO no.", "Day", "Did they?", "Hrs", "Job"],
        ["A1", "01/04/2026", "Attended", 6, "Grounds"],
        ["A1", "08/04/2026", "No show", 0, ""],
    ]
    said = suggested(text(tmp_path / "s.csv", rows))
    assert 'attendance: "Did they?"  # all 2 words are known; DOUBT: recognised by its words' in said
    assert 'minutes_credited: {column: "Hrs", times: 60, blank: 0}' in said
    assert '"Grounds": "?"  # in 1 row; gardening?' in said


def test_the_authority_may_be_named() -> None:
    done = CliRunner().invoke(payback, ["connect", "suggest", str(SPREADSHEET), "--authority", "Orkney Islands"])
    assert "\nauthority: S12000023\n" in done.stdout
    wrong = CliRunner().invoke(payback, ["connect", "suggest", str(SPREADSHEET), "--authority", "Narnia"])
    assert wrong.exit_code == 2


@pytest.mark.parametrize(("team", "proposed"), [("team-3", True), ("Magnus", False)])
def test_a_column_of_teams_is_proposed_only_where_it_holds_codes(team: str, proposed: bool, tmp_path: Path) -> None:
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [[*HEADINGS, "Team"], [*order("A1"), team]]}))
    assert ('    caseload: "Team"  # who works with the order: 1 codes' in said) is proposed
    assert "Magnus" not in said


def test_names_of_columns_in_a_case_systems_export(tmp_path: Path) -> None:
    """As another program writes them: underscores, no capitals, short words."""
    headings = ["case_no", "nominal", "dob", "gender", "court", "dt_sentence", "upw_hrs", "sup_mths", "first_appt"]
    row = ["ORK-0501", 7001, date(1991, 3, 4), "F", "Kirkwall Sheriff Summary", date(2026, 2, 2), 120, 12, ""]
    said = suggested(text(tmp_path / "cpo_export.csv", [headings, row], separator=";"))
    assert 'person_ref: "nominal"' in said
    assert '{kind: supervision, months: "sup_mths"}' in said
    assert "Not used" not in said


def test_a_reason_that_counts_against_somebody_is_never_guessed(tmp_path: Path) -> None:
    rows: Rows = [["Ref", "Date", "Attended?", "Hrs"]]
    words = ["Yes", "Yes", "No - ill", "No show", "No show, phoned", "Sick"]
    told = [["A/1", f"{day:02}/02/2026", word, 6] for day, word in enumerate(words, 13)]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Squad": [*rows, *told]}))
    assert '"No - ill": "?"  # in 1 row; absent_acceptable_medical?' in said
    assert '"No show, phoned": "?"  # in 1 row\n' in said
    assert "absent_unacceptable  # in" not in said


_REASONS = ("sick", "ill", "unwell", "doctor", "covid", "funeral", "bereaved", "at work", "childcare", "ferry")
_SAID = (
    "No show - {}",
    "No \u2013 {}",
    "DNA ({})",
    "did not attend: {}",
    "Absent, {}",
    "Left early - {}",
    "sent home {}",
)


@pytest.mark.parametrize("form", _SAID)
def test_no_guess_is_graver_than_the_words(form: str, tmp_path: Path) -> None:
    """Somebody who was sick, bereaved or at work is neither taken for absent without a reason, nor is it asked whether they were."""
    rows: Rows = [
        ["Ref", "Date", "Attended?", "Hrs"],
        ["A/1", "13/02/2026", "Yes", 6],
        ["A/1", "14/02/2026", "No show", 6],
    ]
    told = [[f"A/{n}", f"{n:02}/03/2026", form.format(reason), 6] for n, reason in enumerate(_REASONS, 10)]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Squad": [*rows, *told]})).splitlines()
    for reason in _REASONS:
        [line] = [one.strip() for one in said if one.strip().startswith(f'"{form.format(reason)}": ')]
        assert not any(code in line for code in GRAVE), line
        assert line.startswith(f'"{form.format(reason)}": "?"'), line


@pytest.mark.parametrize(
    ("word", "proposed"),
    [("Breach dropped", '"?"'), ("Breach withdrawn", '"?"'), ("Breached - revoked", '"?"'),
     ("Revoked on review", '"?"')],
)  # fmt: skip
def test_an_order_is_not_said_to_be_revoked_for_a_breach_that_was_dropped(
    word: str, proposed: str, tmp_path: Path
) -> None:
    heads = [*HEADINGS[:-1], "Why ended"]
    rows = [order("A/1", Ended=date(2026, 3, 1), Why_ended=word), order("A/2", Ended=date(2026, 3, 1), Why_ended="Zzz")]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [heads, *rows]}))
    assert f'"{word}": {proposed}  # in 1 row' in said


@pytest.mark.parametrize("word", ["Acceptable absence", "Absence acceptable", "No snow", "No shower"])
def test_words_that_only_look_like_a_grave_code_do_not_mean_it(word: str, tmp_path: Path) -> None:
    """However alike the letters are."""
    rows: Rows = [
        ["Ref", "Date", "Attended?", "Hrs"],
        ["A/1", "13/02/2026", "Yes", 6],
        ["A/1", "14/02/2026", "No show", 6],
    ]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Squad": [*rows, ["A/1", "15/02/2026", word, 6]]}))
    [line] = [one for one in said.splitlines() if one.strip().startswith(f'"{word}": ')]
    assert "absent_unacceptable" not in line


@pytest.mark.parametrize("word", ["No show", "no-show", "DNA", "Unacceptable absence", "Absent - unacceptable"])
def test_absence_in_plain_words_is_still_known(word: str) -> None:
    assert meant(word, Attendance) == [Attendance.ABSENT_UNACCEPTABLE]


def test_of_two_headings_the_one_whose_cells_fit_is_taken(tmp_path: Path) -> None:
    heads = [*HEADINGS, "Superv.", "Sup (mths)", "Order rec'd from court", "CMP agreed"]
    rows = [[*order(f"A/{n}"), "Yes", 12, date(2026, 2, 3), date(2026, 2, 20)] for n in range(3)]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [heads, *rows]}))
    assert 'months: "Sup (mths)"}  # 3 of 3 cells are whole numbers' in said
    assert 'received_on: "Order rec\'d from court"' in said
    assert 'agreed_on: "CMP agreed"' in said
    assert '# Not used: "Superv."' in said


def test_an_activity_is_known_by_its_words(tmp_path: Path) -> None:
    rows = [
        ["Ref", "Date", "Attended", "Type"],
        ["A/1", "13/02/2026", "Yes", "Unpaid work"],
        ["A/2", "14/02/2026", "No", "Other activity"],
    ]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Squad": rows}))
    assert '        activity: "Type"  # all 2 words are known; DOUBT: recognised by its words' in said


@pytest.mark.parametrize(
    ("heading", "cells", "line"),
    [
        ("Order in", [date(2026, 2, 3)] * 2, 'received_on: "Order in"'),
        ("SPV (mths)", [12, 18], '{kind: supervision, months: "SPV (mths)"}'),
        ("Case mtg", [date(2026, 2, 9)] * 2, 'held_on: "Case mtg"'),
        ("On squad from", [date(2026, 2, 9)] * 2, 'started_on: "On squad from"'),
        ("How closed", ["Completed", "Died"], 'reason: "How closed"'),
        ("Job situation", ["Working", "Student"], 'employment: "Job situation"'),
    ],
)
def test_usual_headings_of_registers(heading: str, cells: list[Any], line: str, tmp_path: Path) -> None:
    heads = [one for one in HEADINGS if one != "Why ended"]
    rows = [[*order(f"A/{n}", Ended=date(2026, 3, 1))[: len(heads)], cell] for n, cell in enumerate(cells)]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [[*heads, heading], *rows]}))
    assert line in said
    assert "# Not used" not in said


def test_the_name_of_a_case_system_stands_for_the_number_there_with_a_doubt(tmp_path: Path) -> None:
    heads = ["SWIFT" if one == "Client" else one for one in HEADINGS]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [heads, order("A/1")]}))
    assert 'person_ref: "SWIFT"  # 1 cell; DOUBT: is it the person\'s number there' in said


@pytest.mark.parametrize("heading", ["Came?", "Attended (Y/N)", "Attended? [yes/no]"])
def test_who_came_is_known_by_usual_headings(heading: str, tmp_path: Path) -> None:
    rows: Rows = [["Ref", "Date", heading, "Hrs"], ["A/1", "13/02/2026", "Y", 6], ["A/1", "20/02/2026", "N", 0]]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Squad": rows}))
    assert f'column: "{heading}"' in said
    assert '"N": "?"' in said, "why somebody did not come is asked"


def test_a_persons_number_is_proposed_only_of_what_may_identify(tmp_path: Path) -> None:
    heads = [*HEADINGS, "SWIFT ID"]
    rows = [[*order(f"A/{n}", Client=name), f"P10003{n}"] for n, name in enumerate(["Anna Bell", "Cy Dee"])]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [heads, *rows]}))
    assert 'person_ref: "SWIFT ID"' in said
    alone = suggested(xlsx(tmp_path / "p.xlsx", {"Orders": [heads[:-1], *(row[:-1] for row in rows)]}))
    assert 'person_ref: "?"  # DOUBT: no column was found for person ref; is it "Client"?' in alone


@pytest.mark.parametrize("heading", ["Court (in full)", "Full name of court", "Court and town"])
def test_a_court_in_full_is_known_and_its_words_are_asked(heading: str, tmp_path: Path) -> None:
    heads = [heading if one == "Court" else one for one in HEADINGS]
    said = suggested(xlsx(tmp_path / "o.xlsx", {"Orders": [heads, order("A/1", Court="Alloa Sheriff Court, summary")]}))
    assert f'column: "{heading}"  # DOUBT: ' in said
    assert '"Alloa Sheriff Court, summary": "?"  # in 1 row; sheriff_summary?' in said


@pytest.mark.parametrize(
    ("word", "hints"),
    [
        ("Breached, order revoked", ["revoked_breach"]),
        ("Breached - revoked", ["revoked_breach"]),
        ("Revoked on review", ["revoked_review"]),
        ("Order breached by office, revoked", []),
        ("Breach dropped", []),
    ],
)
def test_a_hint_names_what_the_word_says_most_of_and_nothing_less(word: str, hints: list[str]) -> None:
    assert asked_about(word, EndReason) == hints


DAYS: list[Any] = [date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)]
REFERENCES: list[Any] = ["CK/26/01", "CK/26/01", "CK/26/02"]


def beside_a_register(columns: dict[str, list[Any]]) -> str:
    """Return the proposal for a table beside a register of the same orders."""
    register = Sheet("Register", False, [Seen("CPO ref", ["CK/26/01", "CK/26/02"]), Seen("Order received", DAYS[:2])])
    return proposal([register, Sheet("Squad", False, [Seen(name, cells) for name, cells in columns.items()])])


@pytest.mark.parametrize("names", [("Zig", "Zag", "Zog", "Zug"), ("Order no", "Date of squad", "Came?", "Hours done")])
@pytest.mark.parametrize("came", [["Yes", "No", "yes"], ["Yes", "No show", "Ill"]])
@pytest.mark.parametrize("hours", [[8, 0, 6.5], ["8", "7h30", "6.5"], ["90 mins", "1:30", ""]])
def test_a_table_of_sessions_is_known_by_its_values(names: tuple[str, ...], came: list[str], hours: list[Any]) -> None:
    said = beside_a_register(dict(zip(names, (REFERENCES, DAYS, came, hours), strict=True)))
    for wanted in (f'order: "{names[0]}"', f'session_on: "{names[1]}"', f'column: "{names[3]}", times: 60'):
        assert wanted in said
    assert re.search(rf'attendance:(\n +column:)? "{re.escape(names[2])}"', said)
    assert "DOUBT: recognised by its values" in said


def test_what_is_no_table_of_sessions_is_not_taken_for_one() -> None:
    tables: list[dict[str, list[Any]]] = [
        {"Order no": REFERENCES, "Zag": DAYS},
        {"Order no": REFERENCES, "Zag": DAYS, "Zog": ["Yes", "No", "Yes"]},
        {"Order no": REFERENCES, "Zag": DAYS, "Zug": [80, 150, 240]},
        {"Zig": ["a", "b", "c"], "Zag": DAYS, "Zog": ["Yes", "No", "Yes"], "Zug": [8, 0, 6]},
    ]
    for columns in tables:
        assert "session.recorded" not in beside_a_register(columns)


def test_a_table_about_the_orders_of_another_needs_no_usual_heading_for_its_reference() -> None:
    said = beside_a_register({"File": REFERENCES, "Mtg held": DAYS})
    assert 'order: "File"  # 2 references in 3 rows; DOUBT: its values are the references of another table' in said
    assert 'held_on: "Mtg held"' in said
