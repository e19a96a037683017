"""The client without a server: what is built, how long is waited, and how little it needs."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from contracts.client import Message, NotAcceptable, Queued, Source, Spool, SpoolFull, Topic, message, pseudonym
from contracts.client.delivery import NotSent, Pace, Reply, asked_to_wait, outcome
from contracts.client.publication import Publication
from contracts.decoding.codec import Event, decode
from contracts.events import FactWithdrawn, Heartbeat, OrderImposed, OrderReceived, SessionRecorded
from contracts.generate.samples import ARRIVED, FACTS
from contracts.topics import kind_of

ROOT = Path(__file__).parents[4]
SOURCE = Source("S12000005", system="case", software="acme-case/4.2")
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"

LIGHT = """
import sys
import contracts.client, contracts.events, contracts.decoding.codec, contracts.decoding.validation
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_it_needs_nothing_but_msgspec_and_httpx() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {
        "kafka",
        "aiokafka",
        "sqlalchemy",
        "psycopg",
        "fastapi",
        "starlette",
        "faust",
        "pydantic",
        "numpy",
        "services",
    }
    assert "httpx" in loaded
    assert loaded & heavy == set()


def test_only_their_owner_reads_the_files_that_hold_events(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Spool(tmp_path / "spool") as spool:
            spool.add(SOURCE.event(FACTS[1], subject="CPO/1", recorded_at=NOON))
            with (tmp_path / "lines").open("wb+") as lines, pytest.raises(RuntimeError):
                Publication(lines, spool, _Away(), tmp_path / "receipts").finish()  # type: ignore[arg-type]
            written = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir() if path.name != "lines"}
    finally:
        os.umask(before)
    assert written == dict.fromkeys(["spool", "spool-wal", "spool-shm", "receipts"], 0)


class _Away:
    def send(self) -> bool:
        raise RuntimeError


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.NAME)
def test_every_fact_becomes_an_event_that_is_accepted(fact: OrderImposed) -> None:
    subject = None if fact.ABOUT_AUTHORITY else "CPO/1"
    made = SOURCE.event(fact, subject=subject, recorded_at=NOON)
    assert made.kind is kind_of(fact)
    event = decode(made.body, made.kind, "S12000005", ARRIVED)
    assert isinstance(event, Event)
    assert event.data == fact
    assert (event.subject, event.system, event.producer_version) == (made.subject, "case", "acme-case/4.2")


def test_what_would_be_refused_is_refused_here() -> None:
    fact = OrderReceived(received_on=date(2030, 1, 1))
    with pytest.raises(NotAcceptable, match="date_after_time") as fault:
        SOURCE.event(fact, subject="CPO/1", recorded_at=NOON)
    assert fault.value.rejection.path == "$.data.received_on"
    with pytest.raises(NotAcceptable, match="wrong_subject"):
        SOURCE.event(fact, recorded_at=NOON)
    with pytest.raises(NotAcceptable, match="wrong_subject"):
        SOURCE.event(Heartbeat(), subject="CPO/1", recorded_at=NOON)


def test_a_withdrawal_goes_where_the_fact_went() -> None:
    kinds = {
        key: SOURCE.event(FactWithdrawn(fact=key), subject="CPO/1", recorded_at=NOON).kind
        for key in ("session/s1", "order", "review/r1")
    }
    assert kinds == {"session/s1": Topic.UNPAID_WORK, "order": Topic.ORDERS, "review/r1": Topic.ORDERS}


def test_saying_the_same_twice_is_one_event_and_a_correction_another() -> None:
    fact = OrderReceived(received_on=date(2025, 8, 30))
    again = [SOURCE.event(fact, subject="CPO/1", recorded_at=NOON).id for _ in range(2)]
    assert again[0] == again[1]
    others = [
        SOURCE.event(fact, subject="CPO/2", recorded_at=NOON),
        SOURCE.event(fact, subject="CPO/1", recorded_at=NOON.replace(hour=13)),
        SOURCE.event(OrderReceived(received_on=date(2025, 8, 29)), subject="CPO/1", recorded_at=NOON),
        Source("S12000006").event(fact, subject="CPO/1", recorded_at=NOON),
    ]
    assert len({again[0], *(other.id for other in others)}) == 5


