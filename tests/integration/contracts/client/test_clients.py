"""Both clients, against a server that answers badly: everything arrives, in order, and everything is told."""

import asyncio
import inspect
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.client import (
    AsyncClient,
    Client,
    Message,
    NotSent,
    Result,
    Source,
    Spool,
    SpoolBusy,
    SpoolFull,
    Topic,
)
from contracts.events import OrderReceived, WorkCompleted
from tests.support.outside.lacking import cannot
from tests.support.platform import platform

SOURCE = Source("S12000005", system="case", software="acme-case/4.2")
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
Send = Callable[..., bool]


def received(index: int, subject: str = "CPO/1") -> Message:
    fact = OrderReceived(received_on=date(2025, 3, 4))
    return SOURCE.event(fact, subject=subject, recorded_at=NOON + timedelta(minutes=index), id=f"e{index}")


def completed(index: int) -> Message:
    fact = WorkCompleted(completed_on=date(2025, 3, 4))
    return SOURCE.event(fact, subject="CPO/1", recorded_at=NOON + timedelta(minutes=index), id=f"w{index}")


def waiting(
    spool: Spool, address: str, heard: Callable[[list[Result]], object] = lambda _: None, **options: Any
) -> bool:
    options = {"first_pause": 0.01, "patience": 60} | options
    return Client(spool, dict.fromkeys(Topic, address), lambda: "token", **options).send(heard)


def awaiting(
    spool: Spool, address: str, heard: Callable[[list[Result]], object] = lambda _: None, **options: Any
) -> bool:
    options = {"first_pause": 0.01, "patience": 60} | options
    client = AsyncClient(spool, dict.fromkeys(Topic, address), lambda: "token", **options)
    return asyncio.run(client.send(heard))


@pytest.fixture(params=[waiting, awaiting], ids=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    found: Send = request.param
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "payback.spool") as made:
        yield made


TROUBLE = {
    "nothing": [],
    "503 with Retry-After": [(503, "1")],
    "503 again and again": [503, 503, 503, 503],
    "429": [(429, "1"), 429],
    "500": [500, 502, 504],
    "no answer": ["drop", "drop"],
    "half an answer": ["half", "half"],
    "another page": ["nonsense"],
    "an answer about something else": ["short"],
    "all at once": [503, "half", (429, "0"), "drop", "nonsense", 500],
}


@pytest.mark.parametrize("script", TROUBLE.values(), ids=TROUBLE)
def test_everything_arrives_in_order_and_is_told(send: Send, spool: Spool, script: list[Any]) -> None:
    spool.add(*(received(index, f"CPO/{index % 3}") for index in range(1200)))
    heard: list[Result] = []
    with platform(*script) as server:
        assert send(spool, server.address, heard.extend)
    ids = list(dict.fromkeys(event["id"] for event in server.kept))
    assert ids == [f"e{index}" for index in range(1200)]
    assert [result.id for result in heard] == ids
    assert all(result.accepted and result.offset is not None for result in heard)
    assert spool.waiting() == 0
    assert server.requests == 3 + len(script)
    assert {event["id"]: event["sequence"] for event in server.kept}["e1199"] == 1200


def test_retry_after_is_honoured(send: Send, spool: Spool) -> None:
    spool.add(received(1))
    began = asyncio.new_event_loop()
    start = began.time()
    with platform((503, "1")) as server:
        assert send(spool, server.address)
    assert began.time() - start >= 1
    began.close()


def test_each_event_has_its_own_result(send: Send, spool: Spool) -> None:
    places = spool.add(received(1), received(2, "bad/2"), received(3))
    with platform() as server:
        assert send(spool, server.address)
    one, two, three = spool.results()
    assert [one.place, two.place, three.place] == places
    assert (one.accepted, two.accepted, three.accepted) == (True, False, True)
    assert (two.reason, two.path, two.remedy) == ("bad_code", "$.data.reason", "Use a code.")
    assert (one.offset, three.offset) == (0, 1)
    spool.forget([one, two])
    assert spool.results() == [three]


def test_when_all_are_refused_all_are_told(send: Send, spool: Spool) -> None:
    spool.add(received(1, "bad/1"))
    with platform() as server:
        assert send(spool, server.address)
    (result,) = spool.results()
    assert not result.accepted


