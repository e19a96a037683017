"""A message goes to the address that was judged, under the name that was typed, within its time, or not at all."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path
from time import monotonic, sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.chassis.clock import system_clock
from services.records.webhooks import delivering
from services.records.webhooks.delivering import Limits, NotSent, Postman
from services.records.webhooks.names import LookUp, Names
from services.records.webhooks.retrying import Fault
from services.records.webhooks.signing import Message, headers, new_secret
from tests.support.outside.receiver import Answer, Receiver, receiver, status

HERE = [ip_network("127.0.0.0/8")]
NAME = "receiver.example"


def send(url: str, *, names: LookUp, seconds: float = 5, allowed: bool = True, ca: Path | None = None) -> Fault | None:
    """Send one message, and return how it ended; None where it was taken."""
    message = Message("orders.S12000005.1.1.1", b"{}")

    async def go(executor: ThreadPoolExecutor) -> Fault | None:
        postman = Postman(Limits(HERE if allowed else (), seconds), Names(executor, names), str(ca) if ca else None)
        try:
            async with postman.rounds() as client:
                signed = headers(message, [new_secret()], system_clock())
                await postman.send(client, "S12000005", url, signed, message.body)
        except NotSent as reason:
            return reason.fault
        return None

    with ThreadPoolExecutor(1) as executor:
        return asyncio.run(go(executor))


def leads_to(*addresses: str) -> LookUp:
    return lambda _host, _port: addresses


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate for the one name, signed by itself; with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), system_clock()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "receiver.pem"
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, *plain)
    )
    return path


def test_a_certificate_must_be_good_for_the_name(certificate: Path) -> None:
    with receiver(certificate) as it:
        good = f"https://{NAME}:{it.port}/x"
        assert send(good, names=leads_to("127.0.0.1"), ca=certificate) is None
        assert it.headers[0]["host"] == f"{NAME}:{it.port}"
        assert send(good, names=leads_to("127.0.0.1")) is Fault.CERTIFICATE, "nobody vouches for it"
        other = f"https://other.example:{it.port}/x"
        assert send(other, names=leads_to("127.0.0.1"), ca=certificate) is Fault.CERTIFICATE
        assert len(it.headers) == 1


def test_who_speaks_no_tls_is_not_blamed_for_a_certificate(there: Receiver) -> None:
    assert send(f"https://{NAME}:{there.port}/", names=leads_to("127.0.0.1")) is Fault.UNREACHABLE


def test_a_name_is_looked_up_as_it_is_spelled_on_the_wire(there: Receiver) -> None:
    """By the rules of 2008: those of 2003, which the system's own resolver has, make `strasse` of it, which may be somebody else's."""
    asked = []

    def names(host: str, _port: int) -> Iterable[str]:
        asked.append(host)
        return ["127.0.0.1"]

    assert send(there.url.replace("127.0.0.1", "straße.example"), names=names) is None
    assert asked == ["xn--strae-oqa.example"]
    assert there.headers[0]["host"].startswith("xn--strae-oqa.example:")


def test_a_name_that_leads_inside_is_sent_nothing(there: Receiver) -> None:
    url = there.url.replace("127.0.0.1", "localhost")
    assert send(url, names=leads_to("127.0.0.1"), allowed=False) is Fault.NOT_ALLOWED
    assert send(url, names=leads_to("127.0.0.1", "10.0.0.1")) is Fault.NOT_ALLOWED
    assert there.ids == []
    assert send(url, names=leads_to("127.0.0.1")) is None


def test_a_name_is_looked_up_once_so_that_it_cannot_lead_elsewhere_in_between(there: Receiver) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    assert send(there.url.replace("127.0.0.1", NAME), names=lambda _host, _port: next(answers)) is None
    assert next(answers) == ["127.0.0.2"]


def test_a_name_that_leads_nowhere_or_to_nobody(there: Receiver) -> None:
    def unknown(_host: str, _port: int) -> Iterable[str]:
        raise OSError("no such name")

    assert send(there.url, names=unknown) is Fault.NO_ADDRESS
    assert send(there.url, names=leads_to()) is Fault.NO_ADDRESS
    assert send("http://127.0.0.1:1/", names=leads_to("127.0.0.1")) is Fault.UNREACHABLE


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a little at a time, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        handler.wfile.write(b"x-%d: y\r\n" % number)
        handler.wfile.flush()
        sleep(0.02)


def test_one_that_answers_a_little_at_a_time_runs_out_of_time_too(there: Receiver) -> None:
    there.answer = drip
    begun = monotonic()
    assert send(there.url, names=leads_to("127.0.0.1"), seconds=0.2) is Fault.TIMED_OUT
    assert monotonic() - begun < 2


def drip_the_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        sleep(0.02)


def break_off(handler: BaseHTTPRequestHandler) -> None:
    status(200, **{"content-length": "10"})(handler)
    handler.close_connection = True


def pour_out(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x" * 1_000_000)


@pytest.mark.parametrize("answer", [drip_the_body, break_off, pour_out])
def test_a_message_is_taken_by_its_status_however_the_answer_ends(
    there: Receiver, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "READ_SECONDS", 0.2)
    there.answer = answer
    begun = monotonic()
    assert send(there.url, names=leads_to("127.0.0.1"), seconds=0.5) is None
    assert monotonic() - begun < 1


def test_a_name_that_takes_long_to_look_up_runs_out_of_time_too(there: Receiver) -> None:
    def slow(_host: str, _port: int) -> Iterable[str]:
        sleep(0.5)
        return ["127.0.0.1"]

    assert send(there.url, names=slow, seconds=0.1) is Fault.TIMED_OUT


def test_where_a_receiver_points_elsewhere_nobody_follows(there: Receiver) -> None:
    with receiver() as elsewhere:
        there.answer = status(307, location=elsewhere.url)
        assert send(there.url, names=leads_to("127.0.0.1")) is Fault.STATUS
        assert elsewhere.ids == []
