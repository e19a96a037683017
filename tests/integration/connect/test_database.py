"""A query instead of a file: read, compared, and never written to."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli import command_line
from tests.integration.connect.test_days import Office
from tests.support.platform import platform

payback = command_line(["services.connect.commands"])
QUERY = "SELECT ref AS Ref, made_on AS Made FROM contacts ORDER BY ref"
MAPPING = """
authority: S12000027
database_file: address
tables:
  - name: Contacts
    query: {query}
    order: Ref
    vanished: withdraw
    states:
      contact.made: {{made_on: Made}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "case.db") as database:
        database.execute("CREATE TABLE contacts (ref TEXT, made_on TEXT)")
        database.execute("INSERT INTO contacts VALUES ('A1', '2026-02-03'), ('A2', '2026-02-04 10:30:00')")
    (tmp_path / "address").write_text(f"sqlite:///{tmp_path / 'case.db'}\n")
    (tmp_path / "case.yaml").write_text(MAPPING.format(query=QUERY))
    return tmp_path


def changed(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "case.db") as database:
        database.execute(statement)


def check(folder: Path) -> Result:
    return CliRunner().invoke(payback, ["connect", "check", str(folder / "case.yaml")])


def test_a_query_is_a_table(folder: Path) -> None:
    with platform() as server:
        office = Office(folder, server)
        office.mapping = folder / "case.yaml"
        office.send(options=("--taken", "2026-03-02T18:00:00"))
        assert [(subject, data["made_on"]) for subject, _, data in office.said()] == [
            ("A1", "2026-02-03"),
            ("A2", "2026-02-04"),
        ]
        changed(folder, "UPDATE contacts SET made_on = '2026-02-05' WHERE ref = 'A1'")
        changed(folder, "DELETE FROM contacts WHERE ref = 'A2'")
        office.send()
        assert [(subject, kind) for subject, kind, _ in office.said()] == [
            ("A1", "contact.made.v1"),
            ("A2", "fact.withdrawn.v1"),
        ]
        office.send()
        assert office.said() == []


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM contacts",
        "SELECT 1; DROP TABLE contacts",
        "WITH x AS (SELECT 1) DELETE FROM contacts",
        "PRAGMA user_version = 1",
    ],
)
def test_nothing_can_be_written(query: str, folder: Path) -> None:
    (folder / "case.yaml").write_text(MAPPING.format(query=query))
    done = check(folder)
    assert done.exit_code == 2
    with sqlite3.connect(folder / "case.db") as database:
        assert database.execute("SELECT count(*) FROM contacts").fetchone() == (2,)


def test_what_is_wrong_is_said_without_the_address(folder: Path) -> None:
    changed(folder, "UPDATE contacts SET made_on = 'soon' WHERE ref = 'A2'")
    done = check(folder)
    assert "Contacts!B3: made 'soon' is not a date" in done.stdout
    (folder / "case.yaml").write_text(MAPPING.format(query="SELECT 1 FROM nothing_like_it"))
    done = check(folder)
    assert (done.exit_code, "nothing_like_it" in done.stderr, "case.db" in done.stderr) == (2, True, False)
    (folder / "address").unlink()
    assert "cannot be read" in check(folder).stderr
