"""A mapping as a form: what it carries comes back as it was, what it cannot carry is kept and said, and answers are what is meant."""

import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.connect.faults import CannotGoOn
from services.connect.form.answering import answered, open_in
from services.connect.form.model import Form, Line
from services.connect.form.placing import left_out, placed, unplaced
from services.connect.form.showing import form_of, tables_of
from services.connect.form.tables import Remarks, Tree
from services.connect.form.tree import remarks_in, tree_of, written
from services.connect.form.uses import GROUPS, Use, labels_of, uses_of
from services.connect.mapping.hints import FACTS, IDENTIFIES
from services.connect.mapping.loading import read_mapping
from services.connect.mapping.model import STATABLE, members
from services.connect.mapping.seen import Seen, Sheet
from services.connect.mapping.suggest import proposal
from services.connect.template import MAPPING, built_in
from services.connect.work import looked_at, proposed
from tests.support.generated.thorough import examples

EXAMPLES = Path(__file__).parents[4] / "docs/examples/connect"
SPREADSHEET = EXAMPLES / "one-row-per-order/orders 2026-03-02.xlsx"
WRITTEN = [MAPPING, *sorted(EXAMPLES.glob("*/*.yaml"))]
USES = uses_of(labels_of(built_in()))
HEADINGS = ("Ref", "Court", "Seen", "Hours", "M/F", "Notes: mixed", "Ünïcode #1")
SHEET = Sheet(
    "Orders",
    False,
    [
        Seen("Ref", ["A1", "A2"]),
        Seen("Court", ["Lerwick", "Sheriff solemn"]),
        Seen("Seen", [date(2026, 3, 2), date(2026, 3, 3)]),
        Seen("Hours", [3, "4.5"]),
        Seen("M/F", ["m", "other"]),
        Seen("Empty", ["", ""]),
    ],
)


def shown(tree: Tree, *sheets: Sheet) -> Form:
    return form_of(tree, Remarks(), sheets, USES)


def posted(form: Form) -> dict[str, str]:
    """Return what a browser sends if nobody touches the form."""
    for field in form.fields():
        assert not field.options or field.value in {option.value for option in field.options}, field
    return {field.name: field.value for field in form.fields()}


def line(form: Form, heading: str, use: str = "") -> Line:
    return next(
        one for part in form.parts for one in part.lines if one.heading == heading and one.use.value.startswith(use)
    )


def test_every_member_of_every_event_is_a_use_with_a_name_of_its_own() -> None:
    there = {(use.event, use.member) for use in USES.values() if not use.requirement}
    wanted = {(name, member) for name, fact in STATABLE.items() for member in members(fact) if member != "requirements"}
    assert {one for one in there if one[0]} == wanted
    assert set(GROUPS) == set(STATABLE)
    twice = [label for label, times in Counter(use.label for use in USES.values()).items() if times > 1]
    assert twice == []


def test_uses_are_listed_by_event_in_the_order_of_an_orders_life_and_say_which_event_they_are_of() -> None:
    listed = list(USES.values())
    assert list(dict.fromkeys(use.event for use in listed if use.event)) == list(GROUPS)
    assert all(use.label[0].isupper() for use in listed)
    of_events = [use for use in listed if use.event not in {"", "order.imposed"}]
    assert [
        use.label
        for use in of_events
        if use.member not in STATABLE[use.event].DATES and not use.label.startswith(use.group)
    ] == []
    for event in GROUPS:
        own = [use.member for use in listed if use.event == event]
        assert own[0] in {*STATABLE[event].DATES, "month"}, event
        assert "late_reason" not in own[:-1]


@pytest.mark.parametrize("path", WRITTEN, ids=[path.stem for path in WRITTEN])
def test_a_mapping_is_the_same_after_its_form_and_as_text(path: Path) -> None:
    tree = tree_of(path.read_text(), path.name)
    form = shown(tree)
    assert len(list(form.fields())) > 20
    found = answered(tree, form, posted(form), [], USES)
    assert (found.tree, found.changed, found.faults, list(open_in(form))) == (tree, False, [], [])
    again = written(tree, remarks_in(path.read_text()))
    assert read_mapping(again, path.name) == read_mapping(path.read_text(), path.name)
    assert remarks_in(again) == remarks_in(path.read_text())


