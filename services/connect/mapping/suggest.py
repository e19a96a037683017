"""A mapping proposed from headings and values, with the reasons for it and the doubts about it. Pure."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from contracts.codes import Code, RequirementKind
from contracts.events import Fact, PersonRef
from services.connect.extracts.cells import Scalar, plain, text_of
from services.connect.extracts.columns import Row, is_total
from services.connect.faults import Unread
from services.connect.mapping.forms import bare, optional
from services.connect.mapping.hints import BORN, COMPLETE_BY, FACTS, HOURS, IDENTIFIES, LENGTHS, ORDER, Names
from services.connect.mapping.model import STATABLE, members
from services.connect.mapping.transforms import code_in, date_in, truth_in, whole_in
from services.connect.mapping.words import MONTHS

_CLOSE = 0.84
"""From here on a heading is taken for another way to write a usual one."""
_SHOWN = 8
_NO_NUMBER = (
    "rows have no number, so two of one order on one day are told apart by nothing, and a changed date is another row"
)


@dataclass(slots=True)
class Seen:
    """A column as it was found."""

    heading: str
    cells: list[Scalar]
    used: bool = False

    @property
    def filled(self) -> list[Scalar]:
        return [cell for cell in self.cells if text_of(cell)]


@dataclass(slots=True)
class Sheet:
    """A table on its way to a proposal."""

    name: str
    is_file: bool
    columns: list[Seen]
    lines: list[str] = field(default_factory=list)

    def find(self, names: Names) -> Seen | None:
        """The column that is most likely called one of these."""
        free = [column for column in self.columns if not column.used]
        best = max(free, key=lambda column: _likeness(column.heading, names), default=None)
        if best is None or _likeness(best.heading, names) < _CLOSE:
            return None
        return best


def sheet_of(name: str, is_file: bool, headings: Sequence[str], rows: Iterable[Row]) -> Sheet:
    """A table with its first rows."""
    some = [row for row in rows if not is_total(row)]
    columns = [Seen(text, [row.cells[place] for row in some]) for place, text in enumerate(headings) if text.strip()]
    return Sheet(name, is_file, columns)


def proposal(sheets: Sequence[Sheet]) -> str:
    """The mapping as YAML, to be read and mended by a person."""
    lines = [
        "# Proposed from headings and values. Read every line, above all those with DOUBT; then: payback connect check",
        "authority: S12000000  # DOUBT: the statistical code of your authority",
        "tables:",
    ]
    for sheet in sheets:
        lines += _table(sheet, alone=len(sheets) == 1)
    return "\n".join(lines) + "\n"


def _table(sheet: Sheet, alone: bool) -> list[str]:
    where = f"  - {_where(sheet, alone)}"
    order = sheet.find(ORDER)
    if order is None:
        return [f"  # {sheet.name} is left out: no column looks like the reference of an order."]
    order.used = True
    stated = [block for name, fact in STATABLE.items() if name in FACTS for block in _fact(sheet, name, fact)]
    if not stated:
        return [f"  # {sheet.name} is left out: nothing in it looks like something that happens to an order."]
    unused = [column.heading for column in sheet.columns if not column.used]
    rest = [f"    # Not used: {', '.join(map(_quoted, unused))}"] if unused else []
    return [where, f"    order: {_quoted(order.heading)}  # {_distinct(order)}", "    states:", *stated, *rest]


def _where(sheet: Sheet, alone: bool) -> str:
    """How the table is found; a text file that is the only one may have another name tomorrow."""
    if not sheet.is_file:
        return f"sheet: {_quoted(sheet.name)}"
    if alone:
        return f"name: {_quoted(_stem(sheet.name))}"
    return f"file: {_quoted(sheet.name)}  # DOUBT: what of the name stays the same? * is anything"


def _stem(name: str) -> str:
    words = plain(name.rpartition(".")[0]).split()
    kept = [word for word in words if not any(sign.isdigit() for sign in word) and word[:3] not in MONTHS]
    return " ".join(kept).capitalize() or "Orders"


def _fact(sheet: Sheet, name: str, fact: type[Fact]) -> list[str]:
    """One fact, if the columns that tell it from others are there."""
    identified = [(member, sheet.find(FACTS[name].get(member, ()))) for member in IDENTIFIES[name]]
    if any(column is None for _, column in identified):
        return []
    lines = [f"      {name}:"]
    for member, hint in members(fact).items():
        if member == "requirements":
            lines += _requirements(sheet)
        else:
            lines += _member(sheet, name, member, hint)
    return lines


def _member(sheet: Sheet, name: str, member: str, hint: Any) -> list[str]:
    column = sheet.find(FACTS[name].get(member, ()))
    if column is not None and not (member == "age_at_imposition" and sheet.find(BORN)):
        column.used = True
        return list(_found(member, column, bare(hint)))
    other = _INSTEAD.get(member)
    instead = None if other is None else other(sheet, name)
    if instead is not None:
        return [f"        {member}: {instead}"]
    return [] if optional(hint) else [f"        {member}: {_missing(member, hint)}"]


def _born(sheet: Sheet, _: str) -> str | None:
    born = sheet.find(BORN)
    if born is None:
        return None
    born.used = True
    return f"{{born: {_quoted(born.heading)}}}  # the date of birth itself goes nowhere"


def _hours(sheet: Sheet, _: str) -> str | None:
    hours = sheet.find(HOURS)
    if hours is None:
        return None
    hours.used = True
    return f"{{column: {_quoted(hours.heading)}, times: 60, blank: 0}}  # hours make minutes"


def _number(sheet: Sheet, name: str) -> str | None:
    day = sheet.find(FACTS[name][IDENTIFIES[name][0]])
    return None if day is None else f"{{joined: [{_quoted(day.heading)}]}}  # DOUBT: {_NO_NUMBER}"


_INSTEAD: dict[str, Callable[[Sheet, str], str | None]] = {
    "age_at_imposition": _born,
    "minutes_credited": _hours,
    "ref": _number,
}
"""What may stand in the place of a column of its own."""


def _found(member: str, column: Seen, kind: Any) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, Code):
        yield from _coded(member, column, kind)
        return
    yield f"        {member}: {_quoted(column.heading)}  # {_evidence(column, kind)}"


def _coded(member: str, column: Seen, kind: type[Code]) -> Iterator[str]:
    read = code_in(kind, {})
    unknown = Counter(text_of(cell) for cell in column.filled if not _reads(read, cell))
    blank = "not_known" in list(kind) and len(column.filled) < len(column.cells)
    if not unknown:
        where = f"{{column: {_quoted(column.heading)}, blank: not_known}}" if blank else _quoted(column.heading)
        yield f"        {member}: {where}  # all {len(column.filled)} words are known"
        return
    yield f"        {member}:"
    yield f"          column: {_quoted(column.heading)}"
    yield from ["          blank: not_known"] if blank else []
    yield f"          codes:  # DOUBT: your words; the codes are {', '.join(kind)}"
    for word, times in unknown.most_common(_SHOWN * 5):
        yield f"            {_quoted(word)}: {_nearest(word, kind)}  # {times} times"


def _nearest(word: str, kind: type[Code]) -> str:
    """The code that is written almost like it; `?` where none is, which `check` asks about."""

    def likeness(one: Code) -> float:
        return max(_ratio(plain(word), plain(one.label)), _ratio(plain(word), plain(str(one))))

    best = max(kind, key=likeness)
    return str(best) if likeness(best) >= _CLOSE else '"?"'


def _requirements(sheet: Sheet) -> list[str]:
    found = []
    for kind, names in LENGTHS.items():
        column = sheet.find(names)
        if column is not None:
            column.used = True
            found.append(f"          - {{kind: {kind}, {_length(sheet, kind, column)}}}  # {_evidence(column, int)}")
    if not found:
        return [
            "        requirements: []  # DOUBT: no column with hours of unpaid work or months of supervision was found"
        ]
    return ["        requirements:", *found]


def _length(sheet: Sheet, kind: RequirementKind, column: Seen) -> str:
    if kind is not RequirementKind.UNPAID_WORK:
        return f"months: {_quoted(column.heading)}"
    until = sheet.find(COMPLETE_BY)
    if until is None:
        return f"hours: {_quoted(column.heading)}"
    until.used = True
    return f"hours: {_quoted(column.heading)}, complete_by: {_quoted(until.heading)}"


def _missing(member: str, hint: Any) -> str:
    kind = bare(hint)
    if kind is bool:
        return "{always: no}  # DOUBT: no column was found; is it always so?"
    codes = list(kind) if isinstance(kind, type) and issubclass(kind, Code) else []
    usual = next((code for code in ("not_known", "other", "unpaid_work") if code in codes), None)
    if usual is not None:
        return f"{{always: {usual}}}  # DOUBT: no column was found; is it always so?"
    if member == "rule_version":
        return '{always: "1"}  # DOUBT: no column was found'
    return f'"?"  # DOUBT: no column was found for {member.replace("_", " ")}'


def _evidence(column: Seen, kind: Any) -> str:
    """How many cells are what they should be."""
    read = _READERS.get(kind)
    filled = column.filled
    if not filled:
        return "DOUBT: every cell is blank"
    if read is None:
        return f"{len(filled)} cells" if kind == PersonRef else f"as in {_quoted(text_of(filled[0]))}"
    wrong = [cell for cell in filled if not _reads(read, cell)]
    words = f"{len(filled) - len(wrong)} of {len(filled)} cells are {_NAMES[kind]}"
    mixed = kind is date and len({isinstance(cell, str) for cell in filled}) > 1
    if mixed:
        words += "; DOUBT: some dates are text, some are not: were days and months swapped?"
    if wrong:
        words += f"; DOUBT: {', '.join(dict.fromkeys(_quoted(text_of(cell)) for cell in wrong[:_SHOWN]))}"
    return words


def _distinct(column: Seen) -> str:
    filled = [text_of(cell) for cell in column.filled]
    if not filled:
        return "DOUBT: every cell is blank"
    words = f"{len(set(filled))} references in {len(filled)} rows"
    return f"{words}; DOUBT: does it tell of the person?" if any(word.isalpha() for word in filled) else words


_READERS: dict[Any, Callable[[Scalar], Any]] = {date: date_in, int: whole_in, bool: lambda cell: truth_in(cell, {})}
_NAMES = {date: "dates", int: "whole numbers", bool: "yes or no"}


def _reads(read: Callable[[Scalar], Any], cell: Scalar) -> bool:
    try:
        read(cell)
    except Unread:
        return False
    return True


def _likeness(heading: str, names: Names) -> float:
    own = plain(heading)
    return max((_ratio(own, name) for name in names), default=0.0)


def _ratio(one: str, other: str) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one, other).ratio()


def _quoted(text: str) -> str:
    return json.dumps(text.strip(), ensure_ascii=False)