def test_the_two_kinds_do_not_wait_for_each_other(spool: Spool) -> None:
    """One service may be away for long; what is for the other goes on."""
    spool.add(received(1), completed(2))
    with platform(*[503] * 1000) as away, platform() as well:
        addresses = {Topic.ORDERS: away.address, Topic.UNPAID_WORK: well.address}
        assert not Client(spool, addresses, lambda: "token", first_pause=0.01, patience=0.2).send()
    assert [event["id"] for event in well.kept] == ["w2"]
    assert spool.waiting() == 1
    assert well.kept[0]["sequence"] == 2, "a source counts over both kinds, as the platform does"


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_not_believed_loses_nothing(send: Send, spool: Spool, status: int) -> None:
    spool.add(received(1), completed(1))
    with platform(*[status] * 10) as server, pytest.raises(NotSent, match=str(status)):
        send(spool, server.address)
    assert spool.waiting() == 2
    assert spool.results() == []


@pytest.mark.parametrize("status", [301, 400, 404, 415, 422])
def test_a_wrong_address_loses_nothing(send: Send, spool: Spool, status: int) -> None:
    spool.add(received(1))
    with platform(status) as server, pytest.raises(NotSent, match="address"):
        send(spool, server.address)
    assert spool.waiting() == 1


def test_an_address_without_a_scheme_is_told_at_once(spool: Spool) -> None:
    with pytest.raises(ValueError, match="https"):
        Client(spool, dict.fromkeys(Topic, "localhost:8080"), lambda: "token")


def test_too_much_at_once_is_sent_in_parts(send: Send, spool: Spool) -> None:
    spool.add(*(received(index) for index in range(8)))
    with platform(413, 413) as server:
        assert send(spool, server.address)
    assert [event["id"] for event in server.kept] == [f"e{index}" for index in range(8)]
    assert server.requests == 4  # 8, 4 and 2 at once; after a success all the rest


def test_one_that_is_too_large_by_itself_is_told(send: Send, spool: Spool) -> None:
    spool.add(received(1), received(2))
    with platform(413, 413) as server:
        assert send(spool, server.address)
    first, second = spool.results()
    assert (first.reason, second.reason) == ("too_large", None)


def test_patience_ends(send: Send, spool: Spool) -> None:
    spool.add(received(1))
    assert not send(spool, "http://127.0.0.1:1", patience=0.05)
    assert spool.waiting() == 1


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_nobody_waits_for_ever_unless_told_to(kind: type[Client] | type[AsyncClient]) -> None:
    usual = inspect.signature(kind).parameters["patience"].default
    assert 0 < usual <= 3600


def test_each_wait_is_logged_with_its_reason(send: Send, spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    spool.add(received(1))
    with platform(503, "half") as server:
        assert send(spool, server.address)
    assert [one.getMessage().partition(";")[0] for one in caplog.records if one.name.startswith("contracts")] == [
        "orders answered with status 503",
        "orders did not answer",
    ]
    assert all("nothing is lost, the next try is in 0." in one for one in caplog.messages if "orders" in one)


def test_only_one_sends_at_a_time(send: Send, spool: Spool) -> None:
    with spool.sending(), pytest.raises(SpoolBusy):
        send(spool, "http://127.0.0.1:1")
    send(spool, "http://127.0.0.1:1")


def test_what_is_added_meanwhile_is_sent_too(send: Send, spool: Spool) -> None:
    spool.add(received(0))

    def more(results: list[Result]) -> None:
        number = int(results[-1].id[1:])
        if number < 5:
            spool.add(received(number + 1))

    with platform() as server:
        assert send(spool, server.address, more)
    assert [event["id"] for event in server.kept] == [f"e{index}" for index in range(6)]


def test_a_full_spool_refuses_clearly_and_goes_on_after_sending(tmp_path: Path) -> None:
    with Spool(tmp_path / "payback.spool", limit=5_000) as spool, platform() as server:
        taken = fill(spool)
        with pytest.raises(SpoolFull, match="5,000 bytes"):
            spool.add(received(taken))
        assert spool.waiting() == taken
        assert waiting(spool, server.address)
        spool.forget(spool.results())
        assert fill(spool, taken) == taken, "the room came back, all of it"
        assert waiting(spool, server.address)
        assert [event["sequence"] for event in server.kept] == list(range(1, 2 * taken + 1))


def fill(spool: Spool, start: int = 0) -> int:
    """Fill the disk with the spool, and return how many events it took."""
    for index in range(100_000):
        try:
            spool.add(received(start + index))
        except SpoolFull:
            return index
    raise AssertionError("it never was full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a disk of one megabyte."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], capture_output=True, check=False
    )
    if mounted.returncode:
        cannot("needs the right to mount a small disk")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 400_000)
    with Spool(small_disk / "payback.spool") as spool, platform() as server:
        taken = fill(spool)
        with pytest.raises(SpoolFull, match="disk"):
            spool.add(received(taken))
        assert spool.waiting() == taken > 0
        filler.unlink()
        spool.add(received(taken))
        assert waiting(spool, server.address)
        ids = list(dict.fromkeys(event["id"] for event in server.kept))
        assert ids == [f"e{index}" for index in range(taken + 1)]
        assert len({event["sequence"] for event in server.kept}) == taken + 1