headings = st.sampled_from(HEADINGS)
words = st.text(max_size=6)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "codes": st.dictionaries(
            words, st.sampled_from(["male", "yes", "?", "sheriff_solemn", "no such code"]), min_size=1
        ),
        "blank": st.sampled_from(["0", "not_known", "no"]),
        "otherwise": words,
        "times": st.sampled_from(["60", "0.5"]),
        "dates": st.sampled_from(["dmy", "ymd"]),
        "decimal": st.just("comma"),
        "keyed": st.sampled_from(["yes", "true"]),
    },
)
conditions = st.dictionaries(headings, st.one_of(words, st.lists(words, max_size=2)), min_size=1, max_size=2)
nodes: st.SearchStrategy[Any] = st.one_of(
    headings,
    st.lists(headings, min_size=1, max_size=2),
    st.builds(lambda heading, more: {"column": heading, **more}, headings, OPTIONS),
    st.builds(lambda heading: {"born": heading}, headings),
    st.builds(lambda word: {"always": word}, words),
    st.builds(lambda found: {"joined": found}, st.lists(headings, min_size=1, max_size=2)),
    st.just("?"),
)
requirements = st.lists(
    st.one_of(
        st.builds(lambda node: {"kind": "unpaid_work", "hours": node}, headings),
        st.builds(lambda node: {"kind": "unpaid_work", "hours": "H", "complete_by": node}, nodes),
        st.builds(lambda node, when: {"kind": "supervision", "months": node, "when": when}, nodes, conditions),
    ),
    max_size=3,
)


@st.composite
def forms_of_facts(draw: st.DrawFn, name: str) -> dict[str, Any]:
    wanted = list(members(STATABLE[name]))
    chosen = draw(st.lists(st.sampled_from(wanted), unique=True, min_size=1))
    found = {member: draw(requirements if member == "requirements" else nodes) for member in chosen}
    return found | draw(st.fixed_dictionaries({}, optional={"when": conditions, "unless": conditions}))


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(STATABLE)), unique=True, min_size=1, max_size=3))
    states: dict[str, Any] = {}
    for name in names:
        one = draw(forms_of_facts(name))
        states[name] = [one, draw(forms_of_facts(name))] if draw(st.integers(0, 5)) == 0 else one
    more = st.fixed_dictionaries(
        {},
        optional={
            "order": nodes,
            "caseload": nodes,
            "recorded": headings,
            "vanished": st.sampled_from(["report", "withdraw", {"ended": "other"}, {"ended": "no such reason"}]),
            "when": conditions,
            "heading_rows": st.just("2"),
            "history": st.just("true"),
        },
    )
    return {"sheet": draw(st.sampled_from(["Orders", "O*", "Other"])), **draw(more), "states": states}


trees = st.builds(
    lambda general, found: {**general, "tables": found},
    st.fixed_dictionaries(
        {"authority": st.sampled_from(["S12000027", "S12000000", "S12000015"])},
        optional={
            "dates": st.just("mdy"),
            "decimal": st.just("comma"),
            "blanks": st.lists(st.text("ab c", min_size=1).map(str.strip).filter(bool), min_size=1),
            "system": words,
            "epoch": st.just("1904"),
        },
    ),
    st.lists(tables(), min_size=1, max_size=3),
)


@given(trees, st.booleans())
def test_a_form_that_nobody_touches_changes_nothing(tree: Tree, beside: bool) -> None:
    sheets = [SHEET] if beside else []
    form = shown(tree, *sheets)
    answers = {name: value.replace("\n", "\r\n") for name, value in posted(form).items()}
    assert answered(tree, form, answers, sheets, USES).tree == tree


