"""Hypothesis strategies for what may arrive instead of an event: almost right, wrong in any way, or no text at all."""

import json
from typing import Any

from hypothesis import strategies as st

from contracts.decoding.codec import Event, encode
from contracts.decoding.lines import is_blank
from contracts.events import AUTHORITY_SUBJECT, Heartbeat, Topic, type_of
from tests.support.generated.strategies import TIMES, events

ODD_TEXT = [
    *("", " ", "-", "\x00", "a\x00b", "\n", "a\n", "\u00a0", "\u202e", "٣", "\U0001f4a9", "x" * 65, "x" * 300),
    *("9999-12-31", "0001-01-01", "2025-02-29", "2025-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "NaN"),
    *("9999-12-31T23:59:59-23:59", "2000-01-01T00:00:00+14:00", "2099-12-31T23:59:59-14:00", "null", "S12000005"),
    *("/authorities/S12000046", "/authorities/S12000005\n", "/authorities/S12000006/systems/x", "order", "session/"),
]
ODD_NUMBERS = [0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**18 - 1, 10**18, 10**30, -(10**30), 1.0, 0.1, 1e308]
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(ODD_TEXT),
    st.sampled_from(ODD_NUMBERS),
    st.none(),
    st.booleans(),
    st.text(max_size=20),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
)
ODD_BYTES = [
    *(b"null", b"{}", b"[]", b'""', b"0", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 60_000, b'{"a":' * 12_000, b"\x00"),
    *(b'{"id":"x","data":' + b"[" * depth + b"]" * depth + b"}" for depth in (31, 32, 33, 900, 1000, 30_000)),
    b'{"id":"\\ud800"}',
    b'{"id":' + b"9" * 5000 + b"}",
    b'{"' + b"\\u0000" * 10_000 + b'":1}',
    b'"' + b'\\"' * 30_000,
    b"x" * 70_000,
]


def good(topic: Topic) -> st.SearchStrategy[Event]:
    """Return any event that the topic accepts."""
    if topic is Topic.UNPAID_WORK:
        return events(topic)
    heartbeat = st.builds(
        lambda time: Event("h", "S12000005", None, type_of(Heartbeat), AUTHORITY_SUBJECT, time, Heartbeat()), TIMES
    )
    return st.one_of(events(topic), heartbeat)


@st.composite
def altered(draw: st.DrawFn, topic: Topic) -> bytes:
    """Draw an event with one thing wrong in its JSON: a member removed, added or replaced."""
    document = json.loads(encode(draw(good(topic))))
    place = draw(st.sampled_from([document, document["data"]]))
    names = sorted(place)
    match draw(st.sampled_from(["drop", "add", "replace"])):
        case "drop" if names:
            del place[draw(st.sampled_from(names))]
        case "replace" if names:
            place[draw(st.sampled_from(names))] = draw(ODD)
        case _:
            place[draw(st.sampled_from(["name", "note", "", "\x00", "`", "a` - at `$.b", "x" * 50]))] = draw(ODD)
    return json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


WRITTEN: dict[str, list[Any]] = {
    "time": [
        *(
            "2025-01-05T09:00:00Z",
            "2025-01-05t09:00:00z",
            "2025-01-05T09:00:00.123456789+01:00",
            "2025-01-05T09:00:00-00:00",
        ),
        *("2016-12-31T23:59:60Z", "2017-01-01T00:59:60.5+01:00", "2016-12-31T22:59:60Z", "2025-01-05 09:00:00Z"),
        *(
            "2025-01-05T09:00:00+0100",
            "2025-01-05T09:00Z",
            "2025-01-05T09:00:00",
            "2025-01-05T09:00:00Z[UTC]",
            "20250105T090000Z",
        ),
        *(
            "2025-02-30T09:00:00Z",
            "2025-01-05T24:00:00Z",
            "2025-01-05T09:00:00,5Z",
            "1999-12-31T23:59:59Z",
            "2025-W01-2T09:00:00Z",
        ),
    ],
    "datacontenttype": [
        *(
            None,
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            'application/json;charset="UTF-8"',
        ),
        *("text/plain", "application/json;", "application/json; charset", "application/xml", ""),
    ],
    "sequence": [
        None,
        1,
        7.0,
        70e0,
        "7",
        "0000000007",
        10**9 - 1,
        10**9,
        "999999999",
        "1000000000",
        0,
        -1,
        1.5,
        "",
        "7.0",
        "x7",
    ],
    "sequencetype": [None, "Integer", "integer", 1],
    "producerversion": [None, "acme/1", "acme 1", "x" * 65],
    "extractrow": [
        None,
        "5f2c81d09a3e7b46.1.14",
        "orders.xlsx",
        "5f2c81d09a3e7b46.0.1",
        "5f2c81d09a3e7b46.1",
        "Smith.1.2",
        7,
    ],
    "caseload": [None, "team-3", "North.2", "Smith", "T 1", "x" * 21, 7],
    "dataschema": [None, "urn:x", "x" * 257],
    "traceparent": [None, "00-1"],
    "subject": ["CPO 1", "-", "x" * 41, None],
    "id": ["a\x7f", "x" * 65, "\u00e9\U0001f44d", "a/b?c#d%2F", None],
}
"""How all kinds of systems write attributes, right and wrong."""


@st.composite
def as_others_write(draw: st.DrawFn, topic: Topic) -> bytes:
    """Draw an event with the same meaning, or nearly, as another system might write it."""
    document = json.loads(encode(draw(good(topic))), parse_int=draw(st.sampled_from([int, float])))
    for name in draw(st.lists(st.sampled_from(sorted(WRITTEN)), max_size=3)):
        document[name] = draw(st.sampled_from(WRITTEN[name]))
    layout: dict[str, Any] = draw(
        st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}])
    )
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return (
        mark + json.dumps(document, ensure_ascii=draw(st.booleans()), sort_keys=draw(st.booleans()), **layout).encode()
    )


@st.composite
def damaged(draw: st.DrawFn, topic: Topic) -> bytes:
    """Draw the bytes of an event, cut or overwritten somewhere."""
    raw = bytearray(encode(draw(good(topic))))
    place = draw(st.integers(0, len(raw) - 1))
    if draw(st.booleans()):
        return bytes(raw[:place])
    raw[place] = draw(st.integers(0, 255))
    return bytes(raw)


def messages(topic: Topic) -> st.SearchStrategy[bytes]:
    """Return anything that somebody may send."""
    return st.one_of(
        good(topic).map(encode),
        altered(topic),
        as_others_write(topic),
        damaged(topic),
        st.sampled_from(ODD_BYTES),
        st.binary(max_size=40),
    )


def lines(topic: Topic) -> st.SearchStrategy[bytes]:
    """Return anything that somebody may send, as lines of a file."""
    return messages(topic).map(lambda raw: raw.replace(b"\n", b"").rstrip(b"\r")).filter(lambda raw: not is_blank(raw))
