"""Makes the lines of a form: each column, with what it is taken for and how it is read. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from contracts.codes import Code, RequirementKind
from contracts.events import AuthorityCode, Month
from services.connect.extracts.cells import plain, text_of
from services.connect.form.doubting import doubts_of
from services.connect.form.model import OPEN, Field, Line, Option, Word
from services.connect.form.tables import Node, Path, Remarks, Table, as_value, heading_of, in_words, named, told_in
from services.connect.form.uses import Use, choices, fits, is_reference, slots, tells_of_people
from services.connect.mapping.hints import FACTS, LENGTHS
from services.connect.mapping.likeness import asked_about, likeliest
from services.connect.mapping.seen import Seen, reads
from services.connect.mapping.transforms import authority_in, code_in, truth_in

_SHOWN = 3
_LONGEST = 40
_NEAR = 0.5
"""From this likeness on, a column is named as what another is called now."""
MOST = 40
"""Most words of a column that are asked about."""
DATES = (
    Option("", "as in the rest"),
    Option("dmy", "day, month, year"),
    Option("mdy", "month, day, year"),
    Option("ymd", "year, month, day"),
)
DECIMAL = (Option("", "as in the rest"), Option("point", "a point: 1.5"), Option("comma", "a comma: 1,5"))
_TIMES = (Option("1", "minutes"), Option("60", "hours"))
_KEYED = (Option("", "It does not identify the person"), Option("yes", "It does: send a pseudonym in its place"))
_NO_USE = Option("", "Do not use")
_UNLIKELY = "Less likely, by its values"


@dataclass(frozen=True, slots=True)
class Around:
    """The parts of a table that all its lines share."""

    name: str
    """The beginning of the names of its fields."""
    path: Path
    table: Table
    uses: Mapping[str, Use]
    remarks: Remarks
    general: Mapping[str, Any] = field(default_factory=dict)
    """What the mapping says of all its tables."""

    def lines(self, columns: Sequence[Seen], there: bool) -> Iterator[Line]:
        """Yield each column with each thing that it is taken for, and those that are named but not there."""
        left = slots(self.table, self.uses)
        found: list[tuple[Seen, Use | None, Node, bool]] = []
        for column in columns:
            own = [slot for slot in left if named(slot[1], column.heading)]
            left = [slot for slot in left if slot not in own]
            found += [(column, use, node, False) for use, node in own] or [(column, None, "", False)]
        found += [(Seen(heading_of(node), []), use, node, there) for use, node in left]
        for number, (column, use, node, absent) in enumerate(found):
            name = f"{self.name}.c{number}"
            line = self._bare(name, column, use)
            line = line if use is None else self._used(line, name, column, use, node, absent)
            free = [one for one, taken, _, _ in found if taken is None] if absent else []
            yield _with_now(line, name, use, free) if use is not None and free else line

    def _bare(self, name: str, column: Seen, use: Use | None) -> Line:
        hidden = tells_of_people(use, column.heading)
        return Line(
            column.heading,
            self._field(name, column, use),
            () if hidden else _shown(column),
            len(column.filled),
            len(column.cells),
            hidden=hidden,
        )

    def _used(self, bare: Line, name: str, column: Seen, use: Use, node: Node, absent: bool) -> Line:
        value = as_value(node)
        place = (*self.path, *use.place(self.table))
        beside = [
            *self.remarks.at((*self.path, "states", use.event)),
            *(text for at, text in self.remarks.under(place) if "codes" not in at[len(place) :]),
        ]
        reason, doubts = told_in(beside)
        settings = tuple(_settings(name, use, value))
        carried = {"column", "born", *(field.key for field in settings), *(("codes",) if choices(use.kind) else ())}
        return replace(
            bare,
            settings=settings,
            words=tuple(self._words(name, place, use, value, column)),
            reason=reason,
            doubts=(*doubts, *(one for one in doubts_of(column, use, value, self.general) if one not in doubts)),
            kept=tuple(f"{key}: {in_words(said)}" for key, said in value.items() if key not in carried),
            absent=absent,
        )

    def _field(self, name: str, column: Seen, use: Use | None) -> Field:
        """Return the question what a column is. It may be anything: what its values do not look like comes last."""
        likely = [one for one in self.uses.values() if one is use or fits(column, one)]
        rest = (Option(one.key, one.label, _UNLIKELY) for one in self.uses.values() if one not in likely)
        options = (_NO_USE, *(one.option for one in likely), *rest)
        return Field(f"{name}.use", f"What {column.heading} is", use.key if use else "", options)

    def _words(self, name: str, place: Path, use: Use, value: Mapping[str, Any], column: Seen) -> Iterator[Word]:
        """Yield the words of a column that are not understood by themselves, and those that the mapping explains."""
        known = choices(use.kind)
        if not known:
            return
        codes = value.get("codes", {})
        rows = Counter(plain(text_of(cell)) for cell in column.filled)
        for number, word in enumerate([*codes, *_unknown(use.kind, column, codes)]):
            _, doubts = told_in(text for _, text in self.remarks.under((*place, "codes", word)))
            asked = Field(f"{name}.w{number}", word, codes.get(word, ""), _meanings(known, codes.get(word, "")))
            yield Word(word, rows[plain(word)], asked, "; ".join(doubts) or _perhaps(word, use.kind, asked.value))


def _with_now(line: Line, name: str, use: Use, free: Sequence[Seen]) -> Line:
    """Return the line of a column that is not there, with the columns that it may be now, the likeliest first."""
    there = sorted((one for one in free if fits(one, use)), key=lambda one: -_nearness(line.heading, use, one))
    if not there:
        return line
    options = (Option("", "Choose the column"), *(Option(one.heading, one.heading) for one in there))
    nearest = there[0].heading if _nearness(line.heading, use, there[0]) >= _NEAR else ""
    return replace(line, now=Field(f"{name}.now", f"What {line.heading} is called now", "", options), nearest=nearest)


def _nearness(heading: str, use: Use, column: Seen) -> float:
    """Return how like a column's heading is to the one that is gone, or to a usual one for the same."""
    usual = FACTS.get(use.event, {}).get(use.member, ())
    lengths = LENGTHS[RequirementKind.of(use.requirement)] if use.requirement else ()
    return likeliest(column.heading, (heading, use.label, *usual, *lengths))[0]