@given(trees, st.data())
def test_settings_that_are_answered_are_shown_again_and_nothing_else_changes(tree: Tree, data: st.DataObject) -> None:
    form = shown(tree, SHEET)
    given_before = posted(form)
    settable = [
        field
        for field in form.fields()
        if field.options and field.key not in {"use", "authority", "now"} and not field.key.startswith("w")
    ]
    chosen = data.draw(st.lists(st.sampled_from(settable), unique_by=lambda field: field.name)) if settable else []
    answers = {
        field.name: data.draw(st.sampled_from([one.value for one in field.options if one.value != "?"] or ["?"]))
        for field in chosen
    }
    found = answered(tree, form, given_before | answers, [SHEET], USES)
    again = posted(shown(found.tree, SHEET))
    changed = {name: value for name, value in again.items() if given_before.get(name) != value}
    assert changed == {name: value for name, value in answers.items() if given_before[name] != value}


@given(trees)
def test_what_only_the_text_can_carry_is_kept_whatever_is_answered(tree: Tree) -> None:
    """Every column is taken away, and what is left is what the form does not carry."""
    form = shown(tree, SHEET)
    answers = {field.name: "" for field in form.fields() if field.key == "use"}
    found = answered(tree, form, posted(form) | answers, [SHEET], USES).tree
    left = tables_of(found)
    for table in tables_of(tree):
        lists = {name: stated for name, stated in table["states"].items() if isinstance(stated, list)}
        if lists:
            assert any(lists.items() <= one["states"].items() for one in left)
    assert {name: value for name, value in found.items() if name != "tables"} == {
        name: value for name, value in tree.items() if name != "tables"
    }


texts: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=12),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), texts, min_size=1, max_size=4))
@settings(max_examples=examples(100))
def test_any_tree_survives_its_text(tree: Tree) -> None:
    assert tree_of(written(tree, Remarks()), "a.yaml") == tree


def test_remarks_stay_beside_what_they_are_about() -> None:
    text = (
        "# Ours, by hand.\nauthority: S12000027  # Shetland\ntables:\n  # The register.\n  - sheet: Orders  # the first tab\n"
        "    order: Ref\n    states:\n      contact.made: {made_on: Seen}  # phone counts\n# The end.\n"
    )
    form = form_of(tree_of(text, "a"), remarks_in(text), [SHEET], USES)
    assert line(form, "Seen").reason == "phone counts"
    found = answered(tree_of(text, "a"), form, {"p0.vanished": "withdraw"}, [SHEET], USES)
    assert written(found.tree, remarks_in(text)) == text.replace(
        "    states:\n      contact.made: {made_on: Seen}  # phone counts\n",
        "    states:\n      contact.made: {made_on: Seen}  # phone counts\n    vanished: withdraw\n",
    )


def test_a_remark_goes_with_the_answer_to_it() -> None:
    text = "authority: S12000000  # DOUBT: which?\ntables:  # ours\n  - {sheet: A}  # the first\n"
    tree = tree_of(text, "a")
    after = tree | {"authority": "S12000027"}
    assert written(after, remarks_in(text).still(tree, after)) == text.replace(
        "S12000000  # DOUBT: which?", "S12000027"
    )


@pytest.mark.parametrize("text", ["tables: [", "just words", "", "- a\n- b"])
def test_a_text_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(CannotGoOn):
        tree_of(text, "a.yaml")


def suggested() -> tuple[str, list[Sheet], Form]:
    text = proposed([SPREADSHEET], "S12000027")
    tree = tree_of(text, "m")
    sheets = looked_at([SPREADSHEET], tables_of(tree))
    return text, sheets, form_of(tree, remarks_in(text), sheets, USES)


def test_guesses_are_shown_with_values_reasons_doubts_and_words() -> None:
    _, _, form = suggested()
    part = form.parts[0]
    assert part.title == "Orders"
    assert [one.title for one in form.parts if one.table is None] == ["Notes"]
    court = line(form, "Court")
    assert court.use.value == "order.imposed:court_type"
    assert "Lerwick Sheriff" in court.values
    asked = {word.word: word for word in court.words}
    assert asked["Lerwick JP"].field.value == "?"
    assert asked["Lerwick JP"].doubt == "perhaps 'Justice of the peace'"
    assert {"Sheriff summary", "Not understood: refuse such a cell"} <= {
        option.label for option in asked["Lerwick JP"].field.options
    }
    hours = line(form, "Unpaid work hours")
    assert hours.reason == "6 of 6 cells are whole numbers"
    born = line(form, "DOB")
    assert born.hidden
    assert born.values == ()
    assert line(form, "Client no").values == ()
    assert "1988" not in repr(form)
    fine = next(one for one in part.constants if one.use == "order.imposed:fine_default")
    assert fine.field.value == "always:no"
    assert fine.doubts
    assert {option.value for option in line(form, "Received").use.options} >= {"order.received:received_on", ""}
    likely = {
        option.value for option in line(form, "Received").use.options if not option.group.startswith("Less likely")
    }
    assert "order.received:received_on" in likely
    assert "order.imposed:sex" not in likely


