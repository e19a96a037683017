"""Lines on a page go to the service that takes them, and what is told of each comes back under its line."""

from contracts.decoding.codec import encode
from contracts.events import Topic
from contracts.generate.samples import EVENTS
from contracts.topics import kind_of
from services.desk.lines import by_topic, foreign, together
from services.desk.model.sent import Told, ToldRefusal


def test_each_event_goes_to_the_topic_that_takes_it_under_its_own_line() -> None:
    content = b"\xef\xbb\xbf" + b"\n\n".join(encode(event) for event in EVENTS)
    found = by_topic(content)
    for topic, lines in found.items():
        at = {2 * number + 1 for number, event in enumerate(EVENTS) if kind_of(event.data) is topic}
        assert set(lines.numbers) == at
        assert lines.body.count(b"\n") == len(at) - 1
    assert set(found) == set(Topic)


def test_what_cannot_be_read_goes_to_orders_and_is_told_of() -> None:
    found = by_topic(b'{\n{"type":"x"}\r\n{"type":7}')
    assert found[Topic.ORDERS].numbers == [1, 2, 3]
    refusal = ToldRefusal(1, None, "not_json", "$", "", "")
    outcome = together([(found[Topic.ORDERS], Told(2, [refusal]))])
    assert outcome.accepted == 2
    assert [one.index for one in outcome.refused] == [2]


def test_a_spreadsheet_is_named_as_what_it_is() -> None:
    assert "payback connect" in (foreign(b"PK\x03\x04 workbook") or "")
    assert foreign(encode(EVENTS[0])) is None
