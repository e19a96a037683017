"""A case system's MariaDB or SQLite, as the page on databases sets it up: read, compared, and never written to."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from typer.testing import CliRunner

from services.cli import command_line
from services.connect.extracts.database import queried
from services.connect.mapping.loading import load_mapping
from tests.integration.connect.told_of_databases import assert_changes_are_said
from tests.support.outside.mariadb import IS_THERE, MISSING, mariadb
from tests.support.source import ROOT

PAGE = (ROOT / "docs" / "databases.md").read_text()
CASES = (
    "CREATE TABLE case_order (reference varchar(20), received date, person varchar(20))",
    "CREATE TABLE contact (reference varchar(20), made_at datetime, kept boolean)",
    "INSERT INTO case_order VALUES ('A1', '2026-02-02', 'Ann'), ('A2', '2026-02-03', 'Bob')",
    "INSERT INTO contact VALUES ('A1', '2026-02-03 23:30:00', true), ('A1', '2026-02-09', true), ('A2', '2026-02-04', false)",
)
payback = command_line(["services.connect.commands"])


def block(heading: str, language: str) -> str:
    found = re.search(rf"{heading}.*?```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def run(engine: Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def statements(heading: str) -> list[str]:
    return [one.strip() for one in block(heading, "sql").split(";") if one.strip()]


@pytest.fixture(params=["mariadb", "sqlite"])
def case_system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, str]]:
    """Yield the database by its owner, and the address for the reader."""
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'case.db'}", isolation_level="AUTOCOMMIT")
        run(engine, *CASES, *statements("## SQLite"))
        yield engine, f"sqlite:///file:{tmp_path / 'case.db'}?mode=ro&uri=true"
        return
    if not IS_THERE:
        pytest.skip(MISSING)
    with mariadb(tmp_path) as url:
        run(create_engine(url), "CREATE DATABASE casework")
        engine = create_engine(url.set(database="casework"), isolation_level="AUTOCOMMIT")
        run(engine, *CASES, *statements("## MariaDB and MySQL"))
        reader = url.set(username="payback_reader", password="a long one", database="payback")
        yield engine, reader.render_as_string(hide_password=False)
        engine.dispose()


@pytest.fixture
def folder(tmp_path: Path, case_system: tuple[Engine, str]) -> Path:
    (tmp_path / "address").write_text(case_system[1])
    (tmp_path / "case.yaml").write_text(block("The mapping", "yaml"))
    return tmp_path


def test_what_changes_in_the_database_is_said_and_nothing_is_written(
    folder: Path, case_system: tuple[Engine, str]
) -> None:
    assert_changes_are_said(folder, case_system[0])
    _refuses_writing(folder, case_system[0])


def _refuses_writing(folder: Path, owner: Engine) -> None:
    """Assert that the database itself refuses writing, if a query should ever get past the check."""
    mapping = load_mapping(folder / "case.yaml")
    if owner.dialect.name == "mysql":
        run(owner, "CREATE SEQUENCE payback.counter", "GRANT INSERT ON payback.counter TO payback_reader")
        query = "SELECT nextval(counter) AS Ref, 1 AS Received"
        (folder / "case.yaml").write_text(block("The mapping", "yaml").replace("SELECT * FROM payback_orders", query))
        done = CliRunner().invoke(payback, ["connect", "check", str(folder / "case.yaml")])
        assert (done.exit_code, "READ ONLY" in done.stderr.upper()) == (2, True), done.output
    with queried(mapping, folder, None) as extracts:
        assert [len(list(extract.grid)) for extract in extracts] == [3, 2]