def settled(form: Form) -> dict[str, str]:
    """Return answers to all that is open in the example."""
    answers = {}
    for part in form.parts:
        for one in part.lines:
            for word in one.words:
                if word.field.value == "?":
                    answers[word.field.name] = next(
                        option.value for option in word.field.options if option.value not in {"?", ""}
                    )
    return answers


def test_once_its_questions_are_answered_the_form_is_a_mapping() -> None:
    text, sheets, form = suggested()
    assert list(open_in(form))
    found = answered(tree_of(text, "m"), form, posted(form) | settled(form), sheets, USES)
    again = form_of(found.tree, Remarks(), sheets, USES)
    assert list(open_in(again)) == []
    mapping = read_mapping(written(found.tree, remarks_in(text)), "m")
    assert mapping.authority == "S12000027"
    assert {stated.fact.NAME for stated in mapping.tables[0].facts()} >= {
        "order.imposed",
        "contact.made",
        "order.ended",
    }


def test_a_column_taken_for_something_else_brings_its_words_and_questions() -> None:
    tree: Tree = {
        "authority": "S12000027",
        "tables": [{"sheet": "Orders", "order": "Ref", "states": {"contact.made": {"made_on": "Seen"}}}],
    }
    form = shown(tree, SHEET)
    answers = {line(form, "Court").use.name: "order.imposed:court_type"}
    found = answered(tree, form, answers, [SHEET], USES)
    assert found.look_again == ["Court"]
    stated = found.tree["tables"][0]["states"]
    assert stated["contact.made"] == {"made_on": "Seen"}
    assert stated["order.imposed"]["court_type"]["codes"].keys() == {"Lerwick"}
    asked = [fault.words for fault in open_in(shown(found.tree, SHEET))]
    assert any("no column is taken for 'The order: date of order'" in words for words in asked)
    assert any("hours of unpaid work" in words for words in asked)
    away = answered(found.tree, shown(found.tree, SHEET), {line(form, "Court").use.name: ""}, [SHEET], USES)
    assert away.tree == tree


def test_two_columns_cannot_be_the_same_thing() -> None:
    tree: Tree = {
        "authority": "S12000027",
        "tables": [{"sheet": "Orders", "order": "Ref", "states": {"contact.made": {"made_on": "Seen"}}}],
    }
    form = shown(tree, SHEET)
    found = answered(tree, form, {line(form, "Empty").use.name: "contact.made:made_on"}, [SHEET], USES)
    assert [fault.words for fault in found.faults] == [
        "Orders: 'Empty' and another column are both taken for 'First contact'; choose one of them."
    ]
    assert found.tree == tree
    swapped = {line(form, "Empty").use.name: "contact.made:made_on", line(form, "Seen").use.name: ""}
    assert answered(tree, form, swapped, [SHEET], USES).tree["tables"][0]["states"] == {
        "contact.made": {"made_on": "Empty"}
    }


def test_a_sheet_that_was_left_out_can_be_taken_in() -> None:
    tree: Tree = {"authority": "S12000027", "tables": []}
    form = shown(tree, SHEET)
    assert [one.table for one in form.parts] == [None]
    answers = {line(form, "Ref").use.name: "order"}
    assert answered(tree, form, answers, [SHEET], USES).faults
    answers[line(form, "Seen").use.name] = "contact.made:made_on"
    found = answered(tree, form, answers, [SHEET], USES)
    assert found.tree["tables"] == [
        {"sheet": "Orders", "order": "Ref", "states": {"contact.made": {"made_on": "Seen"}}}
    ]
    assert list(open_in(shown(found.tree, SHEET))) == []


