"""The properties that the decoder must have, whatever it is given."""

from pathlib import Path

from contracts.decoding.codec import Event, decode, encode
from contracts.events import Topic
from contracts.generate.samples import ARRIVED
from contracts.rejections import Rejection

AUTHORITY = "S12000005"


def check(raw: bytes) -> None:
    """Raise whatever the decoder should not have raised, and AssertionError if an outcome cannot be stored or reported."""
    for topic in Topic:
        found = decode(raw, topic, AUTHORITY, ARRIVED)
        if isinstance(found, Rejection):
            _check_rejection(found)
        else:
            _check_event(found, topic)


def _check_rejection(found: Rejection) -> None:
    assert found.path.startswith("$")
    for text in (found.path, found.message, found.id or ""):
        assert "\x00" not in text
        text.encode()
    assert len(found.path) < 200
    assert len(found.message) < 700


def _check_event(found: Event, topic: Topic) -> None:
    again = decode(encode(found), topic, AUTHORITY, ARRIVED)
    assert again == found, "what was read is not what is written"
    assert 1 <= len(found.id) <= 64
    assert found.sequence is None or 0 < found.sequence < 2**63
    for text in (found.id, found.subject, found.producer_version or ""):
        assert not {"\x00", "\n"} & set(text)
        text.encode()
    assert found.time.utcoffset() is not None
    assert len(found.data.key) < 200


def seed(corpus: Path, examples: Path) -> None:
    """Write examples, good and bad, to begin with."""
    corpus.mkdir(parents=True, exist_ok=True)
    for path in examples.rglob("*.json"):
        if path.stat().st_size < 5_000:
            (corpus / path.name).write_bytes(path.read_bytes())
