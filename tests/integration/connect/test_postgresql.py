"""A case system's PostgreSQL, as the page on connect sets it up: read as of one moment, compared, and never written to."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from services.chassis.database import driver_url
from services.cli import command_line
from services.connect.extracts.database import queried
from services.connect.mapping.loading import load_mapping
from tests.integration.connect.told_of_databases import assert_changes_are_said
from tests.support.source import ROOT

PAGE = (ROOT / "docs" / "connect.md").read_text()
CASES = (
    "CREATE TABLE case_order (reference text, received date, person text)",
    "CREATE TABLE contact (reference text, made_at timestamptz, kept boolean)",
    "INSERT INTO case_order VALUES ('A1', '2026-02-02', 'Ann'), ('A2', '2026-02-03', 'Bob')",
    "INSERT INTO contact VALUES ('A1', '2026-02-03 23:30+00', true), ('A1', '2026-02-09', true), ('A2', '2026-02-04', false)",
)
payback = command_line(["services.connect.commands"])


def block(language: str) -> str:
    """Return the page's first block in that language that is about a database."""
    found = re.search(rf"## A case system's database.*?```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def case_system(new_database: Callable[[], str]) -> Iterator[Engine]:
    owner = create_engine(driver_url(new_database()), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        for statement in (*CASES, *filter(None, map(str.strip, block("sql").split(";")))):
            connection.execute(text(statement))
    yield owner
    with owner.connect() as connection:
        connection.execute(text("DROP OWNED BY payback_reader"))
        connection.execute(text("DROP ROLE payback_reader"))
    owner.dispose()


@pytest.fixture
def folder(tmp_path: Path, case_system: Engine) -> Path:
    reader = make_url(case_system.url).set(username="payback_reader", password="a long one")
    (tmp_path / "address").write_text(reader.render_as_string(hide_password=False))
    (tmp_path / "case.yaml").write_text(block("yaml"))
    return tmp_path


def test_what_changes_in_the_database_is_said(folder: Path, case_system: Engine) -> None:
    assert_changes_are_said(folder, case_system)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT reference, person FROM public.case_order", "InsufficientPrivilege"),
        ('SELECT nextval(\'payback.counter\') AS "Ref", 1 AS "Made"', "ReadOnlySqlTransaction"),
    ],
)
def test_the_database_itself_refuses_what_is_not_for_reading(
    query: str, words: str, folder: Path, case_system: Engine
) -> None:
    with case_system.connect() as connection:
        connection.execute(text("CREATE SEQUENCE payback.counter"))
        connection.execute(text("GRANT USAGE ON SEQUENCE payback.counter TO payback_reader"))
    wanted = 'SELECT "Ref", "Made" FROM payback.contacts'
    (folder / "case.yaml").write_text(block("yaml").replace(wanted, query))
    done = CliRunner().invoke(payback, ["connect", "check", str(folder / "case.yaml")])
    assert (done.exit_code, words in done.stderr) == (2, True), done.stderr


def test_all_queries_see_one_moment(folder: Path, case_system: Engine) -> None:
    with queried(load_mapping(folder / "case.yaml"), folder, None) as (orders, contacts):
        assert len(list(orders.grid)) == 3
        with case_system.connect() as connection:
            connection.execute(text("DELETE FROM contact"))
        assert len(list(contacts.grid)) == 2, "the heading, and the contact as it was when the first was read"
