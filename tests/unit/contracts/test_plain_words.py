"""Each refusal says what is wrong in words for people, whatever was sent: no kinds of values as programs call them, and no patterns."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.decoding.codec import decode
from contracts.generate.examples import REFUSED, as_sent
from contracts.generate.samples import ARRIVED, AUTHORITY, EVENTS
from contracts.rejections import OF_ORDERS, Reason, Rejection, place_in_words
from contracts.topics import kind_of
from tests.support.checking.plain import is_plain

WRONG: tuple[Any, ...] = (
    *(
        None,
        True,
        7,
        -1,
        10**12,
        10**30,
        2.5,
        "",
        "no",
        "a b",
        "Ünï\u0007",
        "x" * 70_000,
        "x" * 600,
        "2026-02-30",
        "S99000001",
    ),
    *([], {}, [1], [{}], [{"kind": "curfew"}], [{"kind": "unpaid_work", "hours": 1}], {"a": 1}),
)


def places(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each value in a document, and of one member too many."""
    yield path
    if isinstance(part, dict):
        yield (*path, "too_much")
        for name, value in part.items():
            yield from places(value, (*path, name))
    elif isinstance(part, list):
        for at, value in enumerate(part):
            yield from places(value, (*path, at))


def with_value(part: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(part) if isinstance(part, dict) else list(part)
    copy[path[0]] = value if len(path) == 1 else with_value(copy[path[0]], path[1:], value)
    return copy


def without(part: Any, path: tuple[Any, ...]) -> Any:
    if len(path) == 1:
        return {name: one for name, one in part.items() if name != path[0]} if isinstance(part, dict) else []
    copy = dict(part) if isinstance(part, dict) else list(part)
    copy[path[0]] = without(copy[path[0]], path[1:])
    return copy


def refusals() -> Iterator[Rejection]:
    """Yield what is said of everything wrong in every place of every event, and of the published examples."""
    for event in EVENTS:
        document, topic = as_sent(event), kind_of(event.data)
        for path in places(document):
            spoilt = [with_value(document, path, value) for value in WRONG]
            spoilt += [without(document, path)] if path and path[-1] != "too_much" else []
            for one in spoilt:
                found = decode(json.dumps(one).encode(), topic, AUTHORITY, ARRIVED)
                if isinstance(found, Rejection):
                    yield found
    malformed = (
        b"{",
        b'{"a" 1}',
        b"{1: 2}",
        b'{"a": 1,}',
        b"[1,]",
        b'{"a": tru}',
        b'{"a": "\\q"}',
        b'{"a": "\\ud800"}',
        b"\xff{}",
    )
    for raw in (*malformed, b'{"a": 01}', b'{"a": "\n"}', b"{} x", None, b""):
        found = decode(raw, kind_of(EVENTS[0].data), AUTHORITY, ARRIVED)
        assert isinstance(found, Rejection)
        yield found
    for refused in REFUSED:
        found = decode(refused.raw, refused.topic, AUTHORITY, ARRIVED)
        assert isinstance(found, Rejection)
        yield found


def test_every_refusal_is_in_plain_words() -> None:
    said = {(found.message, found.path, found.reason) for found in refusals()}
    assert {reason for _, _, reason in said} == set(Reason) - OF_ORDERS
    assert {words for words, _, _ in said if not is_plain(words)} == set()
    assert {
        place for _, place, _ in said if not is_plain(place_in_words(place)) or "$" in place_in_words(place)
    } == set()


@pytest.mark.parametrize("reason", Reason)
def test_every_remedy_is_in_plain_words(reason: Reason) -> None:
    assert is_plain(reason.remedy)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("$", "the event as a whole"),
        ("$.data", "its data"),
        ("$.time", "time"),
        ("$.data.minutes_credited", "minutes credited"),
        ("$.data.requirements[1].complete_by", "complete by of requirement 2"),
        ("$.data_base64", "data base64"),
        ("$[0].id", "id of part 1"),
    ],
)
def test_a_place_in_words(path: str, words: str) -> None:
    assert place_in_words(path) == words
