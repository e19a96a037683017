"""Reads a mapping from its file, or says what is wrong with it."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml

from contracts.authorities import current_code
from contracts.codes import RequirementKind
from services.connect.faults import CannotGoOn
from services.connect.mapping.model import Mapping, Stated, Table


def read_mapping(text: str, name: str) -> Mapping:
    """Read the mapping in a YAML text. Raises CannotGoOn with the fault and its place."""
    try:
        # Every scalar stays text, so that neither "No" nor 01 nor a date changes on the way.
        found = msgspec.convert(yaml.load(text, yaml.BaseLoader), Mapping, strict=False)  # noqa: S506
    except yaml.YAMLError as fault:
        raise CannotGoOn(not_yaml(name, fault)) from None
    except msgspec.ValidationError as fault:
        raise CannotGoOn(f"{name}: {_plainly(f'{fault}')}") from None
    for wrong in _faults(found):
        raise CannotGoOn(f"{name}: {wrong}")
    return found


def not_yaml(name: str, fault: yaml.YAMLError) -> str:
    """Return where a text ceases to be YAML, in words."""
    mark = getattr(fault, "problem_mark", None)
    where = "" if mark is None else f" from line {mark.line + 1}, column {mark.column + 1} on"
    return f"{name} is not YAML{where}: look at the blanks before the line, its colons, and its brackets and quotation marks"


_KINDS = {
    "bool": "yes or no",
    "str": "text",
    "object": "further lines with names",
    "array": "a list",
    "int": "a whole number",
    "float": "a number",
    "null": "nothing",
}
_OTHERS = (
    (re.compile(r"Invalid enum value '(.*)'"), "'{}' is none of the words that may stand here"),
    (re.compile(r"Object contains unknown field `(.*)`"), "nothing is called '{}' here"),
    (re.compile(r"Object missing required field `(.*)`"), "'{}' is missing"),
    (re.compile(r"Expected `(?:int|float)` >= (\S+)"), "must be {} or more"),
    (re.compile(r"Expected `(?:int|float)` <= (\S+)"), "must be {} or less"),
    (re.compile(r"Expected `array` of length >= (\S+)"), "needs {} or more"),
)
_TABLE = re.compile(r"^tables\[(\d+)\]\.?")
_EXPECTED = re.compile(r"Expected `([\w |]+)`, got `(\w+)`")


def _plainly(fault: str) -> str:
    """Return a fault of the reader in words for people who write mappings, with its place as in `table 1, order.column`."""
    words, _, path = fault.partition(" - at `$.")
    words = _EXPECTED.sub(lambda found: f"expected {_kinds(found[1])}, found {_kinds(found[2])}", words)
    words = next((told.format(found[1]) for form, told in _OTHERS if (found := form.fullmatch(words))), words)
    place = _TABLE.sub(lambda found: f"table {int(found[1]) + 1}, ", path.rstrip("`")).replace("[...]", "").rstrip(", ")
    hint = "; as in {column: Ref, keyed: true}" if place.endswith(".keyed") else ""
    return f"{place}: {words}{hint}" if place else words


def _kinds(names: str) -> str:
    found = [_KINDS.get(name.strip(), "something else") for name in names.split("|")]
    return " or ".join([one for one in found if one != _KINDS["null"]] or found)


def load_mapping(path: Path) -> Mapping:
    """Read the mapping in a file. Raises CannotGoOn."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        why = "it is not UTF-8 text" if isinstance(fault, UnicodeDecodeError) else fault.strerror
        raise CannotGoOn(f"{path} cannot be read: {why}") from None
    found = read_mapping(text, str(path))
    if asked := list(_questions(text)):
        count = "1 question is" if len(asked) == 1 else f"{len(asked)} questions are"
        raise CannotGoOn(f'{count} open in {path}; replace each "?" with your answer: {", ".join(asked)}.')
    return found


def _questions(text: str) -> Iterator[str]:
    """Yield the places where a proposal still asks, as in `line 8 imposed_on`."""
    last = ""
    for token in yaml.scan(text, yaml.BaseLoader):
        if isinstance(token, yaml.ScalarToken):
            if token.value == "?":
                yield f"line {token.start_mark.line + 1} {last}"
            last = token.value


def _faults(mapping: Mapping) -> Iterator[str]:
    if current_code(mapping.authority) is None:
        yield f"{mapping.authority} is not an authority's code"
    for number, table in enumerate(mapping.tables, 1):
        yield from (f"table {number}: {fault}" for fault in _faults_of(table))


def _faults_of(table: Table) -> Iterator[str]:
    facts = list(table.facts())
    if not facts:
        yield "it states nothing"
    if table.order is None and not all(stated.fact.ABOUT_AUTHORITY for stated in facts):
        yield "`order` must say which column holds the reference of the order"
    if table.query is not None and (table.file or table.sheet):
        yield "a query needs neither file nor sheet"
    for stated in facts:
        yield from _faults_in(stated)


def _faults_in(stated: Stated) -> Iterator[str]:
    for name, value in stated.fields.items():
        if sum(map(bool, (value.column, value.joined, value.always is not None, value.born))) != 1:
            yield f"{stated.fact.NAME}: {name} needs one of `column`, `joined`, `always` and `born`"
    for one in stated.requirements:
        unpaid = one.kind is RequirementKind.UNPAID_WORK
        if (one.hours is None) is unpaid or (one.months is None) is not unpaid:
            yield f"{stated.fact.NAME}: {one.kind} needs `{'hours' if unpaid else 'months'}`, and only that"
