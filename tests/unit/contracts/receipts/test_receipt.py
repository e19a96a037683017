"""A receipt proves what was accepted, and nothing that was altered: the event, what is said of it, its way, the head or the history."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from contracts.receipts.commands import NotGiven, commands
from contracts.receipts.keys import HEAD, PublicKeys, SigningKey, new_key
from contracts.receipts.merkle import Growing, Node, consistency, hashes, inclusion, leaf_hash
from contracts.receipts.receipt import (
    Entry,
    Growth,
    Head,
    Leaf,
    NotProven,
    Receipt,
    entry_of,
    grown,
    mark_of,
    read_receipt,
)

AUTHORITY, TOPIC = "S12000005", "orders.events.S12000005"
AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
SALT = b"a salt of sixteen"


def event(number: int) -> bytes:
    return b'{"id": "e%d"}' % number


def entry(number: int, **changes: str) -> str:
    told = Entry(AUTHORITY, TOPIC, number, f"e{number}", "a.type.v1", AT, mark_of(event(number), SALT))
    return msgspec.json.encode(msgspec.structs.replace(told, **changes)).decode()


def day_of(size: int) -> date:
    """Return the day at whose end there were so many events: one came each day."""
    return date(2026, 2, 27) + timedelta(size)


@dataclass
class World:
    """A platform that has accepted some events."""

    key: SigningKey
    entries: list[str]

    def head(self, size: int, **changes: object) -> str:
        tree, _ = self._grown(size)
        told = Head(AUTHORITY, TOPIC, day_of(size), size, tree.root.hex(), AT)
        return self.key.sign(msgspec.json.encode(msgspec.structs.replace(told, **changes)), HEAD)

    def receipt(self, number: int, size: int, since: int | None = None) -> Receipt:
        _, nodes = self._grown(size)
        path = [one.hex() for one in hashes(inclusion(number, size), lambda _: nodes)]
        growth = [one.hex() for one in hashes(consistency(since, size), lambda _: nodes)] if since else []
        leaf = Leaf(number, self.entries[number], SALT.hex(), path)
        return Receipt(self.head(size), leaf, Growth(since, growth) if since else None)

    def _grown(self, size: int) -> tuple[Growing, dict[Node, bytes]]:
        tree, nodes = Growing(0, {}), dict[Node, bytes]()
        for one in self.entries[:size]:
            nodes.update(tree.add(leaf_hash(one.encode())))
        return tree, nodes

    @property
    def keys(self) -> PublicKeys:
        return PublicKeys({"keys": [self.key.public]})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(new_key(tmp_path / "key.pem"), [entry(number) for number in range(9)])


def proven(world: World, receipt: Receipt, sent: bytes | None = None) -> Entry:
    assert receipt.leaf
    return entry_of(receipt.leaf, world.keys.head(receipt.head), sent)


def test_an_event_that_was_accepted_is_proven(world: World) -> None:
    assert proven(world, world.receipt(4, 9), event(4)).id == "e4"
    assert proven(world, world.receipt(4, 9)).accepted == AT


def with_leaf(receipt: Receipt, **changes: object) -> Receipt:
    assert receipt.leaf
    return msgspec.structs.replace(receipt, leaf=msgspec.structs.replace(receipt.leaf, **changes))


ALTERED: dict[str, Callable[[World, Receipt], Receipt]] = {
    "the line about": lambda _, it: with_leaf(it, entry=entry(4, type="another.type.v1")),
    "when it came": lambda _, it: with_leaf(it, entry=entry(4).replace("2026", "2025")),
    "its number": lambda _, it: with_leaf(it, number=5),
    "its way": lambda _, it: with_leaf(it, path=it.leaf.path[::-1] if it.leaf else []),
    "a hash": lambda _, it: with_leaf(it, path=["00" * 32, *(it.leaf.path[1:] if it.leaf else [])]),
    "half a hash": lambda _, it: with_leaf(it, path=["00", *(it.leaf.path[1:] if it.leaf else [])]),
    "no hash": lambda _, it: with_leaf(it, path=["what?", *(it.leaf.path[1:] if it.leaf else [])]),
    "the salt": lambda _, it: with_leaf(it, salt="00"),
    "another head": lambda world, it: msgspec.structs.replace(it, head=world.head(8)),
    "of another topic": lambda world, it: msgspec.structs.replace(it, head=world.head(9, topic="another")),
    "signed by another": lambda world, it: msgspec.structs.replace(it, head=by_another(world)),
    "signed as something else": lambda world, it: msgspec.structs.replace(it, head=world.key.sign(b"{}", "other")),
    "signed content": lambda _, it: msgspec.structs.replace(it, head=it.head.replace(".", ".e", 1)),
    "unsigned": lambda _, it: msgspec.structs.replace(it, head="eyJhbGciOiJub25lIn0.e30."),
    "not a head": lambda world, it: msgspec.structs.replace(it, head=world.key.sign(b"{}", HEAD)),
}


def by_another(world: World) -> str:
    with TemporaryDirectory() as folder:
        return World(new_key(Path(folder) / "key.pem"), world.entries).head(9)


@pytest.mark.parametrize("what", ALTERED)
def test_whatever_is_altered_is_not_proven(world: World, what: str) -> None:
    altered = ALTERED[what](world, world.receipt(4, 9))
    with pytest.raises(NotProven):
        proven(world, altered, event(4))


def test_another_event_is_not_proven(world: World) -> None:
    with pytest.raises(NotProven, match="differ from those of the given event"):
        proven(world, world.receipt(4, 9), event(4) + b" ")


def compared(world: World, old: Receipt, new: Receipt) -> None:
    grown(world.keys.head(old.head), world.keys.head(new.head), new.since)


def test_history_that_only_grew_is_proven(world: World) -> None:
    for old in range(1, 10):
        compared(world, world.receipt(0, old), world.receipt(0, 9, since=old))


HISTORY: dict[str, Callable[[list[str]], list[str]]] = {
    "changed": lambda entries: [entry(0, type="another.type.v1"), *entries[1:]],
    "removed": lambda entries: [*entries[:2], *entries[3:], entry(20)],
    "in another order": lambda entries: [entries[1], entries[0], *entries[2:]],
    "put in between": lambda entries: [*entries[:2], entry(20), *entries[2:]],
}


@pytest.mark.parametrize("how", HISTORY)
def test_history_that_was_altered_is_not_proven(world: World, how: str) -> None:
    other = World(world.key, HISTORY[how](world.entries))
    with pytest.raises(NotProven, match="does not begin with"):
        compared(world, world.receipt(0, 5), other.receipt(0, 9, since=5))
    with pytest.raises(NotProven):
        compared(world, world.receipt(0, 9), other.receipt(0, 9))


def test_files_that_cannot_be_compared_say_why(world: World) -> None:
    with pytest.raises(NotProven, match="smaller"):
        compared(world, world.receipt(0, 9), Receipt(world.head(5, day=day_of(10))))
    with pytest.raises(NotProven, match="not of a later day"):
        compared(world, world.receipt(0, 9), world.receipt(0, 5))
    with pytest.raises(NotProven, match="--since"):
        compared(world, world.receipt(0, 5), world.receipt(0, 9, since=4))
    with pytest.raises(NotProven, match="different topics"):
        compared(world, world.receipt(0, 9), Receipt(world.head(9, topic="another")))


@pytest.mark.parametrize("days", [-1, 0])
def test_a_day_that_was_signed_twice_is_not_proven(world: World, days: int) -> None:
    """Whatever the trees are: at the end of a day, one number of events had been accepted."""
    later = world.receipt(0, 9, since=5)
    again = msgspec.structs.replace(later, head=world.head(9, day=day_of(5) + timedelta(days)))
    with pytest.raises(NotProven, match="a day was signed twice"):
        compared(world, world.receipt(0, 5), again)
    compared(world, world.receipt(0, 5), Receipt(world.head(5, day=day_of(7))))


@pytest.fixture
def files(world: World, tmp_path: Path) -> Path:
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode({"keys": [world.key.public]}))
    (tmp_path / "old.json").write_bytes(msgspec.json.encode(world.receipt(4, 5)))
    (tmp_path / "new.json").write_bytes(msgspec.json.encode(world.receipt(4, 9, since=5)))
    (tmp_path / "event.json").write_bytes(event(4))
    (tmp_path / "no.json").write_bytes(b"{}")
    return tmp_path


def run(files: Path, command: str, *names: str) -> tuple[str, BaseException | None]:
    arguments = [str(files / name) if name.endswith(".json") else name for name in names]
    done = CliRunner().invoke(commands, ["receipt", command, *arguments, "--keys", str(files / "keys.json")])
    return done.output, done.exception


def test_the_commands_need_no_platform_and_say_what_is_proven(files: Path) -> None:
    said, fault = run(files, "verify", "old.json", "--event", "event.json")
    assert fault is None
    assert "proven: a.type.v1 e4 was accepted at 2026-03-04 12:00:00 UTC, with the bytes of the file" in said
    assert f"by the end of 2026-03-04 5 events of {TOPIC} were accepted" in said
    assert "not compared" in run(files, "verify", "old.json")[0]
    said, fault = run(files, "compare", "old.json", "new.json")
    assert fault is None
    assert "the 5 events" in said
    for command, *names in (
        ("verify", "old.json", "--event", "no.json"),
        ("verify", "no.json"),
        ("compare", "new.json", "old.json"),
    ):
        _, fault = run(files, command, *names)
        assert isinstance(fault, NotProven)
        assert fault.exit_status == 1


def test_a_key_is_for_its_owner_only_and_none_is_written_over(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
    assert "d" not in key.public
    assert PublicKeys({"keys": [key.public]}).names == [key.name]
    with pytest.raises(FileExistsError):
        new_key(tmp_path / "key.pem")
    with pytest.raises(ValueError, match="not a private key"):
        SigningKey(b"nonsense")
    forged = key.public | {"kid": new_key(tmp_path / "forged.pem").name}
    with pytest.raises(ValueError, match="does not have the name"):
        PublicKeys({"keys": [forged]})
    for wrong in ({}, {"keys": "no"}, {"keys": [{"kty": "?"}]}):
        with pytest.raises(ValueError, match="not a set"):
            PublicKeys(wrong)


def test_what_is_no_receipt_is_not_proven() -> None:
    for raw in (b"", b"[]", b"{}", b"\xff", b'{"head": 1}'):
        with pytest.raises(NotProven):
            read_receipt(raw)


def test_a_platform_that_gives_the_same_receipt_again_is_not_asked_without_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is anything written. What is written is for its owner only: with its salt, an event can be guessed."""
    asked: list[str] = []

    def get(address: str, **_: object) -> httpx.Response:
        asked.append(address)
        return httpx.Response(200, content=msgspec.json.encode(world.receipt(3, 9)))

    monkeypatch.setattr(httpx, "get", get)
    for name, content in (("token", b"a token"), ("other.json", event(4)), ("event.json", event(3))):
        (tmp_path / name).write_bytes(content)

    def fetch(of: str) -> BaseException | None:
        files = ("--token-file", str(tmp_path / "token"), "--out", str(tmp_path / "out.json"))
        told = ("receipt", "fetch", "e3", "--from", "http://platform.test", *files, "--event", str(tmp_path / of))
        return CliRunner().invoke(commands, told).exception

    assert isinstance(fetch("other.json"), NotGiven)
    assert len(asked) == 2
    assert not (tmp_path / "out.json").exists()
    before = os.umask(0)
    try:
        assert fetch("event.json") is None
    finally:
        os.umask(before)
    assert (tmp_path / "out.json").stat().st_mode & 0o077 == 0
