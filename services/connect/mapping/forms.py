"""A mapping bound to the columns of one table: which cell becomes which member of which fact, and how. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from contracts.authorities import AUTHORITIES, current_code
from contracts.client.pseudonym import pseudonym
from contracts.codes import Code
from contracts.events import AuthorityCode, Fact, Label, Month, OrderImposed, OrderRef, PersonRef, Ref
from services.connect.extracts.cells import NOTHING, Scalar, plain, says_nothing, text_of
from services.connect.extracts.columns import Headings, Row
from services.connect.faults import CannotGoOn, Unread
from services.connect.mapping import transforms
from services.connect.mapping.model import Conditions, Heading, Mapping, Requirement, Stated, Value, members, value_of
from services.connect.mapping.numbers import MARKS, unit_of

_REMEMBERED = 50_000
"""How many cells of a column have their meaning cached; most columns repeat values."""

_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?")

Read = Callable[[Scalar], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a fact, bound to the columns of a table."""

    name: str
    places: tuple[int, ...]
    heading: str
    read: Read
    """Reads the cell; the first cell if there are several."""
    blank: Any
    """The meaning of an empty cell; `MISSING` if it must not be empty."""
    nothing: frozenset[str] = frozenset()
    """Words that stand in place of a value, so that the cell counts as empty."""
    told: Read | None = None
    """Reads the cell as `check` shows it; None if the cell may tell of a person. A cell that it refuses is not shown."""
    days: tuple[Read | None, ...] = ()
    """For an identity: how each of its columns that hold days is read, so that a day is the same however it is written."""

    def of(self, row: Row) -> Any:
        """Return the value in a row. Raises Unread."""
        if not self.places:
            return self.blank
        cell = self.cell(row)
        if says_nothing(cell, self.nothing):
            if self.blank is MISSING:
                raise Unread("is blank")
            return self.blank
        return self.read(cell)

    def cell(self, row: Row) -> Scalar:
        """Return the cell, or several as one text; days as they are read."""
        cells = [row.cells[place] for place in self.places]
        if self.days:
            cells = [_as_day(cell, read) for cell, read in zip(cells, self.days, strict=True)]
        return cells[0] if len(cells) == 1 else _together(cells)

    def written(self, row: Row) -> str:
        """Return the cell, or several, as they are written."""
        return (
            text_of(_together([row.cells[place] for place in self.places]))
            if self.places[1:]
            else text_of(row.cells[self.places[0]])
        )

    def sample(self, row: Row) -> tuple[str, str] | None:
        """Return the cell as it is written and as it is read; None if it is blank, cannot be read, or may tell of a person."""
        if self.told is None or not self.places or says_nothing(self.cell(row), self.nothing):
            return None
        try:
            return self.written(row), _in_words(self.told(self.cell(row)))
        except Unread:
            return None


def _in_words(value: Any) -> str:
    """Return a value as people read it: the label of a code, not the code."""
    if isinstance(value, Code):
        return value.label
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _name_of(read: Read) -> Read:
    """Return a reader of councils that gives their names."""
    return lambda cell: AUTHORITIES[current_code(read(cell)) or ""].name


MISSING = object()


@dataclass(frozen=True, slots=True)
class Demanded:
    """One requirement of an order, bound."""

    kind: str
    length: Field
    complete_by: Field | None
    applies: Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Form:
    """One fact that rows of a table may state, bound to its columns."""

    fact: type[Fact]
    fields: tuple[Field, ...]
    born: Field | None
    demanded: tuple[Demanded, ...]
    applies: Callable[[Row], bool]
    must: bool
    """Whether a row without the date is a fault, rather than a fact that has not happened yet."""

    @property
    def by_ref(self) -> bool:
        return "ref" in self.fact.__struct_fields__


