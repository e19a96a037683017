"""Proposes a mapping from headings and values, with its reasons and doubts. Pure."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import Any, NamedTuple

from contracts.codes import Activity, Attendance, Code, EndReason, RequirementKind, Sex, WorkType
from contracts.decoding import envelope
from contracts.events import Fact, PersonRef
from services.connect.extracts.cells import Scalar, plain, text_of
from services.connect.mapping.evidence import order_of, references, sessions_in
from services.connect.mapping.forms import bare, optional
from services.connect.mapping.hints import BORN, CASELOAD, COMPLETE_BY, ENOUGH, FACTS, HOURS, IDENTIFIES, LENGTHS
from services.connect.mapping.likeness import SURE, asked_about, likeliest, means, meant
from services.connect.mapping.model import STATABLE, members
from services.connect.mapping.numbers import unit_of
from services.connect.mapping.seen import DURATION, IDENTIFIER, Seen, Sheet, reader_of, reads
from services.connect.mapping.transforms import code_in, whole_in
from services.connect.mapping.words import MONTHS

_SHOWN = 8
_WORDS = 40
"""Most of an office's own words for one code list."""
_TELLING = (Sex, Attendance, EndReason, Activity)
"""Code lists that identify a column whatever its heading."""
_NO_NUMBER = (
    "rows have no number, so two of one order on one day cannot be told apart, and a changed date makes another row"
)

_HOURS = "hours"
"""The role of a column with hours in a table of sessions."""
_DAY = 24 * 60
"""Minutes: longer than any session."""
_DAY_IN_NAME = re.compile(r"(?<!\d)(20\d\d[-_.]?[01]\d[-_.]?[0-3]\d|[0-3]\d[-_.]?[01]\d[-_.]?20\d\d)(?!\d)")
_DAY_MONTH = re.compile(r"(\d{1,2})[./\- ](\d{1,2})[./\- ](?:\d{4}|\d\d)(?!\d)")
_GONE = (
    "if a row is gone, what was sent still counts and is reported each time (report), is taken back (withdraw), "
    "or the order ends ({ended: other})"
)


class Known(NamedTuple):
    """The knowledge about a table that its own columns do not give."""

    references: Collection[str] = ()
    """Those of the orders in other tables, in plain form."""
    event: str = ""
    """What a person said that each row states; empty if nobody did."""


def proposal(
    sheets: Sequence[Sheet], authority: str | None = None, alone: bool = True, known: Known | None = None
) -> str:
    """Return the mapping as YAML, for a person to read and correct. `alone` says whether the mapping has no other table."""
    names = [name for sheet in sheets for name in sheet.tabs or (sheet.name,) if not sheet.is_file]
    lines = [
        "# Proposed from headings and values. Read every line, above all those with DOUBT; then: payback connect check",
        f"authority: {authority}"
        if authority
        else "authority: S12000000  # DOUBT: the statistical code of your authority; or run suggest with --authority",
        "tables:",
    ]
    own = [references([sheet]) for sheet in sheets]
    for number, sheet in enumerate(sheets):
        others = set().union(*own[:number], *own[number + 1 :])
        where = _where(sheet, alone=alone and len(sheets) == 1, names=names)
        lines += _table(sheet, where, known or Known(others))
    return "\n".join(lines) + "\n"


def _table(sheet: Sheet, where: str, known: Known) -> list[str]:
    called = " and ".join(sheet.tabs) or sheet.name
    order = order_of(sheet, known.references)
    if order is None and not known.event:
        return [f"  # {called} is left out: no column looks like the reference of an order."]
    if order is not None:
        order.used = True
    team = _caseload(sheet)
    stated = _stated(sheet, order, known)
    if not stated:
        return [f"  # {called} is left out: none of its columns looks like an event in an order."]
    unused = [column.heading for column in sheet.columns if not column.used]
    rest = [f"    # Not used: {', '.join(map(_quoted, unused))}"] if unused else []
    named = '    order: "?"  # DOUBT: no column looks like the reference of an order'
    if order is not None:
        named = _doubted(sheet, order, f"    order: {_quoted(order.heading)}  # {_distinct(order)}")
    gone = "withdraw" if any(_NO_NUMBER in line for line in stated) else "report"
    return [
        f"  - {where}",
        *_across(sheet),
        named,
        *team,
        f"    vanished: {gone}  # DOUBT: {_GONE}",
        "    states:",
        *stated,
        *rest,
    ]


