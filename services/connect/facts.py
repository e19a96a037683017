"""A row to the facts that it states: each of them said, held back for a fault, or left blank. Pure."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as ByName
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from operator import itemgetter
from types import UnionType
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from contracts.client.pseudonym import pseudonym
from contracts.codes import Code
from contracts.events import (
    AUTHORITY_SUBJECT,
    AuthorityCode,
    Fact,
    Label,
    Month,
    OrderImposed,
    OrderRef,
    PersonRef,
    Ref,
)
from contracts.events import (
    Requirement as Demand,
)
from services.connect import transforms
from services.connect.columns import Headings, Row, is_total, letters, plain, text_of
from services.connect.faults import CannotGoOn, Unread
from services.connect.mapping import Conditions, Heading, Mapping, Requirement, Stated, Table, Value, members, value_of
from services.connect.moments import LONDON
from services.connect.readers import Scalar

_END_OF_WORK = time(17)
_REMEMBERED = 50_000
"""Cells of a column whose meaning is kept; most columns repeat themselves."""

Read = Callable[[Scalar], Any]


class Refusal(NamedTuple):
    """What cannot be sent, where it stands, and why in plain words."""

    place: str
    """As in `Orders!C14`."""
    words: str

    def __str__(self) -> str:
        return f"{self.place}: {self.words}"


class Said(NamedTuple):
    """A fact that the row states."""

    subject: str
    fact: Fact
    recorded: datetime | None
    """When it was recorded, where the table knows; aware."""
    form: "Form"
    demands: tuple[int, ...]
    """Which requirements of the form are in the fact, in order."""


class Held(NamedTuple):
    """A fact that cannot be read: what was said of it before still stands."""

    subject: str
    key: str | None
    """None where not even that can be read."""
    refusals: tuple[Refusal, ...]


class Blank(NamedTuple):
    """A fact that the row has room for and does not state."""

    subject: str
    key: str


class Unknown(NamedTuple):
    """A row of which it cannot be told what it is about."""

    refusals: tuple[Refusal, ...]


class Ignored(NamedTuple):
    """A row that states nothing on purpose."""

    total: bool


Item = Said | Held | Blank | Unknown | Ignored


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a fact, bound to the columns of a table."""

    name: str
    places: tuple[int, ...]
    heading: str
    read: Read
    """Of the cell; of the first cell where there are several."""
    blank: Any
    """What an empty cell means; `_MISSING` where it must not be."""

    def of(self, row: Row) -> Any:
        """Raises Unread."""
        if not self.places:
            return self.blank
        cell = row.cells[self.places[0]] if len(self.places) == 1 else _together(row, self.places)
        if cell == "" or (isinstance(cell, str) and not cell.strip()):
            if self.blank is _MISSING:
                raise Unread("is blank")
            return self.blank
        return self.read(cell)


_MISSING = object()


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
    """Whether a row without the date is a fault rather than a fact that has not happened yet."""

    @property
    def by_ref(self) -> bool:
        return "ref" in self.fact.__struct_fields__


