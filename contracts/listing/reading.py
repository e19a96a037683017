"""Reads the list of authorities: the shipped one, with what an operator's file adds or changes.

A list has two kinds of tables, `[[health_board]]` and `[[authority]]`. A table of the operator's file whose code is shipped gives only what
changes; any other is a new one. First and last days are included. No authority is ever removed: its history is kept under its code.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from tomllib import TOMLDecodeError, loads
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Struct, ValidationError, field

from contracts.clock import system_clock
from contracts.periods import LONDON

LATE = timedelta(days=31)
"""How long after its last day an authority may still send what it recorded before."""

_Name = Annotated[str, Meta(min_length=2, max_length=60)]
_DAY = timedelta(days=1)
_KINDS = ("health_board", "authority")


class ListError(ValueError):
    """The list cannot be used. The message has one line for each fault."""

    exit_status = 2


class Renaming(Struct, frozen=True, forbid_unknown_fields=True):
    """The name of an authority from a day on."""

    on: date
    name: _Name


class Authority(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A local authority, with the days on which it begins and ends."""

    code: Annotated[str, Meta(pattern="^S12[0-9]{6}$")]
    first_name: _Name = field(name="name")
    health_board: str
    population_thousands: Annotated[int, Meta(ge=1)]
    """All ages, mid-2022, approximate."""
    also_known_as: tuple[_Name, ...] = ()
    retired_code: Annotated[str, Meta(pattern="^S12[0-9]{6}$")] | None = None
    """An earlier code of the same authority, which its present one replaced."""
    renamed: tuple[Renaming, ...] = ()
    first_day: date | None = None
    """None if it has existed for as long as there have been orders."""
    last_day: date | None = None
    successor: str | None = None
    """The code of the authority that took over from it."""

    @property
    def name(self) -> str:
        """Return its name today."""
        return self.name_on(system_clock().astimezone(LONDON).date()) if self.renamed else self.first_name

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that it has or had, or by which it is known."""
        return (self.first_name, *(each.name for each in self.renamed), *self.also_known_as)

    def name_on(self, day: date) -> str:
        """Return the name that it had on that day."""
        return next((each.name for each in reversed(self.renamed) if each.on <= day), self.first_name)

    def is_in_force(self, first: date, last: date) -> bool:
        """Return whether it is an authority on any of these days, both included."""
        return (self.first_day or date.min) <= last and first <= (self.last_day or date.max)


class HealthBoard(Struct, frozen=True, forbid_unknown_fields=True):
    """The area of a health board: since April 2014 each is made up of whole authorities. The codes are from public sources, the members are
    not.
    """

    code: Annotated[str, Meta(pattern="^S08[0-9]{6}$")]
    name: _Name
    members: tuple[str, ...] = ()
    """Codes of its authorities; derived, not read."""


class Listing(NamedTuple):
    """All authorities and boards of the past, present and future, by code and in the order of codes."""

    authorities: Mapping[str, Authority]
    health_boards: Mapping[str, HealthBoard]


_Table = Mapping[str, Any]
_Row = TypeVar("_Row", bound=Struct)


class _Source(NamedTuple):
    where: str
    tables: Mapping[str, Sequence[_Table]]


def read_list(shipped: str, own: str | None = None, where: str = "the operator's list") -> Listing:
    """Combine both lists. Raises ListError, which names every fault."""
    sources = [_source(shipped, "the list of authorities"), *([] if own is None else [_source(own, where)])]
    _check(_twice(sources[-1]), sources[-1].where)
    authorities = _read(sources, "authority", Authority)
    boards = _read(sources, "health_board", HealthBoard)
    _check(faults(authorities.values(), boards), sources[-1].where)
    members = {
        board: tuple(code for code, each in authorities.items() if each.health_board == board) for board in boards
    }
    return Listing(authorities, {code: HealthBoard(code, each.name, members[code]) for code, each in boards.items()})


def _check(found: Iterable[str], where: str) -> None:
    if told := list(found):
        raise ListError("\n".join([f"{where} cannot be used:", *(f"  {fault}" for fault in told)]))


def _source(words: str, where: str) -> _Source:
    try:
        found = loads(words)
    except TOMLDecodeError as fault:
        raise ListError(f"{where} cannot be used: it is not TOML: {fault}") from None
    _check((f"{name}: not known; there are {' and '.join(_KINDS)}" for name in found.keys() - {*_KINDS}), where)
    _check(
        (f"{kind}: write [[{kind}]] above each, with its code" for kind, each in found.items() if not _is_tables(each)),
        where,
    )
    return _Source(where, found)


def _is_tables(found: object) -> bool:
    return isinstance(found, list) and all(
        isinstance(each, dict) and isinstance(each.get("code"), str) for each in found
    )


def _twice(source: _Source) -> Iterator[str]:
    counted = Counter(table["code"] for tables in source.tables.values() for table in tables)
    return (f"{code}: listed more than once" for code, number in counted.items() if number > 1)


def _read(sources: Iterable[_Source], kind: str, row: type[_Row]) -> dict[str, _Row]:
    """Return the tables of a kind; later sources change earlier ones."""
    merged: dict[str, _Table] = {}
    for source in sources:
        for table in source.tables.get(kind, ()):
            merged[table["code"]] = {**merged.get(table["code"], {}), **table}
    found, wrong = {}, []
    for code in sorted(merged):
        try:
            found[code] = msgspec.convert(merged[code], row)
        except ValidationError as fault:
            wrong.append(f"{code}: {fault}")
    _check(wrong, [source.where for source in sources][-1])
    return found


def faults(authorities: Iterable[Authority], boards: Mapping[str, HealthBoard]) -> Iterator[str]:
    """Yield what is inconsistent in the list."""
    every = {each.code: each for each in authorities}
    for one in every.values():
        yield from (f"{one.code}: {fault}" for fault in _own_faults(one, boards))
        yield from (f"{one.code}: {fault}" for fault in _succession(one, every))
        if one.retired_code in every:
            yield f"{one.code}: retired_code {one.retired_code} is an authority of the list"
    replaced = Counter(one.retired_code for one in every.values() if one.retired_code)
    yield from (f"{code}: retired_code of more than one" for code, number in replaced.items() if number > 1)
    yield from _same_names(list(every.values()))


def _own_faults(one: Authority, boards: Mapping[str, HealthBoard]) -> Iterator[str]:
    first, last = one.first_day or date.min, one.last_day or date.max
    days = [each.on for each in one.renamed]
    if one.health_board not in boards:
        yield f"health_board {one.health_board} is not in the list"
    if last < first:
        yield "last_day is before first_day"
    if days != sorted(set(days)):
        yield "renamed must be in the order of days, each day once"
    if any(not first < day <= last for day in days):
        yield "renamed: each day must lie between first_day and last_day"


def _succession(one: Authority, every: Mapping[str, Authority]) -> Iterator[str]:
    if one.successor is None:
        return
    if one.last_day is None:
        yield "successor needs last_day"
        return
    heir, after = every.get(one.successor), one.last_day + _DAY
    if heir is None:
        yield f"successor {one.successor} is not in the list"
    elif not heir.is_in_force(after, after):
        yield f"successor {one.successor} is not an authority on {after}"


def _same_names(every: Sequence[Authority]) -> Iterator[str]:
    """Yield names that mean two authorities at the same time."""
    for place, one in enumerate(every):
        for other in every[place + 1 :]:
            both = {name.casefold() for name in one.names} & {name.casefold() for name in other.names}
            if both and one.is_in_force(other.first_day or date.min, other.last_day or date.max):
                yield f"{other.code}: has a name of {one.code}"
