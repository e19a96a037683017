"""Turns the answers to a form into a mapping, which keeps what the form does not show. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from contracts.codes import Code
from contracts.events import Ref
from services.connect.extracts.cells import Scalar, plain, text_of
from services.connect.faults import Unread
from services.connect.form import constants
from services.connect.form.lines import MOST, is_understood
from services.connect.form.model import OPEN, Answered, Fault, Field, Form, Line, Part
from services.connect.form.showing import tables_of
from services.connect.form.tables import Node, Table, Tree, as_value, renamed, shortest
from services.connect.form.uses import Use, choices, slots
from services.connect.mapping.hints import HOURS
from services.connect.mapping.likeness import SURE, likeliest, spoken
from services.connect.mapping.seen import Seen, Sheet, reads
from services.connect.mapping.suggest import lasting, nearest
from services.connect.mapping.transforms import whole_in

Answers = Mapping[str, str]
_DAY = 24 * 60
"""Minutes."""
_BARE = re.compile(r"[\d.,]+")
"""A number that names no unit."""


def answered(tree: Tree, form: Form, answers: Answers, sheets: Sequence[Sheet], uses: Mapping[str, Use]) -> Answered:
    """Return the mapping with these answers. A field without an answer stays as it was."""
    found = Answered(deepcopy(tree))
    _general(found, form, answers)
    tables = tables_of(found.tree)
    added: list[Table] = []
    for part in form.parts:
        table = {"states": {}} if part.table is None else tables[part.table]
        _part(found, part, table, answers, _columns(part, sheets), uses)
        if part.table is None and table["states"]:
            added.append(_placed(table, part, sheets, alone=len(sheets) == 1 and not tables))
        elif part.table is None and slots(table, uses):
            words = f"{part.title}: choose what more of its columns are, or use none of them."
            found.faults.append(Fault(part.lines[0].use.name, words))
    if added:
        found.tree.setdefault("tables", []).extend(added)
    kept = [one for one in found.tree.get("tables", []) if not isinstance(one, dict) or one.get("states")]
    if found.tree.get("tables") != kept:
        found.tree["tables"] = kept
    found.changed = found.tree != tree
    return found


def _given(field: Field, answers: Answers) -> str | None:
    """Return the answer, if it differs from what the field holds."""
    given = answers.get(field.name, field.value).replace("\r\n", "\n")
    return None if given == field.value else given


def _general(found: Answered, form: Form, answers: Answers) -> None:
    for field in form.general:
        given = _given(field, answers)
        if given is None:
            continue
        if field.name == "blanks":
            words = [line.strip() for line in given.splitlines() if line.strip()]
            _set(found.tree, "blanks", words or None)
        elif given or field.name != "authority":
            _set(found.tree, field.name, given or None)


def _set(part: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        part.pop(name, None)
        return
    behind = part.pop("tables", None) if name not in part else None
    part[name] = value
    if behind is not None:
        part["tables"] = behind


def _columns(part: Part, sheets: Sequence[Sheet]) -> dict[str, Seen]:
    """Return the columns of the sheet that a part shows."""
    sheet = next((one for one in sheets if one.title == part.title), None)
    return {} if sheet is None else {plain(column.heading): column for column in reversed(sheet.columns)}


def _placed(table: Table, part: Part, sheets: Sequence[Sheet], alone: bool) -> Table:
    """Return a new table with where it is found."""
    sheet = next(one for one in sheets if one.title == part.title)
    if not sheet.is_file:
        return {"sheet": list(sheet.tabs) or sheet.name, **table}
    return {"name": sheet.name, **table} if alone else {"file": lasting(sheet.name), **table}


def _part(
    found: Answered, part: Part, table: Table, answers: Answers, columns: Mapping[str, Seen], uses: Mapping[str, Use]
) -> None:
    for field in part.general:
        given = _given(field, answers)
        if given is not None and field.key != "vanished":
            table[field.key] = given.strip() or field.value
        elif given is not None:
            table["vanished"] = {"ended": given.removeprefix("ended:")} if given.startswith("ended:") else given
    for constant in part.constants:
        given = None if constant.by_column else _given(constant.field, answers)
        if given is not None:
            text = constant.field.key == "text"
            value = (f"{constants.ALWAYS}{given}" if given else OPEN) if text else given
            uses[constant.use].put(table, constants.node_of(value))
    _lines(found, part, table, answers, columns, uses)


def _lines(
    found: Answered, part: Part, table: Table, answers: Answers, columns: Mapping[str, Seen], uses: Mapping[str, Use]
) -> None:
    events = {use.event for use, _ in slots(table, uses)}
    _called(table, part, answers)
    moved = [(line, given) for line in part.lines if (given := _given(line.use, answers)) is not None]
    for line, _ in moved:
        if line.use.value:
            uses[line.use.value].put(table, None)
    for line in part.lines:
        if line not in [one for one, _ in moved] and line.use.value:
            _settled(table, line, answers, uses[line.use.value])
    for line, given in moved:
        if given in uses:
            _taken(found, part, table, line, uses[given], columns)
    _without_empty(table, events, uses)
    keys = [key for line, given in moved for key in (line.use.value, given) if key]
    _asking(table, {uses[key].event for key in keys}, uses)


def _called(table: Table, part: Part, answers: Answers) -> None:
    """Let the table name columns that are not there any more as they are called now, wherever it names them."""
    for line in part.lines:
        given = None if line.now is None else _given(line.now, answers)
        if given:
            table.update(renamed(table, line.heading, given))


def _settled(table: Table, line: Line, answers: Answers, use: Use) -> None:
    """Let a column that is what it was be read as the answers say."""
    changes = [(field, given) for field in line.settings if (given := _given(field, answers)) is not None]
    words = [(word, given) for word, *_ in line.words if (given := _meaning(line, word, answers)) is not None]
    node = use.node(table)
    if node is None or not (changes or words):
        return
    value = as_value(node)
    for field, given in changes:
        usual = "1" if field.key == "times" else ""
        _put(value, field.key, "" if given == usual else given)
    codes = dict(value.get("codes", {}))
    for word, given in words:
        _put(codes, word, given)
    value.pop("codes", None)
    use.put(table, shortest({**value, "codes": codes} if codes else value))


def _meaning(line: Line, word: str, answers: Answers) -> str | None:
    return next((_given(one.field, answers) for one in line.words if one.word == word), None)


def _put(part: dict[str, Any], name: str, value: str) -> None:
    if value:
        part[name] = value
    else:
        part.pop(name, None)


def _taken(found: Answered, part: Part, table: Table, line: Line, use: Use, columns: Mapping[str, Seen]) -> None:
    """Take a column for something else than before."""
    node = use.node(table)
    if node is not None and node != OPEN and not (isinstance(node, dict) and {"always", "joined"} & node.keys()):
        words = (
            f"{part.title}: '{line.heading}' and another column are both taken for '{use.label}'; choose one of them."
        )
        found.faults.append(Fault(line.use.name, words))
        return
    if use.born:
        table["states"].get(use.event, {}).pop(use.member, None)
    use.put(table, _fresh(line.heading, use, columns.get(plain(line.heading))))
    if choices(use.kind) or use.minutes:
        found.look_again.append(line.heading)


def _fresh(heading: str, use: Use, column: Seen | None) -> Node:
    """Return what a mapping says of a column that was just taken for something, with the codes that its words must mean."""
    if use.born:
        return {"born": heading}
    value: dict[str, Any] = {"column": heading}
    if use.minutes:
        value |= {"times": "60"} if likeliest(heading, HOURS)[0] >= SURE or _in_hours(column) else {}
        value |= {"blank": "0"} if column is not None and len(column.filled) < len(column.cells) else {}
    if column is not None and choices(use.kind):
        unknown = [word for word in column.words if not is_understood(use.kind, word)]
        codes = {word: _likely(word, use.kind) for word in unknown[:MOST]}
        value |= {"codes": codes} if codes else {}
    return shortest(value)


def _in_hours(column: Seen | None) -> bool:
    """Return whether the bare numbers of a column are so small that they are hours; whoever took it is asked to look at that."""
    if column is None or "minutes" in spoken(column.heading).split():
        return False
    bare = [cell for cell in column.filled if isinstance(cell, int | float) or _BARE.fullmatch(text_of(cell))]
    return bool(bare) and all(reads(_within_a_day, cell) for cell in bare)


def _within_a_day(cell: Scalar) -> int:
    minutes = whole_in(cell, 60, "minutes")
    if not 0 <= minutes <= _DAY:
        raise Unread("is longer than a day")
    return minutes


def _likely(word: str, kind: Any) -> str:
    """Return the code that a word says in all but spelling. What is a guess is asked."""
    if isinstance(kind, type) and issubclass(kind, Code):
        code, doubt = nearest(word, kind)
        return OPEN if doubt else code.strip('"')
    return OPEN


def _without_empty(table: Table, before: set[str], uses: Mapping[str, Use]) -> None:
    """Let a table state no event whose columns were all taken away."""
    after = {use.event for use, _ in slots(table, uses)}
    for event in (before - after) - {""}:
        table["states"].pop(event, None)


def _asking(table: Table, touched: set[str], uses: Mapping[str, Use]) -> None:
    """Ask for what the events must have whose columns changed. Without a number of its own, a corrected row is another, so that the former
    must not go on counting.
    """
    for use in uses.values():
        stated = table["states"].get(use.event)
        if isinstance(stated, dict) and use.event in touched and use.required and use.member not in stated:
            stated[use.member] = OPEN
            if use.kind == Ref and "order.imposed" not in table["states"]:
                table.setdefault("vanished", "withdraw")


def open_in(form: Form) -> Iterator[Fault]:
    """Yield what a form still asks."""
    if form.general[0].value == "":
        yield Fault("authority", "Choose your authority.")
    if not any(part.table is not None for part in form.parts):
        yield Fault("main-content", "Choose what at least one column is.")
    for part in form.parts:
        yield from _open_words(part)
        yield from _open_constants(part)


def _open_words(part: Part) -> Iterator[Fault]:
    for line in part.lines:
        asked = [word for word in line.words if word.field.value == OPEN]
        if asked:
            words = ", ".join(f"'{word.word}'" for word in asked[:5]) + (" and others" if len(asked) > 5 else "")
            yield Fault(asked[0].field.name, f"{part.title}, {line.heading}: choose what {words} means.")


def _open_constants(part: Part) -> Iterator[Fault]:
    for one in part.constants:
        if one.by_column:
            yield Fault(one.field.name, f"{part.title}: no column is taken for '{one.field.label}'.")
        elif one.field.value == OPEN or not (one.field.value or one.field.options):
            yield Fault(one.field.name, f"{part.title}: choose '{one.field.label}'.")