class Reader:
    """A table bound to its headings: reads rows. Raises CannotGoOn where a column is missing."""

    def __init__(self, mapping: Mapping, table: Table, headings: Headings, epoch: int, secret: bytes) -> None:
        self._mapping, self._table, self._headings = mapping, table, headings
        self._epoch, self._secret = mapping.epoch or epoch, secret
        self._used: set[int] = set()
        forms = list(table.facts())
        self._order = None if table.order is None else self._field("order", OrderRef, value_of(table.order))
        self._recorded = None if table.recorded is None else self._moment(value_of(table.recorded))
        self._applies = self._conditions(table.when, table.unless)
        self.forms = tuple(self._form(stated, len(forms) == 1) for stated in forms)
        self.used = tuple(sorted(self._used))
        """The columns that matter, from 0."""
        self.take: Callable[[Sequence[Scalar]], Any] = itemgetter(*self.used) if self.used else lambda _: ()

    def read(self, row: Row) -> Iterator[Item]:
        """What the row states."""
        if not self._applies(row) or is_total(row):
            yield Ignored(total=is_total(row))
            return
        try:
            subject = AUTHORITY_SUBJECT if self._order is None else self._order.of(row)
        except Unread as fault:
            yield self._without_order(row, str(fault))
            return
        for form in self.forms:
            yield self._fact(form, row, subject)

    def place(self, row: int, column: int | None) -> str:
        """What a cell is called, or a row."""
        name = self._headings.table
        return f"{name}!{letters(column)}{row}" if column is not None else f"{name}, row {row}"

    def refusal(self, said: Said, row: Row, path: str, words: str) -> Refusal:
        """Words about a member of an event, said of the cell that it came from."""
        field = self._field_at(said, path)
        if field is None or not field.places:
            return Refusal(self.place(row.number, None), f"{said.fact.NAME} is refused: {words}")
        return self._refused(field, row, f"is refused: {words}")

    def _without_order(self, row: Row, words: str) -> Item:
        if self._mostly_blank(row):
            return Ignored(total=True)
        assert self._order is not None
        return Unknown((self._refused(self._order, row, words),))

    def _mostly_blank(self, row: Row) -> bool:
        """Whether nothing but numbers stands in the columns that matter: sums at the foot."""
        cells = [row.cells[place] for place in self.used]
        return not any(isinstance(cell, str | date) and cell != "" and not _numeric(cell) for cell in cells)

    def _fact(self, form: Form, row: Row, subject: str) -> Item:
        if not form.applies(row):
            return self._left_out(form, row, subject)
        values, faults = _read(form.fields, row)
        missing = [f for f in form.fields if f.name in form.fact.DATES and values.get(f.name, _MISSING) is _MISSING]
        if not form.must and missing and all(str(faults.get(f)) == "is blank" for f in missing):
            return self._left_out(form, row, subject)
        demands, demand_faults = self._demands(form, row)
        faults |= demand_faults
        if form.born is not None and "imposed_on" in values:
            faults |= _with_age(form.born, row, values)
        if faults:
            refusals = tuple(self._refused(field, row, words) for field, words in faults.items())
            return Held(subject, self._key(form, values), refusals)
        if form.demanded:
            values["requirements"] = tuple(demand for _, demand in demands)
        return self._said(form, row, subject, values, tuple(place for place, _ in demands))

    def _said(self, form: Form, row: Row, subject: str, values: dict[str, Any], demands: tuple[int, ...]) -> Item:
        own = {_own_name(form.fact, name): value for name, value in values.items() if value is not None}
        fact = form.fact(**own)
        try:
            return Said(subject, fact, self._time(row, fact), form, demands)
        except Unread as fault:
            assert self._recorded is not None
            return Held(subject, fact.key, (self._refused(self._recorded, row, str(fault)),))

    def _time(self, row: Row, fact: Fact) -> datetime | None:
        if self._recorded is not None and (moment := self._recorded.of(row)) is not None:
            return _aware(moment)
        if self._table.history:
            return _aware(datetime.combine(day_of(fact), _END_OF_WORK))
        return None

    def _left_out(self, form: Form, row: Row, subject: str) -> Item:
        values, _ = _read(tuple(field for field in form.fields if field.name in {"ref", "month"}), row)
        key = self._key(form, values)
        return Ignored(total=False) if key is None else Blank(subject, key)

    def _key(self, form: Form, values: ByName[str, Any]) -> str | None:
        if form.by_ref:
            return f"{form.fact.KEY}/{values['ref']}" if "ref" in values else None
        if form.fact.ABOUT_AUTHORITY:
            return f"{form.fact.KEY}/{values['month']}" if "month" in values else None
        return form.fact.KEY

    def _demands(self, form: Form, row: Row) -> tuple[list[tuple[int, Demand]], dict[Field, str]]:
        found: list[tuple[int, Demand]] = []
        faults: dict[Field, str] = {}
        for place, one in enumerate(form.demanded):
            if not one.applies(row):
                continue
            fields = (one.length,) if one.complete_by is None else (one.length, one.complete_by)
            values, wrong = _read(fields, row)
            if not wrong and not values[one.length.name]:
                continue
            faults |= wrong
            if not wrong:
                found.append((place, _demand(one.kind, values)))
        return found, faults

    def _refused(self, field: Field, row: Row, words: str) -> Refusal:
        return Refusal(self.place(row.number, field.places[0]), f"{_spoken(field.heading)} {words}")

    def _field_at(self, said: Said, path: str) -> Field | None:
        member = path.removeprefix("$.data.").removeprefix("$.data")
        if member.startswith("requirements"):
            index = int(member[13 : member.index("]")]) if "[" in member else 0
            places = said.demands[index : index + 1] or (0,)
            one = said.form.demanded[places[0]]
            return one.complete_by if member.endswith("complete_by") else one.length
        if member == "age_at_imposition" and said.form.born is not None:
            return said.form.born
        return next((field for field in said.form.fields if field.name == member), None)

    # Binding

    def _form(self, stated: Stated, alone: bool) -> Form:
        hints = members(stated.fact)
        born = next((value for value in stated.fields.values() if value.born is not None), None)
        fields = tuple(
            self._field(name, hints[name], value) for name, value in stated.fields.items() if value.born is None
        )
        return Form(
            stated.fact,
            fields,
            None if born is None else self._birth(born),
            tuple(self._demanded(one) for one in stated.requirements),
            self._conditions(stated.when, stated.unless),
            must=(alone or stated.fact is OrderImposed) and not stated.when and not stated.unless,
        )

    def _field(self, name: str, hint: Any, value: Value) -> Field:
        read = self._reader(hint, value)
        places, heading = self._places(value)
        blank: Any = None if _optional(hint) else _MISSING
        for given in (value.always, value.blank):
            if given is not None:
                blank = self._constant(name, read, given)
        return Field(name, places, heading, _remembering(_or_otherwise(read, value)), blank)

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
        self._used.add(place)
        return place

    def _reader(self, hint: Any, value: Value) -> Read:
        order, epoch = value.dates or self._mapping.dates, self._epoch
        kind = _bare(hint)
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
        return lambda cell: transforms.whole_in(value.codes.get(text_of(cell), cell), value.times)

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
        return Field("age_at_imposition", (place,), heading, lambda cell: (cell, order, epoch), _MISSING)

    def _moment(self, value: Value) -> Field:
        places, heading = self._places(value)
        order, epoch = value.dates or self._mapping.dates, self._epoch
        return Field("recorded", places, heading, lambda cell: transforms.moment_in(cell, order, epoch), None)

    def _demanded(self, one: Requirement) -> Demanded:
        name = "hours" if one.hours is not None else "months"
        cell = one.hours if one.hours is not None else one.months
        assert cell is not None
        complete_by = None if one.complete_by is None else value_of(one.complete_by)
        return Demanded(
            str(one.kind),
            self._field(name, int | None, value_of(cell)),
            None if complete_by is None else self._field("complete_by", date | None, complete_by),
            self._conditions(one.when, one.unless),
        )

    def _conditions(self, when: Conditions, unless: Conditions) -> Callable[[Row], bool]:
        wanted = [(self._place(heading), _words(words)) for heading, words in when.items()]
        unwanted = [(self._place(heading), _words(words)) for heading, words in unless.items()]
        if not wanted and not unwanted:
            return lambda _: True
        return lambda row: (
            all(_is(row.cells[place], words) for place, words in wanted)
            and not any(_is(row.cells[place], words) for place, words in unwanted)
        )