def test_what_the_form_cannot_carry_is_said() -> None:
    tree: Tree = {
        "authority": "S12000027",
        "system": "old",
        "tables": [
            {
                "sheet": "Orders",
                "order": "Ref",
                "unless": {"Ref": ["x", "y"]},
                "states": {
                    "contact.made": {"made_on": "Seen", "when": {"Court": "*"}},
                    "session.recorded": {"ref": {"joined": ["Ref", "Seen"]}, "session_on": "Seen"},
                    "order.imposed": {"court_type": {"column": "Court", "otherwise": "not_known"}},
                    "order.ended": [{"ended_on": "Seen"}, {"ended_on": "Ref"}],
                },
            }
        ],
    }
    before = deepcopy(tree)
    form = shown(tree, SHEET)
    assert form.kept == ("system: old",)
    assert form.parts[0].kept == (
        "unless: Ref is x or y",
        "contact.made, when: Court is *",
        "session.recorded, ref: joined is Ref or Seen",
        "order.ended in 2 forms",
    )
    assert line(form, "Court").kept == ("otherwise: not_known",)
    answered(tree, form, {"p0.vanished": "withdraw"}, [SHEET], USES)
    assert tree == before, "the tree that was given is left alone"


def headings_of(sheets: Sequence[Sheet]) -> list[str]:
    return [column.heading for sheet in sheets for column in sheet.columns]


def test_a_table_with_a_column_for_each_day_has_the_names_of_its_mapping(tmp_path: Path) -> None:
    path = tmp_path / "squad.csv"
    path.write_text("Ref,01/06/2026,02/06/2026,03/06/2026\nA1,P,S,P\nA2,P,,S\n")
    table = {"order": "Ref", "across": {"day": "Day", "cell": "Mark"}}
    assert headings_of(looked_at([path], [table])) == ["Ref", "Day", "Mark"]


def test_a_doubt_goes_once_its_member_has_a_column() -> None:
    text = """
authority: S12000027
tables:
  - sheet: Orders
    order: Ref
    states:
      order.imposed:
        employment: {always: not_known}  # DOUBT: no column was found for employment
        sex: {always: not_known}  # DOUBT: no column was found for sex
"""
    tree = tree_of(text, "m")
    form = form_of(tree, remarks_in(text), [SHEET], USES)
    found = answered(tree, form, {line(form, "Court").use.name: "order.imposed:employment"}, [SHEET], USES)
    again = written(found.tree, remarks_in(text).still(tree, found.tree))
    assert "found for employment" not in again
    assert "found for sex" in again, "what was not answered is still doubted"


MOVED: Tree = {
    "authority": "S12000027",
    "tables": [
        {
            "sheet": "Orders",
            "order": "Ref",
            "when": {"Order in": "*"},
            "states": {
                "order.received": {"received_on": {"column": "Order in", "dates": "dmy"}},
                "session.recorded": {"ref": {"joined": ["Order in"]}, "session_on": "Order in"},
            },
        }
    ],
}


@pytest.mark.parametrize("heading", ["Papers rec'd from ct", "Date order received", "Order in (date)"])
def test_a_column_that_is_called_otherwise_now_is_named_wherever_the_mapping_names_it(heading: str) -> None:
    days: list[Any] = [date(2026, 3, 2), date(2026, 3, 3)]
    sheet = Sheet(
        "Orders",
        False,
        [Seen("Ref", ["A1", "A2"]), Seen("Court", ["JP", "High"]), Seen("Born", days), Seen(heading, days)],
    )
    form = shown(MOVED, sheet)
    lost = line(form, "Order in", "order.received")
    assert lost.absent
    assert lost.nearest == heading
    assert lost.now is not None
    assert [option.value for option in lost.now.options] == ["", heading, "Born"], (
        "the nearest first, and only what fits"
    )
    assert answered(MOVED, form, posted(form), [sheet], USES).tree == MOVED, "nothing is taken without an answer"
    found = answered(MOVED, form, posted(form) | {lost.now.name: heading}, [sheet], USES)
    assert "Order in'" not in repr(found.tree)
    assert found.tree["tables"][0]["when"] == {heading: "*"}
    stated = found.tree["tables"][0]["states"]
    assert stated["order.received"]["received_on"] == {"column": heading, "dates": "dmy"}, "it is read as before"
    assert stated["session.recorded"]["ref"] == {"joined": [heading]}