def _stated(sheet: Sheet, order: Seen | None, known: Known) -> list[str]:
    """Propose what the rows state: what a person said, or whatever headings and values tell."""
    _look_for_sessions(sheet, order, known.references)
    if known.event:
        return _stating(sheet, known.event, STATABLE[known.event])
    return [block for name, fact in STATABLE.items() if name in FACTS for block in _fact(sheet, name, fact)]


def _look_for_sessions(sheet: Sheet, order: Seen | None, known: Collection[str]) -> None:
    """Find the columns of sessions by their values, if headings do not tell what a table states."""
    if order is None or any(_identified(sheet, name, fact) for name, fact in STATABLE.items() if name in FACTS):
        return
    found = sessions_in(sheet, order, known)
    if found is not None:
        roles = {"session_on": found.day, "attendance": found.attendance, _HOURS: found.worked}
        sheet.roles = {("session.recorded", role): column for role, column in roles.items() if column is not None}


def _caseload(sheet: Sheet) -> list[str]:
    """Propose the caseload. Only a column of codes is suitable: any other might hold names."""
    column = sheet.find(CASELOAD)
    if column is None or not column.words or not all(re.fullmatch(envelope.CASELOAD, one) for one in column.words):
        return []
    column.used = True
    return [f"    caseload: {_quoted(column.heading)}  # who works with the order: {len(column.words)} codes"]


def _across(sheet: Sheet) -> list[str]:
    if sheet.across is None:
        return []
    names = f"day: {_quoted(sheet.across.day)}, cell: {_quoted(sheet.across.cell)}"
    return [f"    across: {{{names}}}  # {sheet.days} columns are days; each filled cell below them counts as a row"]


def _where(sheet: Sheet, alone: bool, names: Sequence[str]) -> str:
    """Return how the table is found; if a text file is the only one, it may have another name tomorrow."""
    if sheet.tabs:
        told = f"{len(sheet.tabs)} sheets with the same headings are one table: {', '.join(sheet.tabs)}"
        pattern = _pattern(sheet.tabs, names)
        listed = _quoted(pattern) if pattern else f"[{', '.join(map(_quoted, sheet.tabs))}]"
        return f"sheet: {listed}  # DOUBT: {told}"
    if not sheet.is_file:
        return f"sheet: {_quoted(sheet.name)}"
    if alone:
        return f"name: {_quoted(_stem(sheet.name))}"
    return (
        f"file: {_quoted(lasting(sheet.name))}  # DOUBT: which part of the name stays the same? * stands for anything"
    )


def lasting(file: str) -> str:
    """Return the pattern of a file's name whatever day is in it."""
    return _DAY_IN_NAME.sub("*", file)


def _pattern(tabs: Sequence[str], names: Sequence[str]) -> str:
    """Return a pattern for these sheets and no other of the workbook; empty if their names share nothing, or it is not clear what."""
    start, end = _shared(tabs), _shared([name[::-1] for name in tabs])[::-1]
    pattern = f"*{end}" if len(end.strip()) > 1 else f"{start}*" if len(start.strip()) > 1 else ""
    others = [name for name in names if name not in tabs]
    return "" if any(fnmatchcase(name.casefold(), pattern.casefold()) for name in others) else pattern


def _shared(texts: Sequence[str]) -> str:
    """Return the beginning that texts share."""
    return "".join(signs[0] for signs in takewhile(lambda signs: len({*signs}) == 1, zip(*texts, strict=False)))