class Binding:
    """Binds a mapping to the headings of a table. Raises CannotGoOn if a column is missing."""

    def __init__(self, mapping: Mapping, headings: Headings, epoch: int, secret: bytes) -> None:
        self._mapping, self._headings = mapping, headings
        self._epoch, self._secret = mapping.epoch or epoch, secret
        self.used: set[int] = set()
        """The columns that matter, from 0."""
        self._days: dict[int, Read] = {}
        """How the columns are read that hold the day of a fact."""

    def learn_days(self, facts: Sequence[Stated]) -> None:
        """Learn which columns hold days, since a reference may be made of them."""
        for stated in facts:
            hints = members(stated.fact)
            for name, value in stated.fields.items():
                if bare(hints[name]) is date and value.column is not None:
                    self._days.setdefault(self._headings.place(value.column), self._reader(name, hints[name], value))

    def form(self, stated: Stated, alone: bool) -> Form:
        """Bind one fact. `alone` says whether rows of the table state nothing else."""
        hints = members(stated.fact)
        born = next((value for value in stated.fields.values() if value.born is not None), None)
        fields = tuple(
            self.field(name, hints[name], value) for name, value in stated.fields.items() if value.born is None
        )
        return Form(
            stated.fact,
            fields,
            None if born is None else self._birth(born),
            tuple(self._demanded(one) for one in stated.requirements),
            self.conditions(stated.when, stated.unless),
            must=(alone or stated.fact is OrderImposed) and not stated.when and not stated.unless,
        )

    def field(self, name: str, hint: Any, value: Value) -> Field:
        """Bind one member of this type."""
        read = self._reader(name, hint, value)
        places, heading = self._places(value)
        blank: Any = None if optional(hint) else MISSING
        for given in (value.always, value.blank):
            if given is not None:
                blank = self._constant(name, read, given)
        told = (
            None if value.keyed or bare(hint) == PersonRef else _name_of(read) if bare(hint) == AuthorityCode else read
        )
        nothing = self._nothing(hint, value)
        days = self._days_in(places) if bare(hint) == Ref and not value.keyed else ()
        return Field(name, places, heading, _remembering(_or_otherwise(read, value)), blank, nothing, told, days)

    def _days_in(self, places: Sequence[int]) -> tuple[Read | None, ...]:
        found = tuple(self._days.get(place) for place in places)
        return found if any(found) else ()

    def _nothing(self, hint: Any, value: Value) -> frozenset[str]:
        """Return the words that count as an empty cell: not those that mean a code, or that the mapping explains."""
        words = NOTHING | {plain(word) for word in self._mapping.blanks}
        kind = bare(hint)
        known = transforms.words_of(kind) if isinstance(kind, type) and issubclass(kind, Code) else frozenset()
        return words - known - {plain(word) for word in value.codes}

    def _constant(self, name: str, read: Read, given: str) -> Any:
        try:
            return read(given)
        except Unread as fault:
            raise CannotGoOn(f"{self._headings.table}: in the mapping of {name}, {fault}") from None

    def _places(self, value: Value) -> tuple[tuple[int, ...], str]:
        if value.joined:
            places = tuple(self._place(heading) for heading in value.joined)
            return places, " and ".join(value.joined)
        if value.column is None:
            return (), ""
        place = self._place(value.column)
        return (place,), self._headings.texts[place]

    def _place(self, heading: Heading) -> int:
        place = self._headings.place(heading)
        self.used.add(place)
        return place

    def _reader(self, name: str, hint: Any, value: Value) -> Read:
        order, epoch = value.dates or self._mapping.dates, self._epoch
        kind = bare(hint)
        if kind in _TEXTS:
            return self._text_reader(kind, value)
        if kind == Month:
            return lambda cell: transforms.month_in(cell, order, epoch)
        if kind is date:
            return lambda cell: transforms.date_in(cell, order, epoch)
        if kind is bool:
            return lambda cell: transforms.truth_in(cell, value.codes)
        if isinstance(kind, type) and issubclass(kind, Code):
            try:
                return transforms.code_in(kind, value.codes)
            except Unread as fault:
                raise CannotGoOn(f"{self._headings.table}: in the mapping, {fault}") from None
        unit, decimal = unit_of(name), value.decimal or self._mapping.decimal
        mark = "" if decimal is None else MARKS[decimal]
        return lambda cell: transforms.whole_in(value.codes.get(text_of(cell), cell), value.times, unit, mark)

    def _text_reader(self, kind: Any, value: Value) -> Read:
        secret, codes = self._secret, value.codes
        if kind == PersonRef:
            return lambda cell: pseudonym(secret, text_of(cell))
        if kind == AuthorityCode:
            return lambda cell: transforms.authority_in(cell, codes)
        if kind == Label:
            return lambda cell: transforms.label_in(codes.get(text_of(cell), text_of(cell)))
        longest = 40 if kind == OrderRef else 64
        if value.keyed:
            return lambda cell: transforms.keyed_reference(secret, text_of(cell))
        return lambda cell: transforms.safe_reference(text_of(cell), longest)

    def _birth(self, value: Value) -> Field:
        assert value.born is not None
        place, order, epoch = self._place(value.born), value.dates or self._mapping.dates, self._epoch
        heading = self._headings.texts[place]
        return Field("age_at_imposition", (place,), heading, lambda cell: (cell, order, epoch), MISSING, NOTHING)

    def moment(self, value: Value) -> Field:
        """Bind a local time without offset."""
        places, heading = self._places(value)
        order, epoch = value.dates or self._mapping.dates, self._epoch
        read = lambda cell: transforms.moment_in(cell, order, epoch)  # noqa: E731
        return Field("recorded", places, heading, read, None, NOTHING, read)

    def caseload(self, value: Value) -> Field:
        """Bind the team that works with the order; none if the cell is blank."""
        places, heading = self._places(value)
        blank = value.blank if value.always is None else value.always
        read = lambda cell: transforms.caseload_in(cell, value.codes)  # noqa: E731
        return Field("caseload", places, heading, read, blank, self._nothing(str, value))

    def _demanded(self, one: Requirement) -> Demanded:
        name = "hours" if one.hours is not None else "months"
        cell = one.hours if one.hours is not None else one.months
        assert cell is not None
        complete_by = None if one.complete_by is None else value_of(one.complete_by)
        return Demanded(
            str(one.kind),
            self.field(name, int | None, value_of(cell)),
            None if complete_by is None else self.field("complete_by", date | None, complete_by),
            self.conditions(one.when, one.unless),
        )

    def conditions(self, when: Conditions, unless: Conditions) -> Callable[[Row], bool]:
        """Return a test of whether a row is to be read."""
        wanted = [(self._place(heading), _words(words)) for heading, words in when.items()]
        unwanted = [(self._place(heading), _words(words)) for heading, words in unless.items()]
        if not wanted and not unwanted:
            return lambda _: True
        return lambda row: (
            all(_is(row.cells[place], words) for place, words in wanted)
            and not any(_is(row.cells[place], words) for place, words in unwanted)
        )