LIMITED = """
import sys
from pathlib import Path
from contracts.client import Spool
from tests.integration.contracts.client.test_clients import fill
with Spool(Path(sys.argv[1])) as spool:
    print(fill(spool), spool.waiting())
"""


def test_a_file_that_may_not_grow_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "payback.spool"

    def no_larger() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], preexec_fn=no_larger, capture_output=True, text=True, check=True
    )
    taken, held = map(int, done.stdout.split())
    assert taken == held > 0
    with Spool(path) as spool, platform() as server:
        assert waiting(spool, server.address)
    assert [event["id"] for event in server.kept] == [f"e{index}" for index in range(taken)]


OURS = "/authorities/S12000005/systems/case"


@pytest.mark.parametrize("asked", [[], [503, 500], [404]], ids=["at once", "away at first", "an older platform"])
def test_after_a_lost_spool_numbers_go_on_where_the_platform_stands(
    send: Send, tmp_path: Path, asked: list[int]
) -> None:
    with platform() as server:
        server.asked, server.highest = asked, {OURS: 41, "/authorities/S12000005/systems/other": 7}
        known = 0 if 404 in asked else 41
        with Spool(tmp_path / "new.spool") as spool:
            spool.add(received(1), completed(2), received(3))
            assert spool.take(Topic.ORDERS, 9, 1 << 20) == [], "nothing goes out under a number that may be taken"
            assert send(spool, server.address)
            spool.add(received(4))
            assert send(spool, server.address)
        with Spool(tmp_path / "new.spool") as spool:
            server.highest = {OURS: 1000}
            spool.add(received(5))
            assert send(spool, server.address), "its own count is kept from then on"
    numbers = {event["id"]: event["sequence"] for event in server.kept}
    assert numbers == {name: known + n for n, name in enumerate(["e1", "w2", "e3", "e4", "e5"], 1)}


def test_without_the_numbers_nothing_is_sent(send: Send, spool: Spool) -> None:
    spool.add(received(1))
    with platform() as server:
        server.asked = [503] * 1000
        assert not send(spool, server.address, patience=0.05)
        server.asked = [403]
        with pytest.raises(NotSent, match="403"):
            send(spool, server.address)
    assert (server.kept, spool.waiting()) == ([], 1)


def test_what_is_put_while_others_are_sent_gets_its_number_as_well(send: Send, spool: Spool) -> None:
    other = Source("S12000005", system="other")
    fact = OrderReceived(received_on=date(2025, 3, 4))
    late = other.event(fact, subject="CPO/9", recorded_at=NOON, id="late")
    spool.add(received(1))
    with platform() as server:
        server.highest = dict.fromkeys(["/authorities/S12000005/systems/other"], 7)
        assert send(spool, server.address, lambda _: spool.add(late) if not spool.results(9)[1:] else None)
    assert {event["id"]: event["sequence"] for event in server.kept} == {"e1": 1, "late": 8}


def test_a_spool_from_before_is_taken_as_it_is(send: Send, tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "old.spool"
    with Spool(path) as spool:
        spool.add(received(1))
    old = sqlite3.connect(path)
    old.executescript("DROP TABLE taken_up; DROP TABLE provisional; DELETE FROM notes WHERE name = 'takes_up'")
    old.close()
    with Spool(path) as spool, platform() as server:
        server.highest = {OURS: 1000}
        spool.add(received(2))
        assert send(spool, server.address)
    assert [event["sequence"] for event in server.kept] == [1, 2]