def _stem(name: str) -> str:
    words = plain(name.rpartition(".")[0]).split()
    kept = [word for word in words if not any(sign.isdigit() for sign in word) and word[:3] not in MONTHS]
    return " ".join(kept).capitalize() or "Orders"


def _fact(sheet: Sheet, name: str, fact: type[Fact]) -> list[str]:
    """Propose one fact, if the columns that identify it exist."""
    return _stating(sheet, name, fact) if _identified(sheet, name, fact) else []


def _stating(sheet: Sheet, name: str, fact: type[Fact]) -> list[str]:
    lines = [f"      {name}:"]
    for member, hint in members(fact).items():
        if member == "requirements":
            lines += _requirements(sheet)
        else:
            lines += _member(sheet, name, member, hint)
    return lines


def _identified(sheet: Sheet, name: str, fact: type[Fact]) -> bool:
    """Return whether the columns that identify the fact exist; an imposition has so many that a few are enough."""
    found = {member for member, hint in members(fact).items() if _column(sheet, name, member, bare(hint))}
    if any(event == name for event, _ in sheet.roles):
        return True
    if name == "session.recorded" and "session_on" in found and sheet.find(HOURS, DURATION):
        return True
    if name == "order.imposed":
        lengths = [kind for kind, names in LENGTHS.items() if sheet.find(names, int)]
        return found >= {*IDENTIFIES[name]} or len(found) + len(lengths) + bool(sheet.find(BORN, date)) >= ENOUGH
    return found >= {*IDENTIFIES[name]}


def _column(sheet: Sheet, name: str, member: str, kind: Any) -> Seen | None:
    """Return the column of a member by its heading, or by its words if they identify a code list."""
    if (name, member) in sheet.roles:
        return sheet.roles[name, member]
    names = FACTS.get(name, {}).get(member, ())
    if kind == PersonRef:
        return sheet.find(names, IDENTIFIER)
    found = sheet.find(names, DURATION if unit_of(member) == "minutes" else kind)
    if found is not None or not (isinstance(kind, type) and issubclass(kind, Code)):
        return found
    return (sheet.spoken_in(kind) if issubclass(kind, _TELLING) else None) or sheet.told_in(names, kind)


def _member(sheet: Sheet, name: str, member: str, hint: Any) -> list[str]:
    column = _column(sheet, name, member, bare(hint))
    if column is not None and not (member == "age_at_imposition" and sheet.find(BORN, date)):
        column.used = True
        return [_doubted(sheet, column, line) for line in _found(member, column, hint)]
    other = _INSTEAD.get(member)
    instead = None if other is None else other(sheet, name)
    if instead is not None:
        return [f"        {member}: {instead}"]
    return [] if optional(hint) else [f"        {member}: {_missing(sheet, member, hint)}"]


def _doubted(sheet: Sheet, column: Seen, line: str) -> str:
    """Return the line that names the column, with the reason why it may be another."""
    doubt = sheet.doubts.get(column.heading)
    if doubt is None or _quoted(column.heading) not in line:
        return line
    return f"{line}; DOUBT: {doubt}" if "  # " in line else f"{line}  # DOUBT: {doubt}"


def _born(sheet: Sheet, _: str) -> str | None:
    born = sheet.find(BORN, date)
    if born is None:
        return None
    born.used = True
    return f"{{born: {_quoted(born.heading)}}}  # the date of birth itself is not sent"


def _hours(sheet: Sheet, name: str) -> str | None:
    hours = sheet.roles.get((name, _HOURS)) or sheet.find(HOURS, DURATION)
    if hours is None:
        return None
    hours.used = True
    most = max((_minutes(cell) for cell in hours.filled if reads(_minutes, cell)), default=0)
    long = "; some are longer than a day: are they minutes?" if most > _DAY else ""
    given = f"{{column: {_quoted(hours.heading)}, times: 60, blank: 0}}"
    line = f"{given}  # DOUBT: taken for hours, so for 60 minutes each, and a blank cell for none{long}{_unread(hours)}"
    return _doubted(sheet, hours, line)


