"""Finds the members that no column holds: the same in every row, or made of another column. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from contracts.codes import Code, LateReason
from contracts.events import Label
from services.connect.form.lines import Around
from services.connect.form.model import OPEN, Constant, Field, Option
from services.connect.form.tables import Node, Table, beginning_small, named, told_in
from services.connect.form.uses import GROUPS, Use, choices, is_reference
from services.connect.mapping.model import STATABLE

_ASK = Option(OPEN, "Choose")
_NOTHING = Option("", "Not known, so nothing is said of it")
ALWAYS, JOINED = "always:", "joined:"


def of(around: Around, headings: Sequence[str]) -> Iterator[Constant]:
    """Yield the members without a column: those that must be there, and those that the table gives."""
    table, uses = around.table, around.uses
    if table.get("states") and table.get("order", OPEN) == OPEN and not _is_about_all(table):
        yield _by_column(around.name, uses["order"])
    for event, stated in table.get("states", {}).items():
        if not isinstance(stated, dict):
            continue
        if event == "order.imposed" and not stated.get("requirements"):
            lengths = "What the order asks: hours of unpaid work, or months of another requirement"
            yield Constant("requirements", Field(f"{around.name}.k.requirements", lengths, OPEN), by_column=True)
        for use in uses.values():
            if use.event == event and not use.requirement and not use.born:
                yield from _of_member(around, stated.get(use.member), use, headings)


def _is_about_all(table: Table) -> bool:
    """Return whether a table states monthly totals only, which are about no order."""
    return set(table.get("states", {})) == {"period.closed"}


def _of_member(around: Around, node: Node | None, use: Use, headings: Sequence[str]) -> Iterator[Constant]:
    if (node is None and not _may_be_said(use)) or not _is_constant(node, use):
        return
    at = f"{around.name}.k.{use.key}"
    label = f"{GROUPS[use.event]}: {beginning_small(use.label.rpartition(': ')[2])}"
    place = (*around.path, *use.place(around.table))
    _, doubts = told_in(text for _, text in around.remarks.under(place))
    value = "" if node is None and not use.required else value_in(node)
    if use.kind == Label:
        text = "" if value == OPEN else value.removeprefix(ALWAYS)
        yield Constant(use.key, Field(f"{at}.text", label, text), doubts=doubts)
    elif (options := _options(use, value, headings, days_of(around.table, use.event))) is None:
        yield _by_column(around.name, use)
    else:
        yield Constant(use.key, Field(at, label, value, options), doubts=doubts)


def days_of(table: Table, event: str) -> list[Node]:
    """Return what a table says of the days of an event; nothing if it says it in several forms, or the event is unknown."""
    stated, fact = table["states"][event], STATABLE.get(event)
    if fact is None or not isinstance(stated, dict):
        return []
    return [stated[day] for day in fact.DATES if day in stated]


def joined_in(stated: Any) -> Sequence[str]:
    """Return the headings of which an event makes its number; none if it has a column or several forms."""
    ref = stated.get("ref") if isinstance(stated, dict) else None
    return ref.get("joined", ()) if isinstance(ref, dict) else ()


def _may_be_said(use: Use) -> bool:
    """Return whether a member is asked about that no column holds: it must be there, or may be the same in every row."""
    return use.required or (use.kind is not LateReason and isinstance(use.kind, type) and issubclass(use.kind, Code))


def _is_constant(node: Node | None, use: Use) -> bool:
    if node is None or node == OPEN:
        return True
    return isinstance(node, dict) and (set(node) == {"always"} or (is_reference(use.kind) and set(node) == {"joined"}))


def _by_column(name: str, use: Use) -> Constant:
    group = f"{GROUPS[use.event]}: " if use.event else ""
    label = group + beginning_small(use.label.rpartition(": ")[2])
    return Constant(use.key, Field(f"{name}.k.{use.key}", label, OPEN), by_column=True)


def _options(use: Use, value: str, headings: Sequence[str], days_of: Sequence[Node]) -> tuple[Option, ...] | None:
    """Return what may be chosen; None if only a column can hold it."""
    if is_reference(use.kind) and use.member == "ref":
        days = [one for one in headings if any(named(node, one) for node in days_of)]
        usual = (Option(f"{JOINED}{one}", f"its day, from {one}: one row of an order on each day") for one in days)
        rest = (Option(f"{JOINED}{one}", f"made from {one}") for one in headings if one not in days)
        options = (*usual, *rest)
    else:
        options = tuple(Option(f"{ALWAYS}{one.value}", f"{one.label} in every row") for one in choices(use.kind))
    if value == OPEN:
        return (_ASK, *options) if options else None
    options = (_NOTHING, *options) if _may_be_said(use) and not use.required else options
    there = any(value == option.value for option in options)
    return options if there else (*options, Option(value, value.partition(":")[2]))


def value_in(node: Any) -> str:
    """Return a constant as the value of a field."""
    if not isinstance(node, dict):
        return OPEN
    return f"{ALWAYS}{node['always']}" if "always" in node else f"{JOINED}{node['joined'][0]}"


def node_of(value: str) -> Node | None:
    """Return the constant that the value of a field means; None if nothing is said."""
    if not value:
        return None
    if value.startswith(JOINED):
        return {"joined": [value.removeprefix(JOINED)]}
    return {"always": value.removeprefix(ALWAYS)} if value.startswith(ALWAYS) else OPEN


def is_kept(node: Any) -> bool:
    """Return whether only the text can carry it."""
    if not isinstance(node, dict) or {"column", "born"} & node.keys():
        return False
    joined = node.get("joined", ())
    return not (set(node) == {"always"} or (set(node) == {"joined"} and len(joined) == 1))