_UNIONS = (Union, UnionType)
"""Both forms of a union of types: annotations turn one into the other."""
_TEXTS = (PersonRef, AuthorityCode, Label, Ref, OrderRef)


def _as_day(cell: Scalar, read: Read | None) -> Scalar:
    """Return a cell as the day that it holds; as it is, if it holds none, or a time of day that tells two rows apart."""
    if read is None or _has_time(cell):
        return cell
    try:
        day: date = read(cell)
    except Unread:
        return cell
    return day


def _has_time(cell: Scalar) -> bool:
    if isinstance(cell, float):
        return not cell.is_integer()
    clock = _CLOCK.search(text_of(cell))
    return clock is not None and clock[0].strip("0:") != ""


def _together(parts: Sequence[Scalar]) -> str:
    return "-".join(part.isoformat() if isinstance(part, date) else text_of(part) for part in parts).strip("-")


def bare(hint: Any) -> Any:
    """Return the type without None, and without annotations unless they distinguish one kind of text from another."""
    if get_origin(hint) is Annotated and hint not in (*_TEXTS, Month):
        return bare(get_args(hint)[0])
    if get_origin(hint) in _UNIONS:
        return bare(next(one for one in get_args(hint) if one is not type(None)))
    return hint


def optional(hint: Any) -> bool:
    """Return whether a member may be left out."""
    if get_origin(hint) is Annotated:
        return optional(get_args(hint)[0])
    return get_origin(hint) in _UNIONS and type(None) in get_args(hint)


def _remembering(read: Read) -> Read:
    known: dict[tuple[type, Scalar], Any] = {}

    def remembered(cell: Scalar) -> Any:
        at = (cell.__class__, cell)
        if at not in known:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[at] = read(cell)
        return known[at]

    return remembered


def _or_otherwise(read: Read, value: Value) -> Read:
    if value.otherwise is None:
        return read
    meant = read(value.otherwise)

    def lenient(cell: Scalar) -> Any:
        try:
            return read(cell)
        except Unread:
            return meant

    return lenient


def _words(words: str | tuple[str, ...]) -> frozenset[str]:
    return frozenset(word if word == "*" else plain(word) for word in ([words] if isinstance(words, str) else words))


def _is(cell: Scalar, words: frozenset[str]) -> bool:
    text = text_of(cell)
    return (bool(text) and "*" in words) or plain(text) in words
