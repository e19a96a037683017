"""Binary mode and structured mode make the same event, over HTTP and over Kafka."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from contracts.decoding.binary import from_http, from_kafka
from contracts.decoding.codec import Event, decode, encode
from contracts.events import Topic
from contracts.generate.samples import ARRIVED, AUTHORITY, EVENTS
from contracts.rejections import Reason, Rejection
from contracts.topics import kind_of

Headers = list[tuple[str, bytes | None]]


def parts(event: Event) -> tuple[Headers, bytes]:
    """Return attributes as texts without a prefix, and the data."""
    document = json.loads(encode(event))
    data = json.dumps(document.pop("data")).encode()
    return [(name, str(value).encode()) for name, value in document.items()], data


def kafka(headers: Headers) -> Headers:
    return [(f"ce_{name}", value) for name, value in headers] + [("content-type", b"application/json; charset=utf-8")]


def http(headers: Headers) -> list[tuple[bytes, bytes]]:
    named = [(f"Ce-{name}".encode(), quote(value or b"", safe="/:+").encode()) for name, value in headers]
    return [*named, (b"Content-Type", b"application/json")]


def judged(raw: bytes | None, kind: Topic = Topic.ORDERS) -> Event | Rejection:
    return decode(raw, kind, AUTHORITY, ARRIVED)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.id)
def test_both_modes_make_the_same_event(event: Event) -> None:
    headers, data = parts(event)
    assert judged(from_kafka(data, kafka(headers)), kind_of(event.data)) == event
    assert judged(from_http(data, http(headers)), kind_of(event.data)) == event


HEADERS, DATA = parts(EVENTS[3])


def altered(**attributes: Any) -> Headers:
    """Return the headers with some altered: bytes replace, None takes away."""
    kept = [(name, value) for name, value in HEADERS if name not in attributes]
    return kept + [(name, value) for name, value in attributes.items() if value is not None]


@pytest.mark.parametrize(
    ("headers", "value", "reason", "path"),
    [
        (altered(), b'{"made_on":', Reason.UNKNOWN_MEMBER, "$.data_base64"),
        (altered(), b"\x00\x01", Reason.UNKNOWN_MEMBER, "$.data_base64"),
        (altered(), b"[" * 20_000, Reason.UNKNOWN_MEMBER, "$.data_base64"),
        (altered(), b'{"made_on":"2025-03-06"},"sequence":9', Reason.UNKNOWN_MEMBER, "$.data_base64"),
        (altered(), None, Reason.MISSING_MEMBER, "$.data"),
        (altered(), b"", Reason.MISSING_MEMBER, "$.data"),
        (altered(specversion=None), DATA, Reason.NOT_CLOUDEVENT, "$.specversion"),
        (altered(time=b"2025-03-07 09:30"), DATA, Reason.BAD_TIME, "$.time"),
        (altered(id=b"a\xe9"), DATA, Reason.NOT_JSON, "$"),
        (altered(traceparent=b"00-1"), DATA, Reason.UNKNOWN_MEMBER, "$.traceparent"),
        ([*HEADERS, ("id", b"another")], DATA, Reason.REPEATED_MEMBER, "$.id"),
        (altered(id=b'a","sequence":9,"x":"'), DATA, None, ""),
    ],
)
def test_what_is_wrong_is_told_as_in_structured_mode(
    headers: Headers, value: bytes | None, reason: Reason | None, path: str
) -> None:
    found = judged(from_kafka(value, kafka(headers)))
    if reason is None:
        assert isinstance(found, Event)
        assert (found.id, found.sequence) == ('a","sequence":9,"x":"', EVENTS[3].sequence)
    else:
        assert isinstance(found, Rejection)
        assert (found.reason, found.path) == (reason, path)


def test_structured_mode_stays_as_it_is_whatever_headers_say() -> None:
    raw = encode(EVENTS[3])
    assert from_kafka(raw, []) is raw
    assert (
        from_kafka(
            raw, [("trace", b"x"), ("content-type", b"application/cloudevents+json; charset=UTF-8"), ("ce_id", b"y")]
        )
        is raw
    )
    assert from_kafka(None, []) is None
    assert from_http(raw, [(b"content-type", b"application/cloudevents+json"), (b"ce-id", b"y")]) is None
    assert from_http(raw, [(b"content-type", b"application/json")]) is None


def test_a_header_without_a_value_is_an_absent_attribute() -> None:
    found = judged(from_kafka(DATA, [*kafka(altered(producerversion=None)), ("ce_producerversion", None)]))
    assert isinstance(found, Event)
    assert found.producer_version is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [(b"a%C3%A9%20b", "aé b"), (b'"a b"', "a b"), (b'"a \\" b"', 'a " b'), (b"100%25", "100%"), (b"a%zz", "a%zz")],
)
def test_headers_of_http_are_decoded_as_the_binding_says(written: bytes, meant: str) -> None:
    headers = [one for one in http(HEADERS) if one[0] != b"Ce-id"] + [(b"ce-ID", written)]
    found = judged(from_http(DATA, headers))
    assert isinstance(found, Event)
    assert found.id == meant


def test_another_media_type_than_json_is_refused() -> None:
    found = judged(from_kafka(DATA, [*kafka(HEADERS)[:-1], ("Content-Type", b"application/avro")]))
    assert isinstance(found, Rejection)
    assert (found.reason, found.path) == (Reason.BAD_FORMAT, "$.datacontenttype")


def test_a_byte_order_mark_before_the_data_is_passed_over() -> None:
    assert judged(from_kafka(b"\xef\xbb\xbf" + DATA, kafka(HEADERS))) == EVENTS[3]