def _unread(hours: Seen) -> str:
    wrong = dict.fromkeys(_quoted(text_of(cell)) for cell in hours.filled if not reads(_minutes, cell))
    return f"; DOUBT: {', '.join([*wrong][:_SHOWN])}" if wrong else ""


def _minutes(cell: Scalar) -> int:
    return whole_in(cell, 60, "minutes")


def _number(sheet: Sheet, name: str) -> str | None:
    day = _column(sheet, name, IDENTIFIES[name][0], date) if name in IDENTIFIES else None
    return None if day is None else f"{{joined: [{_quoted(day.heading)}]}}  # DOUBT: {_NO_NUMBER}"


_INSTEAD: dict[str, Callable[[Sheet, str], str | None]] = {
    "age_at_imposition": _born,
    "minutes_credited": _hours,
    "ref": _number,
}
"""Members that another column may provide if they have no column of their own."""


def _found(member: str, column: Seen, hint: Any) -> Iterator[str]:
    kind = bare(hint)
    if isinstance(kind, type) and issubclass(kind, Code):
        yield from _coded(member, column, kind, "" if optional(hint) else _for_blanks(kind))
        return
    yield f"        {member}: {_quoted(column.heading)}  # {_evidence(column, kind, unit_of(member))}"


def _for_blanks(kind: type[Code]) -> str:
    """Return the code for a blank cell; empty if there is none that says no more than that."""
    return "not_known" if "not_known" in list(kind) else "other" if kind is WorkType else ""


def _coded(member: str, column: Seen, kind: type[Code], blank: str) -> Iterator[str]:
    """Propose how the words of a column are read, and that a blank cell means this code."""
    read = code_in(kind, {})
    unknown = Counter(text_of(cell) for cell in column.filled if not reads(read, cell))
    blanks = len(column.cells) - len(column.filled) if blank else 0
    counted = f"{blanks} blank {'cell counts' if blanks == 1 else 'cells count'} as {blank.replace('_', ' ')}"
    doubt = f"DOUBT: {counted}" if blanks else ""
    if not unknown:
        where = f"{{column: {_quoted(column.heading)}, blank: {blank}}}" if blanks else _quoted(column.heading)
        yield f"        {member}: {where}  # all {len(column.filled)} words are known{doubt and '; ' + doubt}"
        return
    yield f"        {member}:"
    yield f"          column: {_quoted(column.heading)}"
    yield from [f"          blank: {blank}  # {doubt}"] if blanks else []
    yield f"          codes:  # DOUBT: your words; the codes are {', '.join(kind)}"
    for word, times in unknown.most_common(_WORDS):
        code, doubt = nearest(word, kind)
        yield f"            {_quoted(word)}: {code}  # in {times} {'row' if times == 1 else 'rows'}{doubt}"
    if len(unknown) > _WORDS:
        yield f"            # DOUBT: {len(unknown) - _WORDS} more words are not shown; check shows each"


def nearest(word: str, kind: type[Code]) -> tuple[str, str]:
    """Return the code that a word says in all but spelling; else `?`, with what it may mean, about which `check` asks.

    A word that only resembles those of a code, or holds them among others, is never taken for it.
    """
    found = meant(word, kind)
    if len(found) == 1 and means(word, found[0]):
        return str(found[0]), ""
    if kind is WorkType and not found:
        return str(WorkType.OTHER), "; DOUBT: nothing nearer was found"
    asked = asked_about(word, kind)
    return '"?"', f"; {' or '.join(asked)}?" if asked else ""


def _requirements(sheet: Sheet) -> list[str]:
    found = []
    for kind, names in LENGTHS.items():
        column = sheet.find(names, int)
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
    until = sheet.find(COMPLETE_BY, date)
    if until is None:
        return f"hours: {_quoted(column.heading)}"
    until.used = True
    return f"hours: {_quoted(column.heading)}, complete_by: {_quoted(until.heading)}"


