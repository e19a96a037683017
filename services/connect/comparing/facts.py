"""Turns a row into the facts that it states: each of them stated, held back for a fault, or blank. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as ByName
from datetime import UTC, date, datetime, time
from operator import itemgetter
from typing import Any, NamedTuple, get_args

from contracts.events import AUTHORITY_SUBJECT, Fact, OrderRef
from contracts.events import Requirement as Demand
from contracts.periods import LONDON
from services.connect.extracts.cells import Scalar, letters, text_of
from services.connect.extracts.columns import Headings, Row, is_footer, is_subheading, is_total
from services.connect.faults import Unread
from services.connect.mapping import transforms
from services.connect.mapping.forms import MISSING, Binding, Field, Form
from services.connect.mapping.model import Mapping, Table, value_of

_END_OF_WORK = time(17)
_LONG = re.compile(r"'([^']{60})[^']{20,}'|(\S{60})\S{20,}")
_SAMPLES = 3
"""How many values of a column are shown."""


class Refusal(NamedTuple):
    """A value that cannot be sent, its place, and the reason in plain words."""

    place: str
    """The place, as in `Orders!C14`."""
    words: str

    def __str__(self) -> str:
        return f"{self.place}: {self.words}"


class Said(NamedTuple):
    """A fact that the row states."""

    subject: str
    fact: Fact
    recorded: datetime | None
    """When it was recorded, if the table says so; aware."""
    form: "Form"
    demands: tuple[int, ...]
    """Which requirements of the form are in the fact, in order."""
    caseload: str | None = None


class Held(NamedTuple):
    """A fact that cannot be read; the earlier statement of it remains in force."""

    subject: str
    key: str | None
    """None if not even the key can be read."""
    refusals: tuple[Refusal, ...]


class Blank(NamedTuple):
    """A fact for which the row has cells, and which it does not state."""

    subject: str
    key: str


class Unknown(NamedTuple):
    """A row whose subject cannot be determined."""

    refusals: tuple[Refusal, ...]


class Noted(NamedTuple):
    """A cell that cannot be read but holds nothing back."""

    refusal: Refusal


class Ignored(NamedTuple):
    """A row that states nothing on purpose."""

    total: bool


Item = Said | Held | Blank | Unknown | Noted | Ignored


class Reader:
    """Reads the rows of a table whose headings are known. Raises CannotGoOn if a column is missing."""

    def __init__(self, mapping: Mapping, table: Table, headings: Headings, epoch: int, secret: bytes) -> None:
        bound = Binding(mapping, headings, epoch, secret)
        facts = list(table.facts())
        self._table, self._name, self._real = table, headings.table, headings.real
        self._order = None if table.order is None else bound.field("order", OrderRef, value_of(table.order))
        self._caseload = None if table.caseload is None else bound.caseload(value_of(table.caseload))
        self._recorded = None if table.recorded is None else bound.moment(value_of(table.recorded))
        self._applies = bound.conditions(table.when, table.unless)
        bound.learn_days(facts)
        self._forms = tuple(bound.form(stated, len(facts) == 1) for stated in facts)
        self._used = tuple(sorted(bound.used))
        self.cells: Callable[[Sequence[Scalar]], Any] = itemgetter(*self._used) if self._used else lambda _: ()
        """Gives the cells of a row that matter."""

    def read(self, row: Row) -> Iterator[Item]:
        """Yield everything that the row states."""
        total = self._is_total(row)
        if total or is_subheading(row) or not self._applies(row):
            yield Ignored(total)
            return
        try:
            subject = AUTHORITY_SUBJECT if self._order is None else self._order.of(row)
        except Unread as fault:
            yield self._without_order(row, str(fault))
            return
        caseload, faults = _read(() if self._caseload is None else (self._caseload,), row)
        yield from (Noted(self._refused(field, row, words)) for field, words in faults.items())
        for form in self._forms:
            found = self._fact(form, row, subject)
            yield found._replace(**caseload) if isinstance(found, Said) else found

    def samples(self, rows: Sequence[Row]) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield each column with some values as they are written and as they are read; nothing of a person."""
        general = [field for field in (self._order, self._recorded) if field is not None]
        there = [row for row in rows if self._counts(row)]
        yield from self._sampled(general, there)
        for form in self._forms:
            yield from self._sampled(form.fields, [row for row in there if form.applies(row)])
            for one in form.demanded:
                lengths = [one.length] if one.complete_by is None else [one.length, one.complete_by]
                yield from self._sampled(lengths, [row for row in there if form.applies(row) and one.applies(row)])

    def _counts(self, row: Row) -> bool:
        return not self._is_total(row) and not is_subheading(row) and self._applies(row)

    def _is_total(self, row: Row) -> bool:
        """Return whether a row sums up others, or tells of such sums."""
        places = () if self._order is None else self._order.places
        return is_total(row, places) or (len(places) == 1 and is_footer(row, places[0], self._used))

    def _sampled(self, fields: Sequence[Field], rows: Sequence[Row]) -> Iterator[tuple[str, dict[str, str]]]:
        for field in fields:
            if values := _sampled(field, rows):
                place = field.places[0]
                column = f"{letters(place)} " if place < self._real else ""
                heading = " ".join(field.heading.split())
                yield f"{self._name}!{column}{heading}, as {field.name.replace('_', ' ')}", values

    @property
    def days(self) -> dict[str, Callable[[Scalar], date]]:
        """Return how days are read of which references are made, by the beginning of the keys of their facts."""
        refs = ((form.fact.KEY, field.days) for form in self._forms for field in form.fields if field.name == "ref")
        return {key: next(filter(None, days)) for key, days in refs if days}

    @property
    def columns(self) -> dict[str, str]:
        """Return the names of the columns by what they hold: an event and its member, or an attribute that all events have."""
        found = [("subject", self._order), ("caseload", self._caseload)]
        for form in self._forms:
            name = form.fact.NAME
            found += [(f"{name} {field.name}", field) for field in (*form.fields, *filter(None, (form.born,)))]
            lengths = [field for one in form.demanded for field in (one.length, one.complete_by) if field is not None]
            named = [field.name for field in lengths]
            found += [(f"{name} requirements {one.name}", one) for one in lengths if named.count(one.name) == 1]
        there = {key: field.places[0] for key, field in found if field is not None and field.places}
        return {key: letters(place) for key, place in there.items() if place < self._real}

    @property
    def order_column(self) -> str:
        """Return the name of the column with the order's reference; empty if there is none."""
        return letters(self._order.places[0]) if self._order is not None and self._order.places else ""

    def place(self, row: int, column: int | None) -> str:
        """Return the name of a cell, or of a row."""
        return f"{self._name}!{letters(column)}{row}" if column is not None else f"{self._name}, row {row}"

    def refusal(self, said: Said, row: Row, path: str, words: str) -> Refusal:
        """Return what is wrong with a member of an event, as said of the cell from which it came."""
        field = self._field_at(said, path)
        if field is None or not field.places:
            return Refusal(self.place(row.number, None), f"{said.fact.NAME} is refused: {words}")
        value = getattr(said.fact, _own_name(type(said.fact), field.name), None)
        if type(value) is int and field is not said.form.born:
            unit = " minutes" if "minutes" in field.name else ""
            words = f"'{text_of(row.cells[field.places[0]])}' is read as {value:,}{unit}, which is refused: {words}"
            return self._refused(field, row, words)
        return self._refused(field, row, f"is refused: {words}")

    def _without_order(self, row: Row, words: str) -> Item:
        if self._mostly_blank(row):
            return Ignored(total=True)
        assert self._order is not None
        return Unknown((self._refused(self._order, row, words),))

    def _mostly_blank(self, row: Row) -> bool:
        """Return whether the columns that matter hold only numbers, as sums at the foot do."""
        cells = [row.cells[place] for place in self._used]
        return not any(isinstance(cell, str | date) and cell != "" and not _numeric(cell) for cell in cells)

    def _fact(self, form: Form, row: Row, subject: str) -> Item:
        if not form.applies(row):
            return self._left_out(form, row, subject)
        values, faults = _read(form.fields, row)
        missing = [f for f in form.fields if f.name in form.fact.DATES and values.get(f.name, MISSING) is MISSING]
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
        column = field.places[0] if field.places[0] < self._real else row.across
        return Refusal(self.place(row.number, column), f"{_spoken(field.heading)} {_shortened(words)}")

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


