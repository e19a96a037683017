"""An authority that writes marks of a rewriting into its own topic holds up no erasure, and hides nothing from it."""

import pytest

from contracts.decoding.codec import encode
from contracts.events import Fact, Topic
from contracts.topics import topic_of
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.operations.rights.erasing import PersonSettings, forget, opened
from services.records.upkeep.rewriting import WRITING
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import B
from tests.integration.records.upkeep.conftest import OTHER, P, read_all
from tests.integration.records.upkeep.test_person import ASKED_BY, everything
from tests.integration.records.upkeep.test_unhindered import CAME, IMPOSED
from tests.support.lives import event


def marked(fact: Fact, subject: str, number: int, mark: bytes) -> Outgoing:
    value = encode(event(fact, subject, B, number)).replace(P.encode(), OTHER.encode())
    return Outgoing(topic_of(Topic.ORDERS, B), subject.encode(), value, None, ((WRITING, mark),))


@pytest.mark.parametrize("marks", [[b"aaaa 0", b"bbbb 1"], [b"aaaa x", b"aaaa y"], [b"aaaa 0", b"aaaa 1"]])
def test_marks_that_an_authority_wrote_itself_change_nothing(
    settings: PersonSettings, benches: list[Bench], marks: list[bytes]
) -> None:
    with BulkProducer(settings.kafka) as producer:
        producer.send_all([marked(CAME, "E/2", 901, marks[0]), marked(IMPOSED, "E/6", 902, marks[1])])
    for one in benches:
        read_all(settings, one)
    before = [one.cells() for one in benches]
    with opened(settings) as books:
        forget(settings, books, ASKED_BY)
    told = everything(settings, benches)
    assert [name for name in (P, "CPO/1", "CPO/2") if name in told] == []
    assert [one.cells() for one in benches] == before
