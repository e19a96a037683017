"""How far each source was read, in the table `checkpoints` of the service's own schema. Positions move in the transaction that writes what
was read.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, text

from services.chassis.failures import Fenced, Refused
from services.chassis.streaming.batches import Fingerprint, Slice, SourceIdentity, TopicPartition, fingerprint


def claim(connection: Connection, sources: Mapping[TopicPartition, SourceIdentity]) -> dict[TopicPartition, int]:
    """Return the positions from which to read; a source never read before starts at 0. Raises Refused if a source is not the same."""
    for source, identity in sources.items():
        connection.execute(
            text(
                "INSERT INTO checkpoints (topic, partition, next_offset, cluster_id, topic_id) "
                "VALUES (:topic, :partition, 0, :cluster, :id) ON CONFLICT DO NOTHING"
            ),
            {
                "topic": source.topic,
                "partition": source.partition,
                "cluster": identity.cluster_id,
                "id": identity.topic_id,
            },
        )
    positions = {}
    for row in connection.execute(text("SELECT topic, partition, next_offset, cluster_id, topic_id FROM checkpoints")):
        source = TopicPartition(row.topic, row.partition)
        if source in sources:
            _same_source(source, SourceIdentity(row.cluster_id, row.topic_id), sources[source])
            positions[source] = row.next_offset
    return positions


def _same_source(source: TopicPartition, known: SourceIdentity, found: SourceIdentity) -> None:
    if known != found:
        what = "another cluster" if known.cluster_id != found.cluster_id else "a topic that was deleted and made again"
        raise Refused(
            f"{source.topic} is {what}: offsets mean something else now. Nothing was read or written. "
            "Point the service at the right cluster, or rebuild (runbook: source-changed)."
        )


def last_taken(connection: Connection, sources: Collection[TopicPartition]) -> dict[TopicPartition, Fingerprint]:
    """Return the record before each position, if one was recorded."""
    query = text(
        "SELECT topic, partition, last_timestamp, last_checksum FROM checkpoints "
        "WHERE next_offset > 0 AND last_checksum IS NOT NULL"
    )
    found = {
        TopicPartition(row.topic, row.partition): Fingerprint(row.last_timestamp, row.last_checksum)
        for row in connection.execute(query)
    }
    return {source: print_ for source, print_ in found.items() if source in sources}


def advance(connection: Connection, known: Mapping[TopicPartition, int], slices: Sequence[Slice]) -> None:
    """Move offsets from where this worker knows them to the ends of these slices. Raises Fenced if another worker has moved one."""
    prints = [fingerprint(piece.messages[-1]) for piece in slices]
    moved = connection.execute(
        text(
            "UPDATE checkpoints c SET next_offset = m.new, last_timestamp = m.time, last_checksum = m.checksum "
            "FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:olds AS bigint[]), "
            "CAST(:news AS bigint[]), CAST(:times AS bigint[]), CAST(:checksums AS bigint[])) "
            "AS m (topic, partition, old, new, time, checksum) "
            "WHERE c.topic = m.topic AND c.partition = m.partition AND c.next_offset = m.old"
        ),
        {
            "topics": [piece.topic for piece in slices],
            "partitions": [piece.partition for piece in slices],
            "olds": [known[piece.source] for piece in slices],
            "news": [piece.next_offset for piece in slices],
            "times": [one.timestamp for one in prints],
            "checksums": [one.checksum for one in prints],
        },
    )
    if moved.rowcount != len(slices):
        raise Fenced(f"{len(slices) - moved.rowcount} of {len(slices)} topics are not where this worker left them")