def _sampled(field: Field, rows: Sequence[Row]) -> dict[str, str]:
    """Return the first values that are not read just as they are written, then others."""
    found = dict(filter(None, map(field.sample, rows)))
    return dict(sorted(found.items(), key=lambda one: one[0] == one[1])[:_SAMPLES])


def day_of(fact: Fact) -> date:
    """Return the last day on which something of the fact happened."""
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
    """Put the age in place of the date of birth, which is never repeated, even if it is wrong."""
    on: date = values["imposed_on"]
    try:
        cell, order, epoch = field.of(row)
        values["age_at_imposition"] = transforms.age(transforms.born_in(cell, order, epoch, on), on)
    except Unread as fault:
        return {field: "is blank" if str(fault) == "is blank" else "is not a date of birth"}
    return {}


def _demand(kind: str, values: ByName[str, Any]) -> Demand:
    given = {name: value for name, value in values.items() if value is not None}
    found: Demand = next(one for one in get_args(Demand) if one.__struct_config__.tag == kind)(**given)
    return found


def _shortened(words: str) -> str:
    """Return words with only the beginning of a long cell that they quote."""
    return _LONG.sub(lambda found: f"'{found[1]}…'" if found[1] else f"{found[2]}…", words)


def _own_name(fact: type[Fact], sent: str) -> str:
    return sent if sent in fact.__struct_fields__ else f"{sent}_"


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=LONDON).astimezone(UTC)


def _numeric(cell: Scalar) -> bool:
    return isinstance(cell, str) and cell.replace(",", "").replace(".", "").strip().lstrip("-£").isdigit()


def _spoken(heading: str) -> str:
    """Return a heading for use within a sentence: in lower case, unless it is an abbreviation."""
    words = " ".join(heading.split()).rstrip(" *:")
    return words[:1].lower() + words[1:] if words[1:2].islower() else words