_TEXTS = (PersonRef, AuthorityCode, Label, Ref, OrderRef)


def day_of(fact: Fact) -> date:
    """The last day on which something of the fact happened."""
    if fact.DATES:
        days: list[date] = [getattr(fact, name) for name in fact.DATES]
        return max(days)
    return transforms.last_of_month(getattr(fact, "month"))  # noqa: B009 - only period.closed has no date


def _read(fields: Sequence[Field], row: Row) -> tuple[dict[str, Any], dict[Field, str]]:
    values: dict[str, Any] = {}
    faults: dict[Field, str] = {}
    for field in fields:
        try:
            values[field.name] = field.of(row)
        except Unread as fault:
            faults[field] = str(fault)
    return values, faults


def _with_age(field: Field, row: Row, values: dict[str, Any]) -> dict[Field, str]:
    """The age instead of the date of birth, which is not repeated even where it is wrong."""
    on: date = values["imposed_on"]
    try:
        cell, order, epoch = field.of(row)
        values["age_at_imposition"] = transforms.age(transforms.born_in(cell, order, epoch, on), on)
    except Unread as fault:
        return {field: "is blank" if str(fault) == "is blank" else "is no date of birth"}
    return {}


def _demand(kind: str, values: ByName[str, Any]) -> Demand:
    given = {name: value for name, value in values.items() if value is not None}
    found: Demand = next(one for one in get_args(Demand) if one.__struct_config__.tag == kind)(**given)
    return found


def _own_name(fact: type[Fact], sent: str) -> str:
    return sent if sent in fact.__struct_fields__ else f"{sent}_"


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=LONDON).astimezone(UTC)


def _together(row: Row, places: Sequence[int]) -> str:
    parts = [row.cells[place] for place in places]
    return "-".join(part.isoformat() if isinstance(part, date) else text_of(part) for part in parts).strip("-")


def _numeric(cell: Scalar) -> bool:
    return isinstance(cell, str) and cell.replace(",", "").replace(".", "").strip().lstrip("-£").isdigit()


def _bare(hint: Any) -> Any:
    """The type without None, and without remarks unless they are what tells one text from another."""
    if get_origin(hint) is Annotated and hint not in (*_TEXTS, Month):
        return _bare(get_args(hint)[0])
    if isinstance(hint, UnionType):
        return _bare(next(one for one in get_args(hint) if one is not type(None)))
    return hint


def _optional(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _optional(get_args(hint)[0])
    return isinstance(hint, UnionType) and type(None) in get_args(hint)


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


def _spoken(heading: str) -> str:
    """A heading within a sentence: small, unless it is an abbreviation."""
    words = " ".join(heading.split())
    return words[:1].lower() + words[1:] if words[1:2].islower() else words
