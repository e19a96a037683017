"""Rebuilds a service's tables from the log, beside the old ones, and changes over in one step.

The new tables are a schema of their own and a new generation of cells. Until the change, everybody reads the old ones. After it, a worker
of the old tables is fenced off, starts again from the new positions, and publishes the new generation.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError

from contracts.authorities import AUTHORITIES
from contracts.topics import authority_of
from services.chassis.database import driver_url, engine, transaction
from services.chassis.failures import Refused
from services.chassis.memory import collect_seldom
from services.chassis.migrations import migrate
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.containment import Contained
from services.records.ingest.guarding import parking
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.tables import checkpoints, shards
from services.records.ingest.worker import Worker
from services.records.model.domain import Domain
from services.records.upkeep.decisions import carry_over, carry_over_late, carry_over_signed, hold_up
from services.records.upkeep.history import History, Tell
from services.records.upkeep.indexes import without_indexes
from services.records.upkeep.loading import Loading, Target, load


class Change(NamedTuple):
    """How many cells of one measure the new tables hold with another value, and by how much these differ together."""

    authority: str
    measure: str
    cells: int
    by: int


COMPARED_IN = "256MB"
"""How much memory PostgreSQL may take for the cells of ten years, which it else writes to disk; everybody waits meanwhile."""
Compare = Callable[[Sequence[Change]], None]
"""Called with everything that differs, just before the new tables take the place of the old ones."""
Prove = Callable[[Engine], Sequence[str]]
"""Called with the new tables while everybody still uses the old ones. Returns what is wrong with the new ones, in words."""
TOLD = 10
"""How many of the things that are wrong a refusal names."""


@contextmanager
def alone(settings: DatabaseSettings) -> Iterator[None]:
    """Ensure that nobody else rebuilds these tables meanwhile, or rewrites the log from which they are made. Raises Refused if somebody
    does.
    """
    schema = settings.schema_name
    with _administrator(settings).connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        of = {"of": f"books of {schema}"}
        if not session.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:of, 0))"), of):
            raise Refused(f"{schema} is being rebuilt, or a person is being erased: run the command once that is done")
        try:
            yield
        finally:
            # PostgreSQL notices the end of a session some time later.
            with suppress(DBAPIError):
                session.scalar(text("SELECT pg_advisory_unlock(hashtextextended(:of, 0))"), of)


def rebuild(  # noqa: PLR0913
    settings: DatabaseSettings,
    kafka: KafkaSettings,
    domain: Domain,
    migrations: Path,
    tell: Tell,
    *,
    less: bool = False,
    compare: Compare | None = None,
    prove: Prove | None = None,
    loading: Loading | None = None,
) -> int:
    """Rebuild the tables and change over, loading in several processes if `loading` says so. Returns how many events were read. Raises Away
    or Refused; then nothing has changed.

    It refuses tables with which `prove` finds anything wrong. Unless `less` says that this is meant, it refuses tables that would hold less
    of any authority than the old ones, and a log that does not begin at its first event. The user who connects must be allowed to make and
    rename schemas (deploy/postgres/roles.sql). The caller holds `alone`.
    """
    collect_seldom()
    beside = settings.model_copy(update={"schema_name": f"{settings.schema_name}_next", "role": settings.owner})
    old, new = engine(settings), engine(beside)
    try:
        with transaction(old) as connected:
            generation = (connected.scalar(select(func.max(shards.c.generation))) or 0) + 1
        with closing(History(kafka, domain)) as history:
            _refuse_cut_off([] if less else history.cut_off())
            _drop(settings, beside.schema_name)
            _drop(settings, f"{settings.schema_name}_old")  # if an earlier rebuild was broken off at its very end
            migrate(settings.url.get_secret_value(), beside.schema_name, migrations, settings.owner)
            _begin(new, generation)
            with _administrator(settings).begin() as connected:
                carry_over(connected, settings.schema_name, beside.schema_name)
            with without_indexes(new, loading.processes if loading else 1):
                read = load(Target(beside, kafka), domain, loading, history.stretches(), tell)
            worker = Contained(Worker(new, domain, RecordsMetrics(CollectorRegistry())))
            if stopped := _stopped(old):
                history.begin(worker)
                read += history.feed(worker, history.ends(), tell, stopped)
            history.begin(worker)
            read += history.feed(worker, history.ends(), tell)
            if prove is not None:
                _refuse_wrong(prove(new))
                read += history.feed(worker, history.ends(), tell)  # what came while this was proved
            with _administrator(settings).begin() as connected:
                ends = history.within(_stop_the_old(connected, settings.schema_name))
                hold_up(connected, settings.schema_name)
                with _administrator(settings).begin() as late:
                    carry_over_late(late, settings.schema_name, beside.schema_name)
                # From where the old tables stood, for authorities of which something was decided since.
                history.begin(worker)
                read += history.feed(worker, ends, tell)
                _refuse_less({} if less else _less(connected, settings.schema_name, beside.schema_name))
                if compare is not None:
                    compare(_changes(connected, settings.schema_name, beside.schema_name))
                carry_over_signed(connected, settings.schema_name, beside.schema_name)
                _change_over(connected, settings.schema_name, beside.schema_name)
    finally:
        old.dispose()
        new.dispose()
    _drop(settings, f"{settings.schema_name}_old")
    return read


def _stopped(old: Engine) -> dict[str, int]:
    """Return how far the topics of parked authorities were read. The new tables take as much of each, before they try again what failed: it
    would keep out what else was read by then of the authority's topics.
    """
    with transaction(old) as connected:
        parked = parking.parked(connected)
        positions = connected.execute(select(checkpoints.c.topic, checkpoints.c.next_offset)).all()
    return {row.topic: row.next_offset for row in positions if authority_of(row.topic) in parked}


def _refuse_cut_off(topics: Sequence[str]) -> None:
    if topics:
        raise Refused(
            f"Kafka no longer has the first events of {', '.join(topics)}: tables made from the rest would hold less. Nothing was changed. "
            "Restore the log first (runbook: restore), or give --less."
        )


def _refuse_wrong(found: Sequence[str]) -> None:
    if found:
        raise Refused(
            f"The new tables are not proved: {'; '.join(found[:TOLD])}{', and more' * (len(found) > TOLD)}. Nothing was changed. "
            "Tell the developers what differs (runbook: rebuild)."
        )


def _refuse_less(found: Mapping[str, str]) -> None:
    if found:
        raise Refused(
            f"The new tables would hold less than the old ones: {'; '.join(found.values())}. Nothing was changed. "
            "Find out where the rest went (runbook: rebuild), or give --less."
        )


_EVENTS = (
    'SELECT authority, sum(number)::bigint AS number FROM (SELECT authority, count(*) AS number FROM "{0}".arrivals GROUP BY 1 '
    'UNION ALL SELECT authority, sum(counted) FROM "{0}".refused_days GROUP BY 1) a GROUP BY 1'
)
_ORDERS = 'SELECT authority, count(*) AS number FROM "{0}".records GROUP BY 1'


def _less(connected: Connection, schema: str, beside: str) -> dict[str, str]:
    """Return what the new tables lack of the old ones, events and orders, in words and by authority."""
    lacking: dict[str, str] = {}
    for held, things in ((_EVENTS, "events"), (_ORDERS, "orders")):
        query = (
            f"SELECT authority, o.number AS old, coalesce(n.number, 0) AS new FROM ({held.format(schema)}) o "  # noqa: S608
            f"LEFT JOIN ({held.format(beside)}) n USING (authority) WHERE coalesce(n.number, 0) < o.number ORDER BY 1"
        )
        for row in connected.execute(text(query)):
            said = f"{row.new} of {row.old} {things}"
            lacking[row.authority] = f"{lacking.get(row.authority, row.authority)} {said}"
    return lacking


def _changes(connected: Connection, schema: str, beside: str) -> list[Change]:
    cell = "authority, measure, period, category"
    query = (
        "SELECT authority, measure, count(*) AS cells, sum(by) AS by FROM ("  # noqa: S608
        f'SELECT {cell}, sum(delta) AS by FROM (SELECT {cell}, delta FROM "{beside}".cells '
        f'UNION ALL SELECT {cell}, -delta FROM "{schema}".cells) o GROUP BY {cell} HAVING sum(delta) <> 0) changed '
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    connected.execute(text(f"SET LOCAL work_mem = '{COMPARED_IN}'"))
    return [Change(row.authority, row.measure, row.cells, int(row.by)) for row in connected.execute(text(query))]


def _begin(new: Engine, generation: int) -> None:
    """Begin every shard of the new tables at the new generation."""
    with transaction(new) as connected:
        connected.execute(
            text(
                "INSERT INTO shards (authority, generation, version, reached, counted_by) "
                "SELECT unnest(CAST(:codes AS text[])), :generation, 0, '{}', ''"
            ),
            {"codes": list(AUTHORITIES), "generation": generation},
        )


def _stop_the_old(connected: Connection, schema: str) -> dict[str, int]:
    """Hold up worker and publisher of the old tables until the change, and return how far the worker got."""
    # Locked in the order in which workers and publishers lock them.
    tables = ", ".join(f'"{schema}".{table}' for table in ("publications", "checkpoints", "shards"))
    connected.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
    positions = connected.execute(text(f'SELECT topic, next_offset FROM "{schema}".{checkpoints.name}'))  # noqa: S608
    return {row.topic: row.next_offset for row in positions}


def _change_over(connected: Connection, schema: str, beside: str) -> None:
    connected.execute(
        text(
            f'UPDATE "{beside}".rejections n SET redriven_at = o.redriven_at FROM "{schema}".rejections o '  # noqa: S608
            'WHERE (n.topic, n.partition, n."offset") = (o.topic, o.partition, o."offset") AND o.redriven_at IS NOT NULL'
        )
    )
    connected.execute(text(f'ALTER SCHEMA "{schema}" RENAME TO "{schema}_old"'))
    connected.execute(text(f'ALTER SCHEMA "{beside}" RENAME TO "{schema}"'))


def _administrator(settings: DatabaseSettings) -> Engine:
    """Connect as the user of the settings, and not as the service's role, which may not make schemas."""
    return create_engine(driver_url(settings.url.get_secret_value()), poolclass=NullPool, hide_parameters=True)


def _drop(settings: DatabaseSettings, schema: str) -> None:
    with _administrator(settings).begin() as connected:
        connected.execute(text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))