@given(
    st.lists(tables(), max_size=3),
    st.dictionaries(st.sampled_from(["s0", "s1"]), st.sampled_from(["new", "", "0", "1"])),
)
@settings(max_examples=examples(50))
def test_adding_a_table_leaves_the_others_as_they_are(found: list[dict[str, Any]], answers: dict[str, str]) -> None:
    tree = {"authority": "S12000027", "tables": found}
    new = Sheet("Squad", False, [Seen("Ref", ["A1"]), Seen("Date", [date(2026, 3, 2)]), Seen("Attended", ["Yes"])])
    asked = {one.field.name: one.field for one in unplaced(tree, [SHEET, new])}
    assert all(field.value in {option.value for option in field.options} for field in asked.values())
    given = {
        name: one for name, one in answers.items() if name in asked and one in {o.value for o in asked[name].options}
    }
    after, _, by_hand = placed(tree, Remarks(), [SHEET, new], given)
    renamed = {int(one) for one in given.values() if one.isdecimal()}
    places = {"name", "sheet", "file"}
    for number, table in enumerate(found):
        now = after["tables"][number]
        assert {name: one for name, one in now.items() if name not in places} == {
            name: one for name, one in table.items() if name not in places
        }
        assert number in renamed or now == table
    added = sum(one == "new" for one in given.values())
    assert len(after["tables"]) == len(found) + added - len(by_hand)


def test_a_placement_says_nothing_of_what_a_register_does_not_have() -> None:
    columns = [Seen("Ref", ["A1", "A2"]), Seen("On squad from", [date(2026, 3, 2), date(2026, 3, 3)])]
    text = proposal([Sheet("Register", False, columns)], "S12000023")
    assert "setting" not in text
    assert "work_type" not in text
    tree = tree_of(text, "m")
    form = form_of(tree, remarks_in(text), [Sheet("Register", False, columns)], USES)
    told = {one.field.label: one.field for part in form.parts for one in part.constants}
    assert {told[f"Placement: {name}"].value for name in ("setting", "kind of work")} == {""}
    assert list(open_in(form)) == []
    chosen = told["Placement: setting"].name
    said = answered(tree, form, posted(form) | {chosen: "always:group"}, [], USES).tree
    assert said["tables"][0]["states"]["placement.started"] == {
        "started_on": "On squad from",
        "setting": {"always": "group"},
    }
    again = form_of(said, Remarks(), [], USES)
    assert answered(said, again, posted(again) | {chosen: ""}, [], USES).tree == tree


WRITTEN_ANYHOW = ["8", "7h30", "6.5", "soon", "02/03/2026", "yes", "A1", "Anna Bell", ""]


@pytest.mark.parametrize(
    "cells", [["7h30", "soon"], ["02/03/2026"], ["yes"], ["Anna Bell"], [3, 4.5], [], WRITTEN_ANYHOW]
)
def test_a_column_may_be_taken_for_anything_whatever_its_values_look_like(cells: list[Any]) -> None:
    sheet = Sheet("Orders", False, [Seen("Ref", ["A1"] * len(cells)), Seen("Hours", cells)])
    tree: Tree = {"authority": "S12000027", "tables": []}
    form = shown(tree, sheet)
    for column in ("Ref", "Hours"):
        assert {option.value for option in line(form, column).use.options} == {"", *USES}


@pytest.mark.parametrize("use", [one for one in USES.values() if one.minutes], ids=lambda use: use.key)
def test_hours_written_in_any_way_are_read_and_what_is_none_is_said(use: Use) -> None:
    cells: list[Any] = ["90 mins", "1.5h", "1h30", "1:30", "7h30", "6.5", "8", "ill", ""]
    sheet = Sheet("Orders", False, [Seen("Ref", ["A1"] * 9), Seen("Done", cells)])
    tree: Tree = {
        "authority": "S12000027",
        "tables": [{"sheet": "Orders", "order": "Ref", "states": {use.event: {use.member: {"always": "0"}}}}],
    }
    form = shown(tree, sheet)
    asked = line(form, "Done").use
    likely = {option.value for option in asked.options if not option.group.startswith("Less likely")}
    assert use.key in likely
    answers = {asked.name: use.key}
    tree["tables"][0]["states"][use.event].pop(use.member)
    found = answered(tree, shown(tree, sheet), answers, [sheet], USES)
    assert found.tree["tables"][0]["states"][use.event][use.member] == {"column": "Done", "times": "60", "blank": "0"}
    assert line(shown(found.tree, sheet), "Done", use.key).doubts == (
        "1 blank cell counts as no time",
        "'ill' cannot be read as a whole number of minutes",
    )


