"""Nothing that a sender can put into an event is without bounds, whatever is added to the contract."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import inspect

from contracts.decoding.envelope import MAX_SEQUENCE, Envelope
from contracts.events import FACTS, SUPERSEDED, HoursAdjusted, PeriodClosed, SessionRecorded
from contracts.generate import schemas

LARGEST_EXACT = 2**53 - 1
"""Of the whole numbers that every reader of JSON has exactly."""
EVENTS_OF_A_CENTURY = 10**9
LARGEST_CELL = 2**63 - 1
Place = tuple[str, inspect.Type]


def places(kind: Any, name: str) -> Iterator[Place]:
    """Yield every plain type within a type, with the way to it."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from places(inner, name)
        case inspect.UnionType(types=alternatives):
            for one in alternatives:
                yield from places(one, name)
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from places(field.type, f"{name}.{field.encode_name}")
        case inspect.CollectionType(item_type=item, max_length=most):
            assert most is not None, f"{name}: as many items as one likes"
            yield from places(item, f"{name}[]")
        case _:
            yield name, kind


KINDS: tuple[type[Any], ...] = (Envelope, *FACTS.values(), *SUPERSEDED)
PLACES = [place for kind in KINDS for place in places(inspect.type_info(kind), kind.__name__)]
NOT_BY_TYPE = {"Envelope.data", "Envelope.type", "Envelope.source", "Envelope.time"}
"""The data has types of its own, the type must be known, and the test of patterns below looks at the others."""
FINITE = inspect.DateType | inspect.EnumType | inspect.LiteralType | inspect.BoolType | inspect.NoneType


def longest(pattern: str) -> int:
    """Return how many characters a pattern can match at most."""
    return int(re._parser.parse(pattern).getwidth()[1])


def is_bounded(name: str, kind: inspect.Type) -> bool:
    match kind:
        case inspect.IntType(ge=int(least), le=int(most)):
            return -LARGEST_EXACT <= least <= most <= LARGEST_EXACT
        case inspect.StrType(pattern=str(pattern)):
            return longest(pattern) <= 1024
        case inspect.StrType(max_length=int(most)):
            return most <= 1024
    return isinstance(kind, FINITE) or name in NOT_BY_TYPE


def test_the_walk_reaches_everything() -> None:
    names = {name for name, _ in PLACES}
    assert names >= {"OrderImposed.requirements[].hours", "TransferReceived.from", "Envelope.sequence", "Envelope.id"}
    assert sum(isinstance(kind, inspect.IntType) for _, kind in PLACES) >= 20


@pytest.mark.parametrize(("name", "kind"), PLACES, ids=lambda one: one if isinstance(one, str) else "")
def test_every_number_and_text_is_bounded(name: str, kind: inspect.Type) -> None:
    assert is_bounded(name, kind), kind


@pytest.mark.parametrize(
    "kind", [inspect.IntType(), inspect.IntType(ge=0), inspect.IntType(ge=0, le=2**63), inspect.StrType()]
)
def test_the_walk_would_notice(kind: inspect.Type) -> None:
    assert not is_bounded("x", kind)
    assert not is_bounded("x", inspect.StrType(pattern="[a-z]+"))


def test_attributes_with_patterns_of_their_own_are_bounded() -> None:
    """Those that the decoder does not match itself."""
    found = schemas.components([Envelope], "")["Envelope"]["properties"]
    assert longest(found["source"]["pattern"]) <= 128
    assert longest(found["time"]["pattern"]) <= 64
    assert found["id"]["maxLength"] == 64


@pytest.mark.parametrize("most", [MAX_SEQUENCE, 100_000_000, 18_000, 600])
def test_no_cell_leaves_64_bits_in_a_century(most: int) -> None:
    """What one event can add to a cell, times more events than will ever come."""
    assert most * EVENTS_OF_A_CENTURY < LARGEST_CELL


def test_the_numbers_that_cells_add_up_are_those() -> None:
    named = {
        SessionRecorded: ("minutes_credited", 600),
        HoursAdjusted: ("minutes", 18_000),
        PeriodClosed: ("minutes_credited", 100_000_000),
    }
    for kind, (member, most) in named.items():
        (found,) = [one for name, one in places(inspect.type_info(kind), "") if name == f".{member}"]
        assert isinstance(found, inspect.IntType)
        assert found.le == most
