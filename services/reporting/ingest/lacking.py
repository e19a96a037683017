"""Compares reporting's rows with what the services say that they hold, to find lost or old rows, whatever the cause."""

import logging
from threading import Event
from time import monotonic

from sqlalchemy import Connection, Engine, text

from services.chassis.database import transaction
from services.chassis.failures import Away
from services.reporting.ingest.fold import Origin
from services.reporting.ingest.metrics import IngestMetrics

log = logging.getLogger(__name__)

SHARE = 0.01
"""Share of the time that may be spent on comparing."""
LEAST_SECONDS = 5.0
_UNEQUAL = text(
    "SELECT p.service, p.authority FROM positions p CROSS JOIN LATERAL ("
    "SELECT count(*) AS number, coalesce(sum(c.version), 0) AS versions FROM cells c "
    "WHERE c.service = p.service AND c.authority = p.authority AND c.generation = p.generation AND c.version <= p.version) h "
    "WHERE p.rows_held IS NOT NULL AND (h.number, h.versions) <> (p.rows_held, p.versions_held) ORDER BY 1, 2"
)


def unequal(connection: Connection) -> list[Origin]:
    """Return the shards whose rows differ from those that the service held at the position shown.

    While a history is read again, a shard may be among them for a moment: what compaction left out comes later in the topic.
    """
    return [Origin(*row) for row in connection.execute(_UNEQUAL)]


def keep_comparing(database: Engine, metrics: IngestMetrics, stop: Event) -> None:
    """Report incomplete shards to the metric, until told to stop, within a share of the time."""
    pause = LEAST_SECONDS
    while not stop.wait(pause):
        began = monotonic()
        try:
            with transaction(database) as connection:
                found = unequal(connection)
        except Away as away:
            log.warning("not compared: %s", away)
        except Exception:
            log.exception("not compared")  # later comparisons must still happen
        else:
            metrics.unequal(found)
        pause = max(LEAST_SECONDS, (monotonic() - began) / SHARE)
