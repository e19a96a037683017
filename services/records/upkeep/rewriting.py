"""Writes topics of events anew: appends all records in their new form, then deletes the old ones.

Each new record says to which rewriting it belongs. So a rewriting that was broken off before it deleted anything is recognised, and done
again under the same token. One that had begun to delete is only completed, since the names can no longer be made: what they were made from
is partly gone. Whoever sends events can write such a mark too, so only those of rewritings that are on record count.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from hashlib import sha256
from time import monotonic, sleep
from typing import NamedTuple

from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Message, TopicPartition
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.log import Log
from services.chassis.streaming.clients.outgoing import Outgoing
from services.records.upkeep.renaming import Said

WRITING = "payback-writing"
"""The header with the token of the rewriting, and which record this one replaces: its place among those that no attempt wrote."""
TOKEN_BYTES = 10
"""Too many to find one by its hash, and few enough that a name made with it is a reference."""
SECONDS = 600
"""How long one rewriting may take: a little less than brokers allow a transaction by default."""
BATCH = 20_000
GIVEN_UP_SECONDS = 10.0
"""How long the end of an abandoned transaction may take to appear in its topic."""
Tails = Mapping[str, Sequence[Message]]
"""What others have written to each topic."""
Additions = Mapping[str, Sequence[Said]]
"""The records that it becomes."""


class Disturbed(Exception):
    """Others wrote something that makes the records to write wrong: begin again from the start."""


class Replaced(NamedTuple):
    """A record that was replaced."""

    offset: int
    place: int
    """Which new record replaces it."""
    attempt: int
    """The attempt that wrote it and did not come to its end; 0 where none did."""


class Places(NamedTuple):
    """Where the records of one topic were, and where they are now."""

    old: Sequence[Replaced]
    new: Sequence[int]
    """The offsets of the new records."""
    end: int
    """Where readers go on who have read all that was replaced."""

    def next(self, offset: int) -> int:
        """Return where to go on for who would have gone on at this offset: among what senders wrote, and what the attempt wrote that moved
        them there.
        """
        attempt = sum(one.attempt > 0 and one.place == 0 and one.offset <= offset for one in self.old)
        rest = (one for one in self.old if one.offset >= offset and one.attempt in {0, attempt})
        found = next(rest, None)
        return self.end if found is None else self.new[found.place]

    def moved(self) -> Mapping[int, int]:
        """Return the new offset of each old one."""
        return {one.offset: self.new[one.place] for one in self.old}


class Topics:
    """Some topics as they are when first looked at, without what an earlier attempt left undone: `begun` has the hashes of the tokens of
    those that may be unfinished.
    """

    def __init__(self, kafka: KafkaSettings, names: Sequence[str], begun: Collection[str] = ()) -> None:
        self._kafka, ours = kafka, _Marks(begun)
        self.sources = [TopicPartition(name, 0) for name in names]
        with closing(Log(kafka, self.sources)) as log:
            bounds = {source.topic: found for source, found in log.bounds().items()}
            firsts = {topic: one.first for topic, one in bounds.items()}
            self.ends = {topic: one.end for topic, one in bounds.items()}
            held = _read(log, firsts, self.ends)
        undone = {token for its in held.values() if (token := ours.undone(its))}
        if len(undone) > 1:
            raise Refused("The erasure of several people was interrupted. Nothing was changed")
        self.token = next(iter(undone), secrets.token_hex(TOKEN_BYTES).encode())
        self.messages = {topic: [one for one in its if ours.writing(one) not in undone] for topic, its in held.items()}
        self._again = {
            topic: list(_replacing(one for one in its if ours.writing(one) in undone)) for topic, its in held.items()
        }
        self._begin = _to_be_deleted(kafka, {topic: firsts[topic] for topic, its in held.items() if ours.undone(its)})

    @classmethod
    def settled(cls, kafka: KafkaSettings, names: Sequence[str], begun: Collection[str] = ()) -> "Topics":
        """Return the topics, after completing an earlier attempt that had begun to delete. Raises Away or Refused."""
        found = cls(kafka, names, begun)
        if not found._begin:
            return found
        found.delete_old()
        return cls(kafka, names, begun)

    def write_anew(
        self, records: Mapping[str, Sequence[Said]], add: Callable[[Tails], Additions], confirm: Callable[[], object]
    ) -> dict[str, "Places"]:
        """Append these records to their topics, all or nothing, with what others have written there before the first of them. Raises Away,
        Refused, or what `add` raises, which makes the records of that.

        `confirm` raises if readers are no longer held up: they would count everything once more.
        """
        if not self._kafka.transactions:
            raise Refused("Topics are written anew in transactions only, and this broker does not offer them")
        if not records:
            return {}
        with ExitStack() as stack:
            admin = stack.enter_context(closing(Admin(self._kafka)))
            for topic in records:
                stack.enter_context(admin.keeping_given_times(topic))
            producer = stack.enter_context(self._producer())
            for topic in records:
                self._begin_segment(admin, producer, topic)
            log = stack.enter_context(closing(Log(self._kafka, [TopicPartition(topic, 0) for topic in records])))
            with producer.transaction():
                first = {topic: self._append(producer, its[:1], 0) for topic, its in records.items()}
                more = add(self._catch_up(log, {topic: offset for topic, (offset,) in first.items()}))
                rest = {
                    topic: self._append(producer, [*its[1:], *more.get(topic, ())], 1) for topic, its in records.items()
                }
                confirm()
            self._begin = {topic: offset for topic, (offset,) in first.items()}
            offsets = {topic: [*first[topic], *rest[topic]] for topic in records}
            ends = _ends(log, {topic: its[-1] for topic, its in offsets.items()})
        return {topic: Places(self._places(topic), its, ends[topic]) for topic, its in offsets.items()}

    def _catch_up(self, log: Log, ends: Mapping[str, int]) -> Tails:
        """Return what others have written to these topics since they were first looked at, up to these offsets. Raises Away.

        These are the first of a transaction that is still open, so that readers see all that is before them, and nothing after.
        """
        _wait(
            lambda: all(bounds.end >= ends[source.topic] for source, bounds in log.bounds().items()),
            "Somebody else has left a transaction open in these topics",
        )
        tails = _read(log, {topic: self.ends[topic] for topic in ends}, ends)
        for topic, its in tails.items():
            self.messages[topic] += its
        return tails

    def _producer(self) -> BulkProducer:
        return BulkProducer(
            self._kafka, deliver_seconds=SECONDS, transactional="payback-rewrite", transaction_seconds=SECONDS
        )

    def _begin_segment(self, admin: Admin, producer: BulkProducer, topic: str) -> None:
        """Make the new writing begin a segment of its own, after the end of an abandoned transaction, which has the present time. Raises
        Away or Refused.

        Kafka begins a segment by the time of what is appended. The new records have the old times, so without this they would be in the
        segment of the records that they replace, and keep all of those on disk.
        """
        with admin.beginning_segments(topic):
            before = admin.ends([topic])[topic]
            producer.skip(topic, 1)
            _wait(
                lambda: admin.ends([topic])[topic] > before,
                f"Kafka does not end a transaction that was given up in {topic}",
            )

    def _append(self, producer: BulkProducer, its: Sequence[Said], begin: int) -> list[int]:
        receipts = producer.send_all(self._marked(its, begin))
        if any(one.redated for one in receipts):
            topic = receipts[0].topic
            raise Refused(
                f"Kafka replaced the times of {topic} with its own. Nothing was changed: run the command again"
            )
        return [one.offset for one in receipts]

    def delete_old(self) -> None:
        """Delete everything before the new writing, so that nobody can read it any more."""
        if self._begin:
            with closing(Admin(self._kafka)) as admin:
                admin.delete_before(self._begin)

    def _marked(self, records: Sequence[Said], begin: int) -> Iterator[Outgoing]:
        for place, said in enumerate(records, begin):
            mark = (WRITING, b"%s %d" % (self.token, place))
            yield Outgoing(said.topic, said.key or b"", said.value, said.timestamp, (mark,))

    def _places(self, topic: str) -> list[Replaced]:
        """Return what is replaced: what senders wrote, and what attempts wrote that did not come to their end."""
        sent = [Replaced(message.offset, place, 0) for place, message in enumerate(self.messages[topic])]
        return sorted([*sent, *self._again[topic]])


def _to_be_deleted(kafka: KafkaSettings, undone: Mapping[str, int]) -> dict[str, int]:
    """Return up to where an earlier attempt was going to delete, given the first offset of each topic that it left undone; empty if it had
    not begun.

    It records this for all its topics before it deletes anything, so without a record no topic was touched.
    """
    if not undone:
        return {}
    with closing(Admin(kafka)) as admin:
        meant = admin.meant_beginnings(undone)
    return meant if all(meant.get(topic, 0) > first for topic, first in undone.items()) else {}


def on_record(token: bytes) -> str:
    """Return how a rewriting is put on record: authorities read that, and must not learn the token."""
    return sha256(token).hexdigest()


class _Marks(NamedTuple):
    """The marks of rewritings that are on record; any other is somebody else's header."""

    begun: Collection[str]

    def writing(self, message: Message) -> bytes | None:
        """Return the token of the rewriting to which the record belongs; None if it belongs to none."""
        mark = dict(message.headers).get(WRITING)
        token = mark.partition(b" ")[0] if mark else None
        return token if token and on_record(token) in self.begun else None

    def undone(self, messages: Sequence[Message]) -> bytes | None:
        """Return the token of an unfinished rewriting, whose old records are still there; None if there is none."""
        first = self.writing(messages[0]) if messages else None
        return next((token for one in messages if (token := self.writing(one)) and token != first), None)


