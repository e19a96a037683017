"""Publishing waits for whoever has a long backlog, and for nobody else, and not for ever."""

from contracts.events import Topic
from contracts.topics import topic_of
from services.chassis.streaming.batches import TopicPartition
from services.records.ingest.publishing.backlogs import LONG, LONGEST_SECONDS, Backlogs

BUSY, QUIET = "S12000049", "S12000005"
ORDERS, SESSIONS = (TopicPartition(topic_of(kind, BUSY), 0) for kind in Topic)


def test_only_who_is_behind_waits_until_it_is_not() -> None:
    lags: dict[TopicPartition, int] = {}
    backlogs = Backlogs(lambda: (BUSY, QUIET), lambda: lags)
    assert backlogs.settled() == [BUSY, QUIET]
    lags.update({ORDERS: LONG // 2, SESSIONS: LONG // 2})
    assert backlogs.settled() == [QUIET], "both of its topics count"
    lags[SESSIONS] = 0
    assert backlogs.settled() == [BUSY, QUIET]


def test_it_is_published_now_and_then_all_the_same() -> None:
    now = 0.0
    backlogs = Backlogs(lambda: [BUSY], lambda: {ORDERS: LONG}, lambda: now)
    published = []
    for now in range(int(2.5 * LONGEST_SECONDS)):
        published += [now] if backlogs.settled() else []
    assert published == [LONGEST_SECONDS, 2 * LONGEST_SECONDS + 1]
