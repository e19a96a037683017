"""Histories run once, whoever starts them, and the schema belongs to its own role."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from services.chassis import database
from services.chassis.failures import Away, Refused
from services.chassis.guarding.pending_migrations import SchemaReady, pending
from services.chassis.migrations import migrate, write_revision
from services.chassis.settings import DatabaseSettings
from services.chassis.streaming.after_migrations import AfterMigrations
from services.chassis.streaming.batches import Fingerprint, Slice, SourceIdentity, TopicPartition

REVISION = """
from alembic import op

revision = "{number}"
down_revision = {before}


def upgrade() -> None:
    {work}
"""


def _history(directory: Path, *steps: str) -> Path:
    (directory / "versions").mkdir(parents=True, exist_ok=True)
    for position, work in enumerate(steps, 1):
        before = repr(f"{position - 1:04d}") if position > 1 else None
        revision = REVISION.format(number=f"{position:04d}", before=before, work=work)
        (directory / "versions" / f"{position:04d}_step.py").write_text(revision)
    return directory


TABLE = 'op.execute("CREATE TABLE things (name text PRIMARY KEY)")'
COLUMN = 'op.execute("ALTER TABLE things ADD COLUMN size int NOT NULL DEFAULT 0")'
GONE = 'op.execute("ALTER TABLE things DROP COLUMN size")'
ROW = "op.execute(\"INSERT INTO things VALUES ('one')\")"
CONCURRENT_INDEX = (
    "with op.get_context().autocommit_block(): op.execute('CREATE INDEX CONCURRENTLY things_name ON things (name)')"
)


def _ask(url: str, question: str) -> object:
    asked = create_engine(database.driver_url(url), poolclass=NullPool)
    with asked.connect() as connection:
        return connection.scalar(text(question))


def _login(url: str, privileges: str, grants: Callable[[str], str]) -> str:
    """Return the URL of a user of the server who is not its administrator."""
    name = f"login_{uuid4().hex[:8]}"
    administrator = create_engine(database.driver_url(url), poolclass=NullPool)
    with administrator.begin() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'secret' {privileges}"))
        connection.execute(text(grants(name)))
    return make_url(url).set(username=name, password="secret").render_as_string(hide_password=False)


def _service(url: str) -> Engine:
    return database.engine(DatabaseSettings(url=SecretStr(url), schema_name="things"))


def _do(url: str, statement: str) -> None:
    service = _service(url)
    with service.begin() as connection:
        connection.execute(text(statement))
    service.dispose()


def test_runs_what_is_pending_in_order_and_only_once(postgres: str, tmp_path: Path) -> None:
    history = _history(tmp_path, TABLE, ROW)
    assert pending(postgres, "things", history) == ["0001", "0002"]
    assert migrate(postgres, "things", history) == ["0001", "0002"]
    assert pending(postgres, "things", history) == []
    assert migrate(postgres, "things", history) == []
    assert _ask(postgres, "SELECT count(*) FROM things.things") == 1


def test_a_later_release_runs_only_what_it_adds(postgres: str, tmp_path: Path) -> None:
    migrate(postgres, "things", _history(tmp_path, TABLE))
    history = _history(tmp_path, TABLE, ROW)
    assert pending(postgres, "things", history) == ["0002"]
    assert migrate(postgres, "things", history) == ["0002"]


def test_processes_that_start_together_take_turns(postgres: str, tmp_path: Path) -> None:
    history = _history(tmp_path, TABLE, ROW, CONCURRENT_INDEX)
    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda _: migrate(postgres, "things", history), range(4)))
    assert sorted(ran) == [[], [], [], ["0001", "0002", "0003"]]
    assert _ask(postgres, "SELECT count(*) FROM things.things") == 1


def test_two_services_keep_two_histories_in_one_database(postgres: str, tmp_path: Path) -> None:
    migrate(postgres, "things", _history(tmp_path / "a", TABLE, ROW))
    migrate(postgres, "others", _history(tmp_path / "b", TABLE))
    assert _ask(postgres, "SELECT version_num FROM things.alembic_version") == "0002"
    assert _ask(postgres, "SELECT version_num FROM others.alembic_version") == "0001"


def test_a_service_cannot_read_the_tables_of_another(postgres: str, tmp_path: Path) -> None:
    migrate(postgres, "things", _history(tmp_path / "a", TABLE))
    migrate(postgres, "others", _history(tmp_path / "b", TABLE))
    service = _service(postgres)
    with service.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM things")) == 0
        with pytest.raises(ProgrammingError, match="permission denied for schema others"):
            connection.execute(text("SELECT * FROM others.things"))
    service.dispose()


def test_tables_belong_to_the_role_and_not_to_whoever_connected(postgres: str, tmp_path: Path) -> None:
    migrate(postgres, "things", _history(tmp_path, TABLE))
    assert _ask(postgres, "SELECT tableowner FROM pg_tables WHERE tablename = 'things'") == "things"


def test_a_migration_that_fails_leaves_those_before_it_and_frees_the_lock(postgres: str, tmp_path: Path) -> None:
    broken = _history(tmp_path, TABLE, ROW, 'op.execute("SELECT 1 / 0")')
    with pytest.raises(Exception, match="division by zero"):
        migrate(postgres, "things", broken)
    assert migrate(postgres, "things", _history(tmp_path, TABLE, ROW, ROW.replace("one", "two"))) == ["0003"]


def test_the_version_before_one_that_only_added_goes_on_and_comes_back(postgres: str, tmp_path: Path) -> None:
    older, newer = _history(tmp_path / "old", TABLE), _history(tmp_path / "new", TABLE, COLUMN)
    migrate(postgres, "things", newer)
    assert (migrate(postgres, "things", older), pending(postgres, "things", older)) == ([], [])
    SchemaReady(postgres, "things", older).check()
    _do(postgres, "INSERT INTO things (name) VALUES ('while the older one ran')")
    assert migrate(postgres, "things", newer) == []
    assert _ask(postgres, "SELECT name || size FROM things.things") == "while the older one ran0"


@pytest.mark.parametrize("after", [(), (ROW,)])
def test_a_database_from_which_a_newer_version_took_something_is_refused(
    postgres: str, tmp_path: Path, after: tuple[str, ...]
) -> None:
    history = _history(tmp_path / "new", TABLE, COLUMN, GONE, *after)
    contracting = history / "versions" / "0003_step.py"
    contracting.write_text(contracting.read_text() + '\ncontracts = "size was never used"\n')
    migrate(postgres, "things", history)
    older = _history(tmp_path / "old", TABLE, COLUMN)
    for attempt in (lambda: migrate(postgres, "things", older), SchemaReady(postgres, "things", older).check):
        with pytest.raises(Refused, match=r"which this version of the service does not know and cannot work with"):
            attempt()
    if after:
        assert migrate(postgres, "things", _history(tmp_path / "before", TABLE, COLUMN, GONE)) == []


def test_where_nothing_was_noted_a_database_that_is_ahead_is_refused(postgres: str, tmp_path: Path) -> None:
    migrate(postgres, "things", _history(tmp_path / "new", TABLE, ROW))
    _do(postgres, "COMMENT ON TABLE alembic_version IS NULL")
    with pytest.raises(Refused, match="is at 0002"):
        pending(postgres, "things", _history(tmp_path / "old", TABLE))


def test_a_user_without_the_right_is_told_what_an_administrator_can_do(postgres: str, tmp_path: Path) -> None:
    login = _login(postgres, "", lambda name: f"GRANT CONNECT ON DATABASE {make_url(postgres).database} TO {name}")
    role = f"role_{uuid4().hex[:8]}"
    with pytest.raises(Refused, match=f"CREATE ROLE {role}; GRANT {role} TO login_.*CREATE SCHEMA things"):
        migrate(login, "things", _history(tmp_path, TABLE), role)


def test_a_user_who_may_create_roles_needs_no_administrator(postgres: str, tmp_path: Path) -> None:
    here = make_url(postgres).database
    login = _login(postgres, "CREATEROLE", lambda name: f"GRANT CREATE ON DATABASE {here} TO {name}")
    role = f"role_{uuid4().hex[:8]}"
    assert migrate(login, "things", _history(tmp_path, TABLE), role) == ["0001"]
    assert pending(login, "things", tmp_path) == []
    settings = DatabaseSettings(url=SecretStr(login), schema_name="things", role=role)
    service = database.engine(settings)
    with database.transaction(service) as connection:
        assert connection.scalar(text("SELECT current_user")) == role
    service.dispose()


def test_a_user_who_owns_the_schema_is_its_own_role(postgres: str, tmp_path: Path) -> None:
    login = _login(postgres, "", lambda name: f"CREATE SCHEMA things AUTHORIZATION {name}")
    assert migrate(login, "things", _history(tmp_path, TABLE), make_url(login).username) == ["0001"]


def test_a_schema_of_somebody_else_is_refused(postgres: str, tmp_path: Path) -> None:
    _login(postgres, "", lambda name: f"CREATE SCHEMA things AUTHORIZATION {name}")
    with pytest.raises(Refused, match=r"belongs to login_.*, not to things"):
        migrate(postgres, "things", _history(tmp_path, TABLE))


def test_a_database_that_does_not_answer_is_away(tmp_path: Path) -> None:
    with pytest.raises(Away):
        migrate("postgresql://nobody@127.0.0.1:1/none", "things", _history(tmp_path, TABLE))


def test_a_new_revision_continues_the_history(postgres: str, tmp_path: Path) -> None:
    history = _history(tmp_path, TABLE)
    written = write_revision(history, "add a row")
    assert written.name == "0002_add_a_row.py"
    assert migrate(postgres, "things", history) == ["0001", "0002"]


def test_nothing_begins_before_the_tables_are_there(postgres: str, tmp_path: Path) -> None:
    old, new = _history(tmp_path / "old", TABLE), _history(tmp_path / "new", TABLE, ROW)
    processed: list[str] = []

    class Inner:
        def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
            processed.append("start")
            return dict.fromkeys(sources, 0)

        def held_back(self) -> Mapping[TopicPartition, int]:
            return {}

        def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
            return {}

        def process(self, slices: Sequence[Slice]) -> None:
            processed.append(f"{len(slices)} slices")

    behind = AfterMigrations(Inner(), SchemaReady(postgres, "things", new).check)
    with pytest.raises(Away, match="waits for migration 0001"):
        behind.start({})
    migrate(postgres, "things", old)
    with pytest.raises(Away, match="waits for migration 0002"):
        behind.start({})
    assert processed == []
    migrate(postgres, "things", new)
    behind.start({})
    behind.process([])
    assert processed == ["start", "0 slices"]
    SchemaReady(postgres, "things", old).check()  # the version before goes on while a newer one is being brought in