def _replacing(messages: Iterable[Message]) -> Iterator[Replaced]:
    """Yield the records of attempts, each of which begins again at place 0."""
    attempt = 0
    for message in messages:
        _, _, place = (dict(message.headers)[WRITING] or b"").partition(b" ")
        if place:
            attempt += place == b"0"
            yield Replaced(message.offset, int(place), attempt)


def since(kafka: KafkaSettings, begins: Mapping[str, int]) -> Tails:
    """Return what each topic holds from an offset on. Raises Away."""
    with closing(Log(kafka, [TopicPartition(topic, 0) for topic in begins])) as log:
        bounds = {source.topic: found for source, found in log.bounds().items()}
        begins = {topic: max(begin, bounds[topic].first) for topic, begin in begins.items()}
        return _read(log, begins, {topic: one.end for topic, one in bounds.items()})


def _read(log: Log, begins: Mapping[str, int], ends: Mapping[str, int]) -> dict[str, list[Message]]:
    """Return what each topic holds between two offsets."""
    sources = {TopicPartition(topic, 0): begin for topic, begin in begins.items()}
    log.seek(sources)
    found: dict[str, list[Message]] = {topic: [] for topic in begins}
    while any(log.position(source) < ends[source.topic] for source in sources):
        for piece in log.slices(BATCH):
            found[piece.topic] += [message for message in piece.messages if message.offset < ends[piece.topic]]
    return found


