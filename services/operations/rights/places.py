"""Places in the log, before and after a topic was written anew: how far it was read, what is parked, put aside or redriven."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select, true, update

from contracts.topics import authority_of
from services.chassis.failures import Refused
from services.records.ingest.tables import checkpoints, parks, rejections
from services.records.upkeep.rewriting import Places, Topics


def hold_up(
    books: Mapping[str, Connection], topics: Topics, authority: str, changed: Collection[str]
) -> dict[str, dict[str, int]]:
    """Hold up workers: they process nothing of the topics that change until the end. Return how far each service has read these.

    Other authorities' topics may be read to anywhere, so nobody waits for one that is parked or that writes without end. Of the person's
    own authority, everything that was there at the beginning must be processed, since the books say whose orders they are now: raises
    Refused otherwise, and names what is not.
    """
    own = {topic for topic in topics.messages if authority_of(topic) == authority}
    of = checkpoints.c
    query = select(of.topic, of.next_offset).where(of.topic.in_({*own, *changed})).order_by(of.topic)
    reached, unread = dict[str, dict[str, int]](), []
    for name, connection in books.items():
        reached[name] = {row.topic: row.next_offset for row in connection.execute(query.with_for_update()).all()}
        for topic in sorted(own & reached[name].keys()):
            its = topics.messages[topic]
            if its and reached[name][topic] <= its[-1].offset:
                unread.append(f"{name} has not read all of {topic} yet")
    if unread:
        raise Refused(f"{'; '.join(unread)}: run the command again once that is done")
    return reached


def move_on(connection: Connection, topic: str, places: Places, reached: int) -> None:
    """Move what a service knows by its place in a topic."""
    at = {"next_offset": places.next(reached), "last_timestamp": None, "last_checksum": None}
    connection.execute(update(checkpoints).where(checkpoints.c.topic == topic).values(**at))
    moved = places.moved()
    for table, which in ((parks, true()), (rejections, rejections.c.redriven_at.is_not(None))):
        of = table.c
        named = select(of.offset).distinct().where(of.topic == topic, of.offset.is_not(None), which)
        for offset in connection.scalars(named).all():
            if offset in moved:
                same = of.topic == topic, of.offset == offset
                connection.execute(update(table).where(*same).values(offset=moved[offset]))
