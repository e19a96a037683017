"""How far each source was read, in the table `checkpoints` of the service's own schema: moved in the transaction of what was read."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from services.chassis.batches import SourceIdentity, TopicPartition
from services.chassis.failures import Fenced, Refused


def claim(connection: Connection, sources: Mapping[TopicPartition, SourceIdentity]) -> dict[TopicPartition, int]:
    """Positions to read from; a source never read before starts at 0. Raises Refused where a source is not the same."""
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


def advance(connection: Connection, moves: Mapping[TopicPartition, tuple[int, int]]) -> None:
    """Moves offsets, each from where it is to where it shall be. Raises Fenced where another worker has moved one."""
    moved = connection.execute(
        text(
            "UPDATE checkpoints c SET next_offset = m.new FROM unnest(CAST(:topics AS text[]), "
            "CAST(:partitions AS int[]), CAST(:olds AS bigint[]), CAST(:news AS bigint[])) AS m (topic, partition, old, new) "
            "WHERE c.topic = m.topic AND c.partition = m.partition AND c.next_offset = m.old"
        ),
        {
            "topics": [source.topic for source in moves],
            "partitions": [source.partition for source in moves],
            "olds": [old for old, _ in moves.values()],
            "news": [new for _, new in moves.values()],
        },
    )
    if moved.rowcount != len(moves):
        raise Fenced(f"{len(moves) - moved.rowcount} of {len(moves)} topics are not where this worker left them")
