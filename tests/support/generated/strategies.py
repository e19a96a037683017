"""Hypothesis strategies made from the contract's own types, so that a new event is tested as soon as it is written."""

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from contracts.decoding.codec import Event, type_of
from contracts.events import FACTS, WHOLE_ORDER, Fact, FactWithdrawn, OrderImposed, Supervision, Topic, withdrawable

REFS = ("a", "b", "c")
DAYS = st.dates(date(2024, 1, 1), date(2024, 12, 31))
TIMES = st.sampled_from([datetime(2025, 1, day, tzinfo=UTC) for day in range(1, 8)])
"""Only a few, so that records of the same fact have the same time."""


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of a type as `msgspec.inspect` describes it."""
    match kind:
        case msgspec.inspect.Metadata():
            return of(kind.type)
        case msgspec.inspect.EnumType():
            return st.sampled_from(list(kind.cls))
        case msgspec.inspect.DateType():
            return DAYS
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.IntType():
            return st.integers(-1000 if kind.ge is None else kind.ge, 10_000 if kind.le is None else kind.le)
        case msgspec.inspect.StrType():
            return _text(kind.pattern or "")
        case msgspec.inspect.UnionType():
            return st.one_of([of(one) for one in kind.types])
        case msgspec.inspect.VarTupleType():
            return st.lists(of(kind.item_type), min_size=1, max_size=3).map(tuple)
        case msgspec.inspect.StructType():
            return st.builds(kind.cls, **{field.name: of(field.type) for field in kind.fields})
    raise NotImplementedError(kind)


def _text(pattern: str) -> st.SearchStrategy[str]:
    if "S12" in pattern:
        return st.sampled_from(["S12000005", "S12000036"])
    if "16,64" in pattern:
        return st.sampled_from(["person-1-0123456789", "person-2-0123456789"])
    if "(0[1-9]" in pattern:
        return st.sampled_from(["2024-03", "2024-04"])
    return st.sampled_from(REFS)


@cache
def facts(topic: Topic, only: frozenset[type[Fact]] = frozenset()) -> st.SearchStrategy[Fact]:
    """Return any fact about an order that the topic may have, or only of these kinds."""
    kinds = [kind for kind in FACTS.values() if topic in kind.TOPICS and not kind.ABOUT_AUTHORITY]
    kinds = [kind for kind in kinds if kind in only] or kinds
    return st.one_of([_fact(kind, topic) for kind in kinds])


def _fact(kind: type[Fact], topic: Topic) -> st.SearchStrategy[Fact]:
    if kind is FactWithdrawn:
        return st.sampled_from(_keys(topic)).map(lambda key: FactWithdrawn(fact=key))
    if kind is OrderImposed:
        return of(msgspec.inspect.type_info(kind)).map(_with_supervision)
    return of(msgspec.inspect.type_info(kind))


def _with_supervision(imposed: OrderImposed) -> OrderImposed:
    """Return an order with each kind of requirement once, supervision among them, as the contract requires."""
    once = {type(one): one for one in imposed.requirements} | {Supervision: Supervision(months=12)}
    return msgspec.structs.replace(imposed, requirements=tuple(once.values()))


def _keys(topic: Topic) -> list[str]:
    keys = {kind.KEY for kind in FACTS.values()} | {WHOLE_ORDER}
    candidates = keys | {f"{key}/{ref}" for key in keys for ref in REFS}
    return sorted(key for key in candidates if withdrawable(key, topic))


@st.composite
def events(draw: st.DrawFn, topic: Topic, only: frozenset[type[Fact]] = frozenset()) -> Event:
    """Draw an event about one of two orders of one authority."""
    fact = draw(facts(topic, only))
    return Event(
        id=draw(st.sampled_from(["1", "2", "3"])),
        authority="S12000005",
        system=None,
        type=type_of(type(fact)),
        subject=draw(st.sampled_from(["CPO/1", "CPO/2"])),
        time=draw(TIMES),
        data=fact,
    )