def _perhaps(word: str, kind: Any, code: str) -> str:
    """Return what a word that is asked about may mean; empty if nothing resembles it."""
    if code != OPEN or not (isinstance(kind, type) and issubclass(kind, Code)):
        return ""
    found = " or ".join(f"'{one.label}'" for one in asked_about(word, kind))
    return f"perhaps {found}" if found else ""


def _shown(column: Seen) -> tuple[str, ...]:
    return tuple(text[:_LONGEST] for text in column.words[:_SHOWN])


def _unknown(kind: Any, column: Seen, codes: Mapping[str, str]) -> list[str]:
    """Return the words that nobody explained, the most frequent first."""
    given = {plain(word) for word in codes}
    counted = Counter(text_of(cell) for cell in column.filled)
    unknown = {plain(word): word for word, _ in counted.most_common() if not is_understood(kind, word)}
    return [word for word in unknown.values() if plain(word) not in given][: max(0, MOST - len(codes))]


def _meanings(known: tuple[Option, ...], code: str) -> tuple[Option, ...]:
    refused = Option("", "Not understood: refuse such a cell")
    options = (Option(OPEN, "Choose what it means"), *known, refused) if code == OPEN else (refused, *known)
    return options if any(code == option.value for option in options) else (*options, Option(code, code))


def _settings(name: str, use: Use, value: Mapping[str, Any]) -> Iterator[Field]:
    """Yield how a column of this use may be read; the first option of each is the usual one."""
    if use.kind in {date, datetime, Month}:
        yield _setting(name, "dates", "Dates written as text", value, DATES)
    if use.minutes:
        yield _setting(name, "times", "Its numbers are", value, _TIMES)
    if use.kind is int:
        yield _setting(name, "decimal", "The mark before decimals", value, DECIMAL)
    if is_reference(use.kind):
        yield _setting(name, "keyed", "Does it identify the person?", value, _KEYED)
    if blank := _blanks(use):
        yield _setting(name, "blank", "An empty cell means", value, blank)


def _blanks(use: Use) -> tuple[Option, ...]:
    nothing = Option("", "a value that is missing" if use.required else "nothing is said")
    if use.kind is int and not use.requirement:
        return nothing, Option("0", "0")
    found = () if use.kind == AuthorityCode else choices(use.kind)
    return (nothing, *found) if found else ()


def _setting(name: str, key: str, label: str, value: Mapping[str, Any], options: tuple[Option, ...]) -> Field:
    said = str(value.get(key, options[0].value))
    said = {"true": "yes", "no": "", "false": ""}.get(said, said) if key == "keyed" else said
    if all(said != option.value for option in options):
        options = (*options, Option(said, said))
    return Field(f"{name}.{key}", label, said, options)


def is_understood(kind: Any, word: str) -> bool:
    """Return whether a word is known for this type without a mapping."""
    if kind is bool:
        return reads(lambda cell: truth_in(cell, {}), word)
    if kind == AuthorityCode:
        return reads(lambda cell: authority_in(cell, {}), word)
    return isinstance(kind, type) and issubclass(kind, Code) and reads(code_in(kind, {}), word)