def test_a_source_must_be_one() -> None:
    with pytest.raises(ValueError, match="S12000099"):
        Source("S12000099")
    with pytest.raises(ValueError, match="name"):
        Source("S12000005", system="our system")
    with pytest.raises(ValueError, match="offset"):
        SOURCE.event(Heartbeat(), recorded_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_event_made_elsewhere_is_taken_as_it_is() -> None:
    made = SOURCE.event(FACTS[0], subject="CPO/1", recorded_at=NOON)
    assert message(made.body) == made
    with pytest.raises(NotAcceptable, match="not_json"):
        message(b"{")


def test_pseudonyms() -> None:
    made = pseudonym(SECRET, "CHI-0101701234")
    assert made == pseudonym(SECRET, " CHI-0101701234 ")
    assert made == "MG5kJu1XYrLLqAP_YGs3w905mc7KTazi2QXNW8PaUFE"  # as `openssl dgst -sha256 -hmac` has it
    assert len({made, pseudonym(SECRET, "CHI-0101701235"), pseudonym(SECRET[::-1], "CHI-0101701234")}) == 3
    assert "0101701234" not in made
    imposed = next(fact for fact in FACTS if isinstance(fact, OrderImposed))

    SOURCE.event(msgspec.structs.replace(imposed, person_ref=made), subject="CPO/1", recorded_at=NOON)


def test_a_pseudonym_needs_a_secret_and_a_person() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        pseudonym(b"secret", "1")
    with pytest.raises(ValueError, match="empty"):
        pseudonym(SECRET, "  ")


def test_waits_grow_up_to_a_limit_and_begin_again() -> None:
    pace = Pace(random=lambda: 1.0, first=1, longest=10)
    assert [pace.after_failure(None) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    pace.after_success()
    assert pace.after_failure(None) == 1


def test_waits_differ() -> None:
    assert Pace(random=lambda: 0.0, first=1).after_failure(None) == 0.5


def test_what_is_asked_for_is_waited_for() -> None:
    pace = Pace(random=lambda: 0.5, first=1)
    asked = pace.after_failure(120)
    assert asked is not None
    assert asked >= 120


def test_patience_is_about_waits_in_a_row() -> None:
    pace = Pace(random=lambda: 1.0, patience=3, first=1)
    assert [pace.after_failure(None) for _ in range(3)] == [1, 2, None]


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_retry_after_is_seconds_or_a_date() -> None:
    date_ = "Tue, 04 Mar 2025 12:00:00 GMT"
    later = "Tue, 04 Mar 2025 12:01:30 GMT"
    assert asked_to_wait(reply(503, retry_after="7")) == 7
    assert asked_to_wait(reply(503, retry_after=later, date=date_)) == 90
    assert asked_to_wait(reply(503, retry_after=date_, date=later)) == 0
    assert asked_to_wait(reply(503, retry_after="soon", date=date_)) is None
    assert asked_to_wait(reply(503, retry_after="9" * 5000)) == 3600
    assert asked_to_wait(reply(503, retry_after="Tue, 04 Mar 9999 12:00:00 GMT", date=date_)) == 3600
    assert asked_to_wait(reply(503, retry_after="-7", date=date_)) is None
    assert asked_to_wait(reply(503)) is None
    assert asked_to_wait(None) is None


BATCH = [Queued(1, Topic.ORDERS, "a", b"{}"), Queued(2, Topic.ORDERS, "b", b"{}")]
RECEIPTS = [{"id": name, "topic": "t", "partition": 0, "offset": 5} for name in ("a", "b")]
REFUSAL = {"index": 0, "reason": "bad_code", "path": "$", "message": "m", "remedy": "r"}


@pytest.mark.parametrize(
    "body",
    [
        {"rejected": [], "receipts": RECEIPTS[:1]},
        {"rejected": [], "receipts": RECEIPTS[::-1]},
        {"rejected": [REFUSAL], "receipts": RECEIPTS},
        {"rejected": [REFUSAL | {"index": 2}], "receipts": RECEIPTS},
        {"rejected": [REFUSAL | {"index": -1}], "receipts": RECEIPTS},
        {"receipts": RECEIPTS},
        [],
    ],
)
def test_an_answer_that_does_not_add_up_is_no_answer(body: object) -> None:
    assert outcome(BATCH, reply(202, json.dumps(body).encode())) is None
    with pytest.raises(NotSent):
        outcome(BATCH, reply(422, json.dumps(body).encode()))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5000])
def test_an_unreadable_answer_is_no_answer(body: bytes) -> None:
    assert outcome(BATCH, reply(202, body)) is None


def test_numbers_of_its_own_are_kept(tmp_path: Path) -> None:
    made = SOURCE.event(FACTS[1], subject="CPO/1", recorded_at=NOON)
    numbered = Message(made.kind, made.id, made.subject, made.source, made.numbered(41))
    with Spool(tmp_path / "spool") as spool:
        spool.add(numbered, numbered=False)
        spool.add(made)
        spool.add(made)
        spool.take_up({}, spool.not_taken_up())
        numbers = [json.loads(event.body)["sequence"] for event in spool.take(made.kind, 9, 1 << 20)]
    assert numbers == [41, 1, 2]


def test_all_or_none_are_added(tmp_path: Path) -> None:
    made = SOURCE.event(FACTS[1], subject="CPO/1", recorded_at=NOON)
    with Spool(tmp_path / "spool", limit=3 * (len(made.body) + 250)) as spool:
        with pytest.raises(SpoolFull):
            spool.add(*[made] * 4, note=("cursor", "4"))
        assert (spool.waiting(), spool.note("cursor")) == (0, None)
        spool.add(*[made] * 2, note=("cursor", "2"))
        assert (spool.waiting(), spool.note("cursor")) == (2, "2")
        spool.take_up({}, spool.not_taken_up())
        assert json.loads(spool.take(made.kind, 1, 0)[0].body)["sequence"] == 1, "no number was used up"


def test_a_session_is_of_unpaid_work() -> None:
    fact = next(fact for fact in FACTS if isinstance(fact, SessionRecorded))
    assert SOURCE.event(fact, subject="CPO/1", recorded_at=NOON).kind is Topic.UNPAID_WORK
