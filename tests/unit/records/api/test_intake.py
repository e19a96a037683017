"""Requests may take many forms: modes, media types and encodings are judged without anything being sent."""

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from contracts.decoding.codec import encode
from contracts.events import Topic
from contracts.generate.examples import as_sent
from contracts.generate.samples import AUTHORITY, EVENTS
from contracts.receipts.keys import PublicKeys, new_key
from contracts.receipts.signed import sign
from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.api.http import application
from services.chassis.api.problems import Problem
from services.chassis.clock import FixedClock, system_clock
from services.chassis.database import engine
from services.chassis.failures import Away
from services.chassis.settings import DatabaseSettings, HttpSettings, KafkaSettings, TokenSettings
from services.chassis.streaming.clients.producer import Producer
from services.records.api import intake
from services.records.api.decisions.signatures import RegisteredSigners, Signers, nobody_must_sign
from services.records.api.policies import MOST_IN_A_BATCH
from tests.support.made.policies import own_policies

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEYS = generate_keys()
SENDER = Identity("vendor", frozenset({"events:write"}), AUTHORITY)
TOKEN = {"Authorization": f"Bearer {mint(KEYS.private, SENDER, timedelta(hours=1), system_clock)}"}
EVENT = as_sent(EVENTS[3])
RAW = encode(EVENTS[3])


@contextmanager
def clients(signers: Signers = nobody_must_sign) -> Iterator[TestClient]:
    producer = Producer(KafkaSettings(bootstrap="127.0.0.1:1"))  # never asked: nothing is sent
    router = intake.router(Topic.ORDERS, producer, FixedClock(NOW), signers)
    tokens = TokenSettings(public_key=KEYS.public)
    with TestClient(
        application(
            "intake", HttpSettings(port=0), CollectorRegistry(), [router], own_policies([router]), tokens=tokens
        )
    ) as made:
        yield made
    producer.close()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with clients() as made:
        yield made


