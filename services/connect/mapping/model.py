"""The mapping from an authority's tables to facts, which is the YAML file. Its JSON Schema is made from these types. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from contracts.codes import EndReason, RequirementKind
from contracts.events import FACTS, Fact, FactWithdrawn, Heartbeat

Heading = Annotated[
    str | tuple[str, ...],
    Meta(description="The heading of a column as it is written in the table, or several that it may have."),
]
SYSTEM = "connect"
"""The name of the source if the mapping gives none; each state adds some digits of its own."""
_WORD = "word"
Word = Annotated[str, Meta(title=_WORD)]
"""YAML may take it for a number or a truth value; it is read as it is written."""
Conditions = Annotated[
    dict[str, Word | tuple[Word, ...]],
    Meta(description="By heading, the words that the cell must hold; * for anything but a blank."),
]
DateOrder = Annotated[
    Literal["dmy", "mdy", "ymd"], Meta(description="The order of day, month and year in dates written as text.")
]
DecimalMark = Annotated[
    Literal["point", "comma"],
    Meta(description="The mark before decimals, where numbers written as text may be read in two ways, as 1,500 may."),
]


class Value(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    MEANING: ClassVar[str] = "Where a value comes from, and how to read it."

    column: Annotated[Heading | None, Meta(description="The column that holds it.")] = None
    joined: Annotated[
        tuple[str, ...], Meta(description="For a reference: the columns that together tell one row from another.")
    ] = ()
    always: Annotated[Word | None, Meta(description="The same for every row, instead of a column.")] = None
    born: Annotated[
        Heading | None,
        Meta(description="For an age: the column with the date of birth. The date itself is not sent."),
    ] = None
    codes: Annotated[
        dict[str, Word], Meta(description="The codes of your own words: your word, then the code of the contract.")
    ] = {}
    blank: Annotated[Word | None, Meta(description="The value of an empty cell. Without it, the value is missing.")] = (
        None
    )
    otherwise: Annotated[
        Word | None,
        Meta(
            description="The value of any word that is neither recognised nor listed. Without it, the cell is refused."
        ),
    ] = None
    times: Annotated[float, Meta(description="The factor by which a number is multiplied, such as 60 for hours.")] = 1
    dates: Annotated[DateOrder | None, Meta(description="For a column that writes dates in another order.")] = None
    decimal: Annotated[
        DecimalMark | None, Meta(description="For a column that writes numbers with another mark before decimals.")
    ] = None
    keyed: Annotated[
        bool,
        Meta(description="For a reference that identifies the person: your key turns it into a pseudonym."),
    ] = False


Cell = Heading | Value


class Requirement(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    MEANING: ClassVar[str] = (
        "A requirement of an order. The order has it when its hours or months are neither blank nor 0."
    )

    kind: Annotated[RequirementKind, Meta(description="Which requirement.")]
    hours: Annotated[Cell | None, Meta(description="Of unpaid work.")] = None
    months: Annotated[Cell | None, Meta(description="Of any other requirement.")] = None
    complete_by: Annotated[Cell | None, Meta(description="The date for completion that the court set, if it did.")] = (
        None
    )
    when: Conditions = {}
    unless: Conditions = {}


class Ended(Struct, frozen=True, forbid_unknown_fields=True):
    MEANING: ClassVar[str] = "When a row is gone, the order has ended, on the day of the first extract without it."

    ended: EndReason


class Platform(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    MEANING: ClassVar[str] = "Where events go."

    orders: Annotated[str, Meta(description="Address of the service of orders.")]
    unpaid_work: Annotated[str, Meta(description="Address of the service of unpaid work.")]
    token_file: Annotated[str, Meta(description="The file that holds the token, and nothing else.")]


NOT_IN_TABLES = (FactWithdrawn, Heartbeat)
"""Facts that follow from comparing tables, and are in none."""


def members(fact: type[Fact]) -> dict[str, Any]:
    """Return the members of a fact as they are sent, with their types."""
    hints = get_type_hints(fact, include_extras=True)
    pairs = zip(fact.__struct_encode_fields__, fact.__struct_fields__, strict=True)
    return {sent: hints[own] for sent, own in pairs}


def _form(fact: type[Fact]) -> type[Struct]:
    optional = {
        field.encode_name
        for field in msgspec.structs.fields(fact)
        if field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
    }
    fields: list[Any] = []
    for name in members(fact):
        kind: Any = tuple[Requirement, ...] if name == "requirements" else Cell
        fields.append((f"{name}_", kind | None, None) if name in optional else (f"{name}_", kind))
    conditions: list[Any] = [("when", Conditions, {}), ("unless", Conditions, {})]
    return msgspec.defstruct(
        fact.__name__,
        [*fields, *conditions],
        namespace={"__doc__": fact.MEANING},
        rename=lambda name: name.removesuffix("_"),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


STATABLE = {name: fact for name, fact in FACTS.items() if fact not in NOT_IN_TABLES}
if TYPE_CHECKING:
    States = Any
else:
    _forms = {name: _form(fact) for name, fact in STATABLE.items()}
    States = msgspec.defstruct(
        "States",
        [(f"f{n}", form | tuple[form, ...] | None, None) for n, form in enumerate(_forms.values())],
        namespace={"__doc__": "The facts that a row states, by the name of their event."},
        rename={f"f{n}": name for n, name in enumerate(_forms)},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )


class Stated(Struct, frozen=True):
    """One fact that each row of a table may state."""

    fact: type[Fact]
    fields: dict[str, Value]
    """By member, as it is sent."""
    requirements: tuple[Requirement, ...]
    when: Conditions
    unless: Conditions


class Across(Struct, frozen=True, forbid_unknown_fields=True):
    MEANING: ClassVar[str] = (
        "For a table with a column for each day: each filled cell below such a heading counts as a row of its own."
    )

    day: Annotated[str, Meta(description="The name under which `states` uses the day in the heading.")]
    cell: Annotated[str, Meta(description="The name under which `states` uses what the cell holds.")]


class Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    MEANING: ClassVar[str] = "One sheet, file or query, and what each of its rows states."

    name: Annotated[str, Meta(description="Its name in messages; by default the name of the sheet or file.")] = ""
    file: Annotated[
        str | None, Meta(description="The files that hold it, such as orders*.csv; by default any file.")
    ] = None
    sheet: Annotated[
        str | tuple[str, ...] | None,
        Meta(
            description="The sheet that holds it, by default the first; a list, or a pattern such as * 26, for several that make one table."
        ),
    ] = None
    across: Annotated[Across | None, Meta(description="If columns are days, how `states` names them.")] = None
    query: Annotated[str | None, Meta(description="A SELECT on the case system's database, instead of a file.")] = None
    heading_rows: Annotated[int, Meta(ge=1, le=3, description="The number of rows that the headings take.")] = 1
    order: Annotated[Cell | None, Meta(description="The reference of the order. Only monthly totals have none.")] = None
    caseload: Annotated[
        Cell | None,
        Meta(
            description="Who works with the order: a code of your own with a digit in it, such as team-3. Never a name."
        ),
    ] = None
    recorded: Annotated[
        Cell | None, Meta(description="The column that says when the row was last changed, if there is one.")
    ] = None
    when: Conditions = {}
    unless: Conditions = {}
    full: Annotated[
        bool, Meta(description="Whether every extract holds all rows, so that a missing row is noticed.")
    ] = True
    vanished: Annotated[
        Literal["report", "withdraw"] | Ended,
        Meta(description="What to do when a row is gone: report it, withdraw its facts, or end the order."),
    ] = "report"
    cleared: Annotated[
        Literal["report", "withdraw"], Meta(description="What to do when a fact's date was deleted.")
    ] = "withdraw"
    history: Annotated[
        bool, Meta(description="For past years: facts count as recorded on the day on which they happened.")
    ] = False
    states: States

    @property
    def whole(self) -> bool:
        """Return whether facts missing from an extract of the table are gone. Past years come one by one."""
        return self.full and not self.history

    def facts(self) -> Iterator[Stated]:
        """Yield the facts that each row may state."""
        for name, fact in STATABLE.items():
            given = getattr(self.states, f"f{list(STATABLE).index(name)}")
            for form in given if isinstance(given, tuple) else () if given is None else (given,):
                yield _stated(fact, form)


class Mapping(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    MEANING: ClassVar[str] = "The meaning of an authority's tables."

    authority: Annotated[str, Meta(description="Statistical code of the authority, such as S12000027.")]
    system: Annotated[str, Meta(description="The name of your system in the source of the events.")] = SYSTEM
    dates: DateOrder = "dmy"
    decimal: DecimalMark | None = None
    epoch: Annotated[
        Literal[1900, 1904] | None,
        Meta(description="The year from which dates written as numbers count; by default the workbook's own, or 1900."),
    ] = None
    encoding: Annotated[str | None, Meta(description="For CSV files; by default it is detected.")] = None
    separator: Annotated[str | None, Meta(description="For CSV files; by default it is detected.")] = None
    blanks: Annotated[
        tuple[Word, ...],
        Meta(
            description="Words that your tables have in place of a value, beside n/a, TBC and dashes: the cell counts as empty."
        ),
    ] = ()
    taken: Annotated[
        str | None,
        Meta(
            description="How file names show when an extract was taken, such as orders_%d%m%Y; by default it is detected."
        ),
    ] = None
    platform: Annotated[
        Platform | None, Meta(description="Where events are sent, unless the command gives addresses.")
    ] = None
    database_file: Annotated[
        str | None, Meta(description="A file that holds the address of the database for queries, and nothing else.")
    ] = None
    tables: Annotated[tuple[Table, ...], Meta(min_length=1)]


def _stated(fact: type[Fact], form: Any) -> Stated:
    fields = {name: getattr(form, f"{name}_") for name in members(fact) if name != "requirements"}
    return Stated(
        fact,
        {name: value_of(cell) for name, cell in fields.items() if cell is not None},
        getattr(form, "requirements_", ()),
        form.when,
        form.unless,
    )


def needs_key(mapping: Mapping) -> bool:
    """Return whether a mapping turns people, or references that tell of them, into pseudonyms."""
    orders = [value_of(table.order) for table in mapping.tables if table.order is not None]
    stated = [(name, value) for table in mapping.tables for one in table.facts() for name, value in one.fields.items()]
    return any(one.keyed for one in orders) or any(name == "person_ref" or value.keyed for name, value in stated)


def value_of(cell: Cell) -> Value:
    """Return the value of a cell. A bare heading is the column that holds the value."""
    return cell if isinstance(cell, Value) else Value(column=cell)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a mapping, for editors."""
    found = msgspec.json.schema(Mapping)
    for kind in (Mapping, Platform, Table, Value, Requirement, Ended, Across):
        found["$defs"][kind.__name__]["description"] = kind.MEANING
    cell = found["$defs"]["ContactMade"]["properties"]["made_on"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mapping of an authority's tables to events of community payback orders",
        **_for_editors(found, cell),
        "$defs": {**_for_editors(found["$defs"], cell), "Cell": _for_editors(cell, None)},
    }


def _for_editors(part: Any, cell: Any) -> Any:
    """Make a schema compact for editors: parts shared by many members appear once, and words may look like numbers."""
    if part == cell and cell is not None:
        return {"$ref": "#/$defs/Cell"}
    if isinstance(part, list):
        return [_for_editors(one, cell) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("title") == _WORD:
        return {"type": ["string", "number", "boolean"]}
    return {name: _for_editors(one, cell) for name, one in part.items() if name != "default"}
