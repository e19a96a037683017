"""Marks of a rewriting that somebody else wrote into a topic hide nothing from it, and hold up nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import TopicPartition
from services.records.upkeep import rewriting
from services.records.upkeep.rewriting import WRITING, Topics, on_record

TOPIC, OTHER = "orders.events.S12000005", "orders.events.S12000036"
OURS = b"0123456789abcdef0123"
KAFKA = KafkaSettings(bootstrap="nowhere:9092")


def record(offset: int, mark: bytes | None = None) -> Any:
    headers = [(WRITING, mark)] if mark is not None else []
    return SimpleNamespace(offset=offset, timestamp=0, key=b"CPO/1", value=b"{}", headers=headers)


class Nothing:
    """A Kafka of which nothing was ever deleted."""

    def __init__(self, *_: object) -> None:
        pass

    def bounds(self) -> dict[TopicPartition, Any]:
        return {TopicPartition(topic, 0): SimpleNamespace(first=0, end=9) for topic in (TOPIC, OTHER)}

    def meant_beginnings(self, _: object) -> dict[str, int]:
        return {}

    def close(self) -> None:
        pass


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Return the records of two topics, to be filled."""
    held: dict[str, list[Any]] = {TOPIC: [record(0)], OTHER: [record(0)]}
    monkeypatch.setattr(rewriting, "Log", Nothing)
    monkeypatch.setattr(rewriting, "Admin", Nothing)
    monkeypatch.setattr(rewriting, "_read", lambda *_: held)
    return held


@pytest.mark.parametrize("mark", [b"aaaa 1", b"aaaa x", b"aaaa", b"", b" ", OURS + b" 1", b"\xff 1"])
@pytest.mark.parametrize("begun", [(), (on_record(b"another"),)])
def test_a_mark_that_is_not_on_record_is_a_header_like_any_other(
    logs: dict[str, list[Any]], mark: bytes, begun: tuple[str, ...]
) -> None:
    logs[TOPIC] += [record(1, mark), record(2)]
    logs[OTHER] += [record(1, b"bbbb 1")]
    found = Topics(KAFKA, [TOPIC, OTHER], begun)
    assert {topic: [one.offset for one in its] for topic, its in found.messages.items()} == {
        TOPIC: [0, 1, 2],
        OTHER: [0, 1],
    }
    assert found.token not in {b"aaaa", b"bbbb", OURS}


def test_what_a_broken_off_rewriting_wrote_is_still_recognised(logs: dict[str, list[Any]]) -> None:
    logs[TOPIC] += [record(1, OURS + b" 0"), record(2, b"aaaa x")]
    found = Topics(KAFKA, [TOPIC, OTHER], [on_record(OURS)])
    assert [one.offset for one in found.messages[TOPIC]] == [0, 2]
    assert found.token == OURS
