"""Settings of the proof, from the environment, and what it may read."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Engine, text

from services.chassis.database import engine, transaction
from services.chassis.failures import Refused
from services.chassis.settings import DatabaseSettings, KafkaSettings, LogSettings, MetricsSettings, Settings
from services.operations.books import DOMAINS
from services.operations.proof.proving import Prover
from services.records.config.closed_days import calendars
from services.records.config.settings import CalendarSettings
from services.reporting.settings import SCHEMA


class ProofSettings(Settings):
    """The addresses of all parts. The named schema does not matter: all schemas that the user may read are proved."""

    database: DatabaseSettings
    kafka: KafkaSettings
    calendar: CalendarSettings = CalendarSettings()
    metrics: MetricsSettings = MetricsSettings(port=9114)
    logs: LogSettings = LogSettings()


_MAY_BE = text(
    "SELECT nspname FROM pg_namespace WHERE nspname = ANY(:names) AND has_schema_privilege(session_user, oid, 'USAGE')"
)


@contextmanager
def opened(settings: ProofSettings) -> Iterator[Prover]:
    """Open everything that may be read. Raises Away, and Refused if that is nothing."""
    with ExitStack() as stack:
        made = {name: _engine(settings, name, stack) for name in (*DOMAINS, SCHEMA)}
        with transaction(_engine(settings, settings.database.schema_name, stack)) as connection:
            seen = set(connection.scalars(_MAY_BE, {"names": list(made)}))
        days = calendars(settings.calendar.closed_days_path)
        books = {name: (made[name], make(*days)) for name, make in DOMAINS.items() if name in seen}
        if not books:
            raise Refused("whoever connects may see the tables of no service of records")
        yield Prover(settings.kafka, books, made[SCHEMA] if SCHEMA in seen else None)


def _engine(settings: ProofSettings, name: str, stack: ExitStack) -> Engine:
    own = settings.database.model_copy(update={"schema_name": name, "pool_size": 2})
    made = engine(own if name == settings.database.schema_name else own.model_copy(update={"role": None}))
    stack.callback(made.dispose)
    return made