def validate(client: TestClient, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post("/v1/validate", content=body, headers=TOKEN | named)
    return answer.status_code, answer.json()


def binary(**changes: str | None) -> dict[str, str]:
    attributes = {f"ce_{name}": str(value) for name, value in EVENT.items() if name != "data"} | {
        "content_type": "application/json"
    }
    return {name: value for name, value in (attributes | changes).items() if value is not None}


DATA = json.dumps(EVENT["data"]).encode()


@pytest.mark.parametrize("media", ["application/json", "Application/JSON; charset=utf-8", None])
def test_binary_mode_is_taken(client: TestClient, media: str | None) -> None:
    status, told = validate(client, DATA, **binary(content_type=media))
    assert (status, told["accepted"]) == (200, 1), told


@pytest.mark.parametrize(
    ("changes", "reason", "path"),
    [
        ({"ce_specversion": None}, "not_cloudevent", "$.specversion"),
        ({"ce_subject": "CPO%202025"}, "bad_format", "$.subject"),
        ({"content_type": "application/avro"}, "bad_format", "$.datacontenttype"),
        ({"ce_traceparent": "00-1"}, "unknown_member", "$.traceparent"),
        ({"ce_time": "2026-06-02T12:00:01Z"}, "time_in_future", "$.time"),
    ],
)
def test_what_is_wrong_in_binary_mode_is_told(
    client: TestClient, changes: dict[str, str | None], reason: str, path: str
) -> None:
    _, told = validate(client, DATA, **binary(**changes))
    assert [(one["reason"], one["path"]) for one in told["rejected"]] == [(reason, path)]


@pytest.mark.parametrize(
    ("body", "media", "accepted"),
    [
        (RAW, "application/cloudevents+json; charset=UTF-8", 1),
        (b"\xef\xbb\xbf" + RAW, "application/cloudevents+json", 1),
        (b"\xef\xbb\xbf[" + RAW + b"]", "application/cloudevents-batch+json;charset=utf-8", 1),
        (b"\xef\xbb\xbf" + RAW + b"\r\n\r\n  \r\n" + RAW + b"\n", "application/x-ndjson", 2),
        (RAW + b"\n" + RAW, "application/jsonl", 2),
        (RAW.decode().encode("utf-16"), "application/cloudevents+json; charset=utf-16", 0),
    ],
)
def test_media_types_and_encodings(client: TestClient, body: bytes, media: str, accepted: int) -> None:
    _, told = validate(client, body, content_type=media)
    assert told["accepted"] == accepted
    if not accepted:
        assert told["rejected"][0]["message"] == "UTF-16 instead of UTF-8"


def test_a_batch_in_another_encoding_is_told_so(client: TestClient) -> None:
    status, told = validate(
        client, b"[%s]".decode().encode("utf-16"), content_type="application/cloudevents-batch+json"
    )
    assert status == 422
    assert "UTF-16" in told["title"] + told.get("detail", "")


def test_another_media_type_is_answered_with_what_may_be_sent(client: TestClient) -> None:
    status, told = validate(client, DATA, content_type="text/csv")
    assert status == 415
    assert "ce-" in json.dumps(told)


@pytest.mark.parametrize(("seconds", "accepted"), [(-1, 1), (0, 1), (1, 0)])
def test_a_time_may_lie_a_day_ahead_and_no_more(client: TestClient, seconds: int, accepted: int) -> None:
    time = NOW + timedelta(days=1, seconds=seconds)
    _, told = validate(client, json.dumps(EVENT | {"time": time.isoformat()}).encode(), content_type="application/json")
    assert told["accepted"] == accepted
    assert [one["reason"] for one in told["rejected"]] == ["time_in_future"] * (1 - accepted)


def test_a_batch_of_numbers_makes_no_answer_a_hundred_times_as_large(client: TestClient) -> None:
    body = b"[" + b"1," * 500_000 + b"1]"
    status, told = validate(client, body, content_type=intake.BATCH)
    assert (status, len(json.dumps(told)) < 1000) == (413, True)
    most = b"[" + b",".join([b"1"] * MOST_IN_A_BATCH) + b"]"
    assert validate(client, most, content_type=intake.BATCH)[0] == 422


def test_a_batch_of_numbers_takes_no_memory_a_hundred_times_as_large() -> None:
    """None of its parts is made before it is known to be too many."""
    body = b"[" + b"1," * 3_000_000 + b"1]"
    tracemalloc.start()
    with pytest.raises(Problem):
        next(intake._batch_groups(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_lines_beyond_the_most_of_one_request_are_not_read(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_EVENTS", 2 * intake.GROUP)
    status, told = validate(client, RAW + b"\n" + b"1\n" * 2 * intake.GROUP, content_type=intake.LINES)
    assert (status, told["accepted"], len(told["rejected"])) == (413, 1, 2 * intake.GROUP - 1)


@pytest.mark.parametrize("line", [b"\n", b" \r\n", b"\xef\xbb\xbf\n", b"1\n"])
def test_lines_count_whatever_is_in_them(client: TestClient, monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    """Blank lines are no events, but reading them is work that others wait for."""
    monkeypatch.setattr(intake, "MOST_EVENTS", 2 * intake.GROUP)

    def body() -> Iterator[bytes]:
        yield RAW + b"\n"
        yield from [line * 1000] * 100

    status, told = validate(client, body(), content_type=intake.LINES)  # type: ignore[arg-type]
    assert (status, told["accepted"]) == (413, 1)
    assert validate(client, RAW + b"\n" + line * 1000, content_type=intake.LINES)[0] == 200


def test_what_is_told_of_refused_events_is_bounded_and_the_rest_counted(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "TOLD_BYTES", 10_000)
    status, told = validate(client, RAW + b"\n" + b"1\n" * 3000, content_type=intake.LINES)
    assert (status, told["accepted"], len(told["rejected"]) + told["unlisted"]) == (200, 1, 3000)
    assert len(json.dumps(told)) < 25_000


def test_no_way_in_is_without_signature_where_one_is_required(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key.pem")
    signed, known = sign(RAW, key), PublicKeys({"keys": [key.public]})
    twice = sign(signed[:-1] + b',"producerversion":"1"}', key)
    hidden = RAW.replace(b'"subject":', b'"caseload":"x,\\"signature\\":1","subject":')
    with clients(lambda _: known) as client:
        for media, of in (
            ("application/cloudevents+json", b"%b"),
            ("application/cloudevents-batch+json", b"[%b]"),
            ("application/x-ndjson", b"%b\n"),
        ):
            assert validate(client, of % signed, content_type=media)[0] == 200
            for event in (RAW, hidden, signed[:-1] + b',"producerversion":"1"}', signed.replace(b"..", b"..A", 1)):
                status, told = validate(client, of % event, content_type=media)
                assert (status, told["reason"]) == (403, "not_signed")
            assert validate(client, of % twice, content_type=media)[0] == 422, "a member that comes twice"
        both = b"[%b,%b]" % (signed, RAW)
        assert validate(client, both, content_type="application/cloudevents-batch+json")[1]["path"] == "$[1].signature"
        assert validate(client, DATA, **binary())[0] == 403


def test_while_it_cannot_be_known_whether_signatures_are_required_senders_are_told_to_come_again() -> None:
    nowhere = engine(DatabaseSettings(url="postgresql://nobody@localhost:1/nothing", schema_name="orders"))
    signers = RegisteredSigners(nowhere)
    with pytest.raises(Away):
        signers.check()
    with clients(signers) as client:
        answer = client.post("/v1/validate", content=RAW, headers=TOKEN | {"Content-Type": "application/json"})
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