def _missing(sheet: Sheet, member: str, hint: Any) -> str:
    kind = bare(hint)
    codes = list(kind) if isinstance(kind, type) and issubclass(kind, Code) else []
    usual = next((code for code in ("not_known", "other", "unpaid_work") if code in codes), None)
    none = f"DOUBT: no column was found for {member.replace('_', ' ')}"
    if kind is bool:
        return f"{{always: no}}  # {none}, so it is no in every row; is it always so?"
    if usual is not None and kind is not EndReason:
        return f"{{always: {usual}}}  # {none}, so it is {usual.replace('_', ' ')} in every row; is it always so?"
    if member == "rule_version":
        return f'{{always: "1"}}  # {none}, so it is 1 in every row; is it always so?'
    return f'"?"  # {none}{_perhaps(sheet, kind, codes)}'


def _perhaps(sheet: Sheet, kind: Any, codes: Sequence[str]) -> str:
    """Return what else could provide a member: columns of the kind, or one code for all rows."""
    if codes:
        return f"; {{always: {codes[0]}}} if it is always that, or {', '.join(codes[1:])}"
    columns = [one for one in sheet.free if (one.dated and one.likely < SURE if kind is date else _may_tell(one))]
    named = " or ".join(_quoted(one.heading) for one in columns)
    return f"; is it {named}?" if kind in {date, PersonRef} and named else ""


def _may_tell(column: Seen) -> bool:
    """Return whether a column may tell people apart: by a number, or else by their names."""
    return column.numbers or (likeliest(column.heading, FACTS["order.imposed"]["person_ref"])[0] >= SURE)


def _evidence(column: Seen, kind: Any, unit: str = "") -> str:
    """Return how many cells are what they should be."""
    read = reader_of(kind)
    if kind is int and unit == "minutes":
        read = lambda cell: whole_in(cell, 1, unit)  # noqa: E731
    filled = column.filled
    if not filled:
        return "DOUBT: every cell is blank"
    if read is None:
        return _counted(len(filled), "cell") if kind == PersonRef else f"as in {_quoted(text_of(filled[0]))}"
    wrong = [cell for cell in filled if not reads(read, cell)]
    fit = len(filled) - len(wrong)
    words = f"{fit} of {_counted(len(filled), 'cell')} {_are(fit, kind)}"
    mixed = kind is date and len({isinstance(cell, str) for cell in filled}) > 1
    if mixed:
        words += "; DOUBT: some dates are text, some are not: were days and months swapped?"
    if kind is date and (either := next(_either_way(filled), None)):
        words += f"; DOUBT: no date tells days from months: {either} is read as day, month, year, unless you give `dates: mdy`"
    if wrong:
        words += f"; DOUBT: {', '.join(dict.fromkeys(_quoted(text_of(cell)) for cell in wrong[:_SHOWN]))}"
    return words


def _either_way(cells: Sequence[Scalar]) -> Iterator[str]:
    """Yield dates written as text that are also dates in American order, if all of the column are."""
    found = [match for cell in cells if (match := _DAY_MONTH.match(text_of(cell)))]
    if all(max(int(match[1]), int(match[2])) <= 12 for match in found):
        yield from (match[0] for match in found if match[1] != match[2])


def _distinct(column: Seen) -> str:
    filled = [text_of(cell) for cell in column.filled]
    if not filled:
        return "DOUBT: every cell is blank"
    words = " in ".join((_counted(len(set(filled)), "reference"), _counted(len(filled), "row")))
    return f"{words}; DOUBT: does it identify the person?" if any(word.isalpha() for word in filled) else words


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _are(count: int, kind: Any) -> str:
    one, many = _NAMES[kind]
    return f"is {one}" if count == 1 else f"are {many}"


_NAMES = {date: ("a date", "dates"), int: ("a whole number", "whole numbers"), bool: ("yes or no", "yes or no")}


def _quoted(text: str) -> str:
    return json.dumps(text.strip(), ensure_ascii=False)
