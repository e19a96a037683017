"""Information for somebody who is to help but must see no personal data: one file of counts, positions, sizes and findings."""

import io
import platform
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, Engine, text

from contracts.events import Topic
from contracts.topics import source_topics
from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.chassis.failures import Failure
from services.chassis.settings import given
from services.chassis.sheets import as_csv
from services.chassis.streaming.clients.admin import Admin
from services.operations.books import opened
from services.operations.doctor import DoctorSettings, findings

commands = typer.Typer()
Table = tuple[Sequence[str], Iterable[Sequence[Any]]]
SECRET = re.compile(r"(PASSWORD|SECRET|KEY)$")
IN_ADDRESS = re.compile(r"(?<=://)[^@/]*@")

QUESTIONS: Mapping[str, str] = {
    "migrations": "SELECT version_num FROM alembic_version",
    "checkpoints": "SELECT topic, partition, next_offset, cluster_id, topic_id FROM checkpoints ORDER BY 1, 2",
    "shards": "SELECT authority, generation, version, heard_at, counted_by FROM shards ORDER BY 1",
    "publications": "SELECT authority, generation, version FROM publications ORDER BY 1",
    "outcomes": "SELECT authority, outcome, count(*), min(arrived_at), max(arrived_at) FROM arrivals GROUP BY 1, 2 ORDER BY 1, 2",
    "rejections": "SELECT authority, reason, count(*), min(arrived_at), max(arrived_at), count(redriven_at), count(mended_by) "
    "FROM rejections GROUP BY 1, 2 ORDER BY 1, 2",
    "refused_days": "SELECT authority, day, reason, kept, counted, first, last FROM refused_days ORDER BY 1, 2, 3",
    "parks": "SELECT authority, action, topic, partition, \"offset\", at, CASE action WHEN 'parked' THEN said END AS said "
    "FROM parks ORDER BY id",
    "audit": "SELECT authority, role, kind, what, count(*) FROM audit_entries GROUP BY 1, 2, 3, 4 ORDER BY 1, 5 DESC",
    "recounts": "SELECT authority, version, known_on, rules_before, rules_after, cells_changed FROM recounts ORDER BY 1, 2",
    "gaps": "SELECT authority, count(*), sum(last - first + 1) FROM gaps GROUP BY 1 ORDER BY 1",
    "sizes": "SELECT relname, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 3 DESC",
    "sessions": "SELECT usename, state, wait_event_type, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC",
    "server": "SELECT name, setting FROM pg_settings WHERE source NOT IN ('default', 'client', 'session') "
    "AND name !~ 'file|path|directory|conninfo|application_name' ORDER BY 1",
}
"""The questions to the books. No question may return anything about one order or one person, nor free text."""


@commands.command(
    epilog="The database is where PAYBACK_DATABASE_URL says, Kafka where PAYBACK_KAFKA_BOOTSTRAP says.",
    help="Write a file for your support: versions, settings without secrets, findings, positions, counts and sizes. No personal data.",
)
def support(
    into: Annotated[Path, typer.Argument(help="The file to write, as support.tgz.")],
) -> None:
    settings = DoctorSettings.load()
    with opened(settings) as (database, _):
        parts = {
            "about.txt": "\n".join(about()),
            "settings.txt": "\n".join(told(given())),
            "doctor.txt": "\n".join(findings(settings)),
            **{f"{name}.csv": csv_of(table) for name, table in books(database)},
            "topics.csv": csv_of(topics(settings)),
        }
    write(into, parts)
    typer.echo(f"{into}: {len(parts)} parts")


def about() -> Iterator[str]:
    """Yield facts about the program and its environment."""
    yield f"{system_clock().isoformat()} payback {version('payback')}, Python {platform.python_version()}, {platform.platform()}"
    yield from sorted(f"{one.name}=={one.version}" for one in distributions())


def told(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the settings, without credentials."""
    for name, value in environment.items():
        yield f"{name}={'(set)' if SECRET.search(name) else IN_ADDRESS.sub('(set)@', value)}"


def books(database: Engine) -> Iterator[tuple[str, Table]]:
    """Yield each question with its answer, at one moment."""
    with transaction(database.execution_options(isolation_level="REPEATABLE READ")) as connection:
        for name, question in QUESTIONS.items():
            yield name, _answer(connection, question)


def _answer(connection: Connection, question: str) -> Table:
    found = connection.execute(text(question))
    return list(found.keys()), [tuple(row) for row in found]


def topics(settings: DoctorSettings) -> Table:
    """Return where each topic begins and when its latest record came; empty while Kafka does not answer."""
    columns = ("topic", "first", "latest")
    return columns, _or_nothing(lambda: _spans(settings))


def _spans(settings: DoctorSettings) -> list[tuple[str, int, int]]:
    with closing(Admin(settings.kafka)) as admin:
        found = admin.spans(admin.existing(source_topics(*Topic)))
    return [(topic, span.first, span.latest) for topic, span in sorted(found.items())]


def _or_nothing(ask: Callable[[], list[tuple[str, int, int]]]) -> list[tuple[str, int, int]]:
    try:
        return ask()
    except Failure:
        return []


def csv_of(table: Table) -> str:
    """Return the table as CSV."""
    columns, rows = table
    return as_csv([columns, *rows])


def write(path: Path, parts: Mapping[str, str]) -> None:
    """Write a compressed archive that only its owner may read."""
    path.touch(mode=0o600)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in parts.items():
            raw = content.encode()
            entry = tarfile.TarInfo(f"support/{name}")
            entry.size, entry.mtime = len(raw), round(system_clock().timestamp())
            archive.addfile(entry, io.BytesIO(raw))