@pytest.mark.parametrize(("cells", "doubted"), [(["Anna Bell", "Cy Dee"], True), (["P100037", "P100038"], False)])
def test_names_as_a_persons_number_are_doubted(cells: list[Any], doubted: bool) -> None:
    sheet = Sheet("Orders", False, [Seen("Ref", ["A1", "A2"]), Seen("Client", cells)])
    tree: Tree = {
        "authority": "S12000027",
        "tables": [{"sheet": "Orders", "order": "Ref", "states": {"order.imposed": {"person_ref": "Client"}}}],
    }
    assert any("look like names" in one for one in line(shown(tree, sheet), "Client").doubts) is doubted


@pytest.mark.parametrize("event", FACTS)
def test_the_form_has_no_word_that_only_the_text_needs(event: str) -> None:
    """Whatever is missing in a table that states this event."""
    days: list[Any] = [date(2026, 3, 2), date(2026, 3, 3)]
    columns = [Seen("Case ref", ["A1", "A2"])]
    for member, names in FACTS[event].items():
        if member in IDENTIFIES[event]:
            columns.append(Seen(names[0], days if member.endswith("_on") else ["7", "8"]))
    sheet = Sheet("Orders", False, columns)
    text = proposal([sheet], "S12000027")
    form = form_of(tree_of(text, "m"), remarks_in(text), [sheet], USES)
    told = [
        words
        for part in form.parts
        for words in (
            *part.doubts,
            *(doubt for one in part.constants for doubt in one.doubts),
            *(words for one in part.lines for words in (one.reason, *one.doubts)),
        )
    ]
    assert told
    assert [one for one in told if re.search(r"[{}`]|always:|_", one)] == []


@pytest.mark.parametrize("event", [event for event in GROUPS if event != "period.closed"])
def test_a_table_that_was_left_out_can_be_taken_in_as_any_event(event: str) -> None:
    tree: Tree = {"authority": "S12000027", "tables": []}
    new = Sheet("Zag", False, [Seen("Zig", ["x", "y"]), Seen("Zog", ["u", "v"])])
    [asked] = left_out(tree, [new])
    assert asked.field.value == "", "it stays left out without an answer"
    assert f"as:{event}" in {option.value for option in asked.field.options}
    after, remarks, by_hand = placed(tree, Remarks(), [new], {asked.field.name: f"as:{event}"})
    assert [list(table["states"]) for table in after["tables"]] == [[event]]
    assert by_hand == []
    assert left_out(after, [new]) == []
    assert list(open_in(form_of(after, remarks, [new], USES))), "what is missing is asked"


@pytest.mark.parametrize("event", [name for name, fact in STATABLE.items() if "ref" in members(fact)])
def test_a_corrected_day_does_not_count_twice_without_a_doubt(event: str) -> None:
    """Rows without a number are told apart by their day, so that the row of the former day must not go on counting."""
    day = STATABLE[event].DATES[0]
    tree: Tree = {"authority": "S12000027", "tables": []}
    form = shown(tree, SHEET)
    answers = {line(form, "Ref").use.name: "order", line(form, "Seen").use.name: f"{event}:{day}"}
    [table] = answered(tree, form, answers, [SHEET], USES).tree["tables"]
    assert table["vanished"] == "withdraw"
    table["states"][event]["ref"] = {"joined": ["Seen"]}
    for vanished, doubted in (("withdraw", False), ("report", True)):
        again = shown({"authority": "S12000027", "tables": [table | {"vanished": vanished}]}, SHEET)
        assert any("counts twice" in doubt for doubt in again.parts[0].doubts) is doubted
