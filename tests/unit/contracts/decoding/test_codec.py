"""The codec takes what systems of all sorts write for what they mean, and says why it cannot take the rest."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import fields, replace

from contracts.decoding.codec import Event, decode, encode
from contracts.events import PlacementStarted, RequirementVaried, SessionRecorded, Topic, TransferRequested
from contracts.generate.examples import as_sent
from contracts.generate.samples import ARRIVED, AUTHORITY, EVENTS
from contracts.rejections import Rejection
from contracts.topics import kind_of

CONTACT = as_sent(EVENTS[3])
SESSION = as_sent(next(event for event in EVENTS if isinstance(event.data, SessionRecorded)))


def judged(document: dict[str, Any] | bytes | None, arrived_at: datetime = ARRIVED) -> Event | Rejection:
    raw = json.dumps(document).encode() if isinstance(document, dict) else document
    kind = Topic.UNPAID_WORK if isinstance(document, dict) and "session" in document["type"] else Topic.ORDERS
    return decode(raw, kind, AUTHORITY, arrived_at)


def accepted(document: dict[str, Any] | bytes) -> Event:
    found = judged(document)
    assert isinstance(found, Event), found
    return found


def refused(document: dict[str, Any] | bytes | None) -> tuple[str, str, str]:
    found = judged(document)
    assert isinstance(found, Rejection), found
    return str(found.reason), found.path, found.message


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.id)
def test_examples_are_read_fast_and_with_care_alike(event: Event) -> None:
    """An attribute that is null makes the reader take care."""
    slowly = json.dumps(as_sent(event) | {"traceparent": None}).encode()
    assert decode(encode(event), kind_of(event.data), AUTHORITY, ARRIVED) == event
    assert decode(slowly, kind_of(event.data), AUTHORITY, ARRIVED) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.id)
def test_each_optional_member_may_be_left_out(event: Event) -> None:
    """The fast reading counts what is there, so it must know each member that may not be. What is varied decides which it needs."""
    wanted = isinstance(event.data, RequirementVaried)
    for member in (one for one in fields(event.data) if not one.required and not wanted):
        without = replace(event, data=replace(event.data, **{member.name: member.default}))
        assert decode(encode(without), kind_of(event.data), AUTHORITY, ARRIVED) == without


def test_a_placement_says_no_more_than_is_known() -> None:
    sent = as_sent(next(event for event in EVENTS if isinstance(event.data, PlacementStarted)))
    found = decode(
        json.dumps(sent | {"data": {"started_on": "2025-03-11"}}).encode(), Topic.UNPAID_WORK, AUTHORITY, ARRIVED
    )
    assert isinstance(found, Event), found
    assert found.data == PlacementStarted(started_on=date(2025, 3, 11))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-04-26T14:48:09.1234Z", datetime(2025, 4, 26, 14, 48, 9, 123400, UTC)),
        ("2025-04-26T14:48:09.123456789+01:00", datetime(2025, 4, 26, 13, 48, 9, 123457, UTC)),
        ("2025-04-26t14:48:09z", datetime(2025, 4, 26, 14, 48, 9, 0, UTC)),
        ("2025-04-26T14:48:09-00:00", datetime(2025, 4, 26, 14, 48, 9, 0, UTC)),
        ("2025-06-30T23:59:60Z", datetime(2025, 6, 30, 23, 59, 59, 999999, UTC)),
        ("2025-07-01T00:59:60.9+01:00", datetime(2025, 6, 30, 23, 59, 59, 999999, UTC)),
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_times(written: str, meant: datetime, separators: tuple[str, str]) -> None:
    assert accepted(json.dumps(CONTACT | {"time": written}, separators=separators).encode()).time == meant


@pytest.mark.parametrize(
    "written",
    [
        *("2025-04-26 14:48:09", "2025-04-26 14:48:09Z", "2025-04-26T14:48:09", "2025-04-26T14:48Z", "2025-04-26", ""),
        *("2025-04-26T14:48:09+0100", "2025-04-26T14:48:09+01", "2025-04-26T14:48:09Z[UTC]", "2025-04-26T14:48:09,5Z"),
        *("2025-04-26T14:48:09.5America/Los_Angeles", "2025-04-26T14:48:60Z", "2025-02-30T14:48:09Z", "yesterday"),
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_what_is_no_time(written: str, separators: tuple[str, str]) -> None:
    reason, path, _ = refused(json.dumps(CONTACT | {"time": written}, separators=separators).encode())
    assert (reason, path) == ("bad_time", "$.time")


@pytest.mark.parametrize("text", ["7", "0000000007", 7, 7.0])
def test_sequences(text: object) -> None:
    assert accepted(CONTACT | {"sequence": text, "sequencetype": "Integer"}).sequence == 7


@pytest.mark.parametrize("number", ["360", "360.0", "3.6e2", "3600E-1", "360.000"])
def test_whole_numbers(number: str) -> None:
    raw = json.dumps(SESSION).replace('"minutes_credited": 360', f'"minutes_credited": {number}')
    found = decode(raw.encode(), Topic.UNPAID_WORK, AUTHORITY, ARRIVED)
    assert isinstance(found, Event)
    assert found.data == SessionRecorded(
        **{name: getattr(found.data, name) for name in SessionRecorded.__struct_fields__ if name != "minutes_credited"},
        minutes_credited=360,
    )


@pytest.mark.parametrize(
    "number", ["360.5", "1e400", "1e-3", "1e999999999", "9" * 5000, "-9" * 1, "601", "1e99999999999999999999"]
)
def test_what_is_no_number_of_minutes(number: str) -> None:
    raw = json.dumps(SESSION).replace('"minutes_credited": 360', f'"minutes_credited": {number}')
    found = decode(raw.encode(), Topic.UNPAID_WORK, AUTHORITY, ARRIVED)
    assert isinstance(found, Rejection)
    assert (found.path, str(found.reason) in {"wrong_type", "out_of_range"}) == ("$.data.minutes_credited", True)


TWICE = {
    "an attribute": ('"id"', '"id": "other", "id"', "$.id"),
    "the data": ('"data"', '"data": {}, "data"', "$.data"),
    "a member": ('"made_on"', '"made_on": "2025-03-01", "made_on"', "$.data.made_on"),
    "the same value": ('"made_on"', '"made_on": "2025-03-06", "made_on"', "$.data.made_on"),
    "in other letters": ('"made_on"', '"\\u006dade_on": "2025-03-06", "made_on"', "$.data.made_on"),
    "null at first": ('"dataschema"', '"dataschema": null, "dataschema"', "$.dataschema"),
}


@pytest.mark.parametrize("where", TWICE)
@pytest.mark.parametrize("escaped", [False, True])
def test_no_member_may_be_there_twice(where: str, escaped: bool) -> None:
    name, doubled, path = TWICE[where]
    document = CONTACT | {"dataschema": 'a"b' if escaped else "urn:x"}
    raw = json.dumps(document).replace(name, doubled, 1).encode()
    assert refused(raw)[:2] == ("repeated_member", path)


def test_refusals_name_what_is_allowed_and_what_does_not_belong() -> None:
    imposed = as_sent(EVENTS[0])
    told = [
        refused(CONTACT | {"subject": "CPO 2025"})[2],
        refused(CONTACT | {"id": "a\tb"})[2],
        refused(CONTACT | {"id": "x" * 70})[2],
        refused(SESSION | {"data": SESSION["data"] | {"activity": "rest"}})[2],
        refused(SESSION | {"data": SESSION["data"] | {"minutes_credited": 601}})[2],
        refused(imposed | {"data": imposed["data"] | {"requirements": [{"kind": "curfew", "months": 3}]}})[2],
    ]
    assert told[0] == "expected 1 to 40 letters, digits or . _ / -; a blank at character 4 is not allowed"
    assert told[1] == "U+0009 at character 2 is not allowed"
    assert told[2] == "expected 1 to 64 characters, not 70"
    assert told[3] == "not a code of the list: unpaid_work, other_activity"
    assert told[4] == "expected 0 to 600"
    assert told[5].startswith("not a code of the list: ")
    assert {"supervision", "unpaid_work", "residence"} <= set(told[5].partition(": ")[2].split(", "))


def test_refusals_name_the_codes_of_authorities_and_types() -> None:
    asked = next(as_sent(event) for event in EVENTS if isinstance(event.data, TransferRequested))
    elsewhere = refused(asked | {"data": asked["data"] | {"to": "S12000099"}})
    assert elsewhere[:2] == ("bad_code", "$.data.to")
    assert {"S12000005", "S12000049"} <= set(elsewhere[2].partition(": ")[2].split(", "))
    unknown = refused(CONTACT | {"type": "scot.payback.contact.mode.v1"})
    assert unknown[:2] == ("unknown_type", "$.type")
    assert "scot.payback.contact.made.v1" in unknown[2]
    assert "scot.payback.session.recorded.v1" not in unknown[2], "that is of the other topic"
    nobody = refused(CONTACT | {"source": "/authorities/S12000099"})
    assert nobody == ("wrong_authority", "$.source", "no such authority: the sender is S12000005")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "tombstone"),
        (b"", "nothing"),
        (b" \n", "nothing"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b"{\x00}\x00", "UTF-16"),
        (b'{"id": "caf\xe9"}', "0xE9 at byte 12"),
        (b'{"id": "a",}', "trailing comma"),
        (b'{"id": "a"', "too early"),
    ],
)
def test_what_is_no_json_is_told_why(raw: bytes | None, words: str) -> None:
    reason, path, message = refused(raw)
    assert (reason, path) == ("not_json", "$")
    assert words in message


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(0), -timedelta(days=5000)])
def test_a_time_up_to_a_day_ahead_is_taken(ahead: timedelta) -> None:
    time = datetime(2025, 3, 7, 9, 30, tzinfo=UTC)
    assert isinstance(judged(CONTACT | {"time": time.isoformat()}, time - ahead), Event)


def test_a_time_further_ahead_is_not() -> None:
    time = datetime(2025, 3, 7, 9, 30, tzinfo=UTC)
    for written in (time.isoformat(), time.astimezone().isoformat()):
        found = judged(CONTACT | {"time": written}, time - timedelta(days=1, microseconds=1))
        assert isinstance(found, Rejection)
        assert (str(found.reason), found.path) == ("time_in_future", "$.time")


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        *(
            (form, True)
            for form in ("application/json", "Application/JSON", "application/json;charset=UTF-8", "application/json;")
        ),
        *((form, True) for form in ("application/json; charset=utf-8", 'application/json ; charset="utf-8"; v=1')),
        *(
            (form, False)
            for form in ("text/plain", "application/xml", "application/json; charset", "application/jsonx", "json", "")
        ),
    ],
)
def test_media_types(written: str, taken: bool) -> None:
    assert isinstance(judged(CONTACT | {"datacontenttype": written}), Event) is taken