def _ends(log: Log, lasts: Mapping[str, int]) -> dict[str, int]:
    """Return where readers go on after the last new record of each topic: at what others wrote, or where the topic ends."""
    _wait(
        lambda: all(bounds.end > lasts[source.topic] + 1 for source, bounds in log.bounds().items()),  # the end marker
        "Kafka does not show the transaction that it has committed",
    )
    ends = {source.topic: bounds.end for source, bounds in log.bounds().items()}
    tails = _read(log, {topic: last + 1 for topic, last in lasts.items()}, ends)
    return {topic: tails[topic][0].offset if tails[topic] else ends[topic] for topic in lasts}


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    """Wait for Kafka. Raises Away if it takes too long."""
    deadline = monotonic() + GIVEN_UP_SECONDS
    while not until():
        if monotonic() > deadline:
            raise Away(otherwise)
        sleep(0.01)


def cut_off(kafka: KafkaSettings, firsts: Mapping[str, int]) -> list[str]:
    """Return the topics whose first events are gone, given the first offset of each. Those that were written anew have all."""
    late = {topic: first for topic, first in firsts.items() if first > 0}
    if not late:
        return []
    with closing(Admin(kafka)) as admin:
        meant = admin.meant_beginnings(late)
    return sorted(topic for topic, first in late.items() if meant.get(topic, 0) < first)
