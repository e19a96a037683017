"""An event that its authority has signed: altered by a byte it is not proven, and on its way through the client it stays what it is."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from contracts.client.delivery import Pace, Post, Take, deliver
from contracts.client.source import Source
from contracts.client.spool import Queued
from contracts.decoding.codec import Event, decode, encode
from contracts.events import OrderReceived, Topic
from contracts.receipts.commands import commands
from contracts.receipts.keys import PublicKeys, SigningKey, new_key, public_key
from contracts.receipts.receipt import NotProven
from contracts.receipts.signed import check_signature, sign, signer
from contracts.rejections import Rejection
from services.chassis.api.problems import Problem
from services.records.api.decisions.signatures import Item, check_signed
from services.records.api.intake_schemas import Answer
from services.records.upkeep.renaming import Person, Renaming, Said
from tests.integration.records.test_between_authorities import IMPOSED
from tests.support.lives import event

AUTHORITY = "S12000005"
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
PLAIN = Source(AUTHORITY).event(OrderReceived(received_on=date(2025, 3, 4)), subject="CPO/1", recorded_at=NOON).body


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return new_key(tmp_path / "key.pem")


@pytest.fixture
def keys(key: SigningKey) -> PublicKeys:
    return PublicKeys({"keys": [key.public]})


def test_a_signed_event_is_accepted_as_the_same_and_any_reader_of_jws_can_check_it(key: SigningKey) -> None:
    told = sign(PLAIN, key)
    found = decode(told, Topic.ORDERS, AUTHORITY, NOON)
    assert isinstance(found, Event)
    assert found == decode(PLAIN, Topic.ORDERS, AUTHORITY, NOON)
    signature = json.loads(told)["signature"]
    assert json.loads(PLAIN) == {name: value for name, value in json.loads(told).items() if name != "signature"}
    header, _, mark = signature.split(".")
    public = Ed25519PublicKey.from_public_bytes(from_base64(key.public["x"]))
    public.verify(from_base64(mark), header.encode() + b"." + urlsafe_b64encode(PLAIN).rstrip(b"="))


def from_base64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_same_bytes_are_signed_in_the_same_way_and_only_once(key: SigningKey) -> None:
    told = sign(PLAIN, key)
    assert told == sign(PLAIN, key) == sign(told, key)


def test_whatever_is_altered_is_not_proven(key: SigningKey, keys: PublicKeys, tmp_path: Path) -> None:
    told = sign(PLAIN, key)
    check_signature(told, keys)
    check_signature(told + b"\n", keys)
    other = PublicKeys({"keys": [new_key(tmp_path / "other.pem").public]})
    with pytest.raises(NotProven, match="by any of the keys"):
        check_signature(told, other)
    for altered in (
        PLAIN,
        told.replace(b"2025-03-04", b"2025-03-05"),
        told.replace(b"CPO/1", b"CPO/2"),
        told.replace(b'{"', b'{ "', 1),
        json.dumps(json.loads(told)).encode(),
        told[:-20] + b"A" * 18 + b'"}',
        sign(PLAIN, key)[:-1] + b',"signature":"' + told.rpartition(b'"signature":"')[2],
    ):
        with pytest.raises(NotProven):
            check_signature(altered, keys)


def test_a_head_passes_for_no_event(key: SigningKey, keys: PublicKeys) -> None:
    header, _, mark = key.sign(PLAIN, "payback-head").split(".")
    with pytest.raises(NotProven, match="not what was expected"):
        check_signature(PLAIN[:-1] + f',"signature":"{header}..{mark}"}}'.encode(), keys)


@pytest.mark.parametrize("signature", ["", "a.b.c", "a..b", 7, "a.." + "b" * 87])
def test_what_is_no_signature_is_refused(signature: object) -> None:
    found = decode(msgspec.json.encode(json.loads(PLAIN) | {"signature": signature}), Topic.ORDERS, AUTHORITY, NOON)
    assert isinstance(found, Rejection)
    assert found.path == "$.signature"


def test_the_client_signs_what_it_sends_each_time(key: SigningKey, keys: PublicKeys, tmp_path: Path) -> None:
    course = deliver(Topic.ORDERS, Pace(lambda: 0.0), signer((tmp_path / "key.pem").read_bytes()))
    assert isinstance(next(course), Take)
    posted = course.send([Queued(1, Topic.ORDERS, "a", PLAIN)])
    assert isinstance(posted, Post)
    (sent,) = msgspec.json.decode(posted.body, type=list[msgspec.Raw])
    check_signature(bytes(sent), keys)
    assert bytes(sent) == sign(PLAIN, key)


def test_an_intake_that_wants_signatures_lets_nothing_else_in_and_says_where(key: SigningKey, keys: PublicKeys) -> None:
    so_far = Answer(accepted=3, rejected=[], receipts=[])
    check_signed([Item(0, sign(PLAIN, key))], keys, so_far)
    with pytest.raises(Problem, match="has no signature") as refused:
        check_signed([Item(0, sign(PLAIN, key)), Item(1, PLAIN)], keys, so_far)
    assert refused.value.status_code == 403
    assert refused.value.members["path"] == "$[1].signature"
    assert refused.value.members["accepted"] == 3


def test_a_registered_key_is_named_by_its_thumbprint(key: SigningKey) -> None:
    assert public_key(key.public["x"]) == key.public
    with pytest.raises(ValueError, match="not a public key"):
        public_key("short")


def test_who_signed_is_told_by_the_command(key: SigningKey, tmp_path: Path) -> None:
    run = CliRunner()
    made = run.invoke(commands, ["receipt", "new-key", str(tmp_path / "mine.pem")])
    assert made.exit_code == 0
    public = msgspec.json.decode((tmp_path / "mine.pem.public.json").read_bytes())
    mine = SigningKey((tmp_path / "mine.pem").read_bytes())
    check_signature(sign(PLAIN, mine), PublicKeys(public))
    assert run.invoke(commands, ["receipt", "new-key", str(tmp_path / "mine.pem")]).exit_code == 2
    assert key.name != mine.name


def test_an_erasure_takes_the_signature_away_which_would_confirm_a_guess(key: SigningKey) -> None:
    told = sign(encode(event(IMPOSED, "CPO/1", AUTHORITY)), key)
    said = Said(f"orders.events.{AUTHORITY}", int((NOON + timedelta(days=400)).timestamp() * 1000), b"CPO/1", told)
    person = Person.found_in(AUTHORITY, IMPOSED.person_ref, [said])
    after = Renaming.of(person, [said], "token").renamed(said)
    assert b"signature" in (said.value or b"")
    assert b"signature" not in (after.value or b"")
