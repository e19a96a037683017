"""A watched folder: files are imported once they are whole, and what came of each stands beside it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import command_line
from services.connect.faults import CannotGoOn, Later
from services.connect.result import CANNOT_GO_ON
from services.connect.watch import Folder, outcome_of, watch
from services.connect.work import Report
from tests.support.made.extracts import HEADINGS, mapping, order, taken, text, xlsx
from tests.support.platform import platform

payback = command_line(["services.connect.commands"])


class Watched:
    """A folder with a clock that is moved by hand."""

    def __init__(self, path: Path) -> None:
        self.now, self.imported, self.fault = 0.0, list[str](), None
        self.folder = Folder(path, quiet=10, clock=lambda: self.now)
        self.report: Report | Exception = Report(["all well"], 0)

    def do(self, path: Path) -> Report:
        self.imported.append(path.name)
        if isinstance(self.report, Exception):
            raise self.report
        return self.report

    def look(self, after: float = 0) -> list[str]:
        self.now += after
        self.imported = []
        watch(self.folder, self.do, lambda *_: None)
        return self.imported


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_file_that_still_grows_is_waited_for(watched: Watched, tmp_path: Path) -> None:
    file = text(tmp_path / "o.csv", [HEADINGS])
    assert watched.look() == []
    assert watched.look(9) == []
    file.write_text(file.read_text() + "A1\n")
    assert watched.look(9) == []
    assert watched.look(9) == []
    assert watched.look(1) == ["o.csv"]
    assert watched.look(100) == []


def test_half_a_workbook_is_waited_for(watched: Watched, tmp_path: Path) -> None:
    whole = xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS, order("A1")]}).read_bytes()
    (tmp_path / "o.xlsx").write_bytes(whole[: len(whole) // 2])
    assert watched.look() == watched.look(100) == watched.look(100) == []
    (tmp_path / "o.xlsx").write_bytes(whole)
    assert watched.look() == []
    assert watched.look(10) == ["o.xlsx"]


@pytest.mark.parametrize("mark", ["~$o.xlsx", ".~lock.o.xlsx#"])
def test_a_file_that_somebody_has_open_is_waited_for(mark: str, watched: Watched, tmp_path: Path) -> None:
    xlsx(tmp_path / "o.xlsx", {"Orders": [HEADINGS]})
    (tmp_path / mark).touch()
    assert watched.look() == watched.look(100) == []
    (tmp_path / mark).unlink()
    assert watched.look(1) == ["o.xlsx"]


def test_what_came_of_it_stands_beside_it_until_the_file_changes(watched: Watched, tmp_path: Path) -> None:
    file = text(tmp_path / "o.csv", [HEADINGS])
    watched.report = CannotGoOn("there is no column 'Court'")
    watched.look()
    assert watched.look(10) == ["o.csv"]
    assert outcome_of(file).read_text().splitlines()[1:] == [f"Status {CANNOT_GO_ON}", "there is no column 'Court'"]
    assert Watched(tmp_path).look() == Watched(tmp_path).look(10) == []
    again = Watched(tmp_path)
    file.write_text("mended")
    again.look()
    assert again.look(10) == ["o.csv"]
    assert outcome_of(file).read_text().splitlines()[1:] == ["Status 0", "all well"]


def test_what_may_go_well_by_itself_is_tried_again(watched: Watched, tmp_path: Path) -> None:
    file = text(tmp_path / "o.csv", [HEADINGS])
    watched.report = Later("the platform does not let this token send")
    watched.look()
    assert watched.look(10) == watched.look(1) == ["o.csv"]
    assert "the platform does not let this token send" in outcome_of(file).read_text()
    watched.report = Report(["all well"], 0)
    assert watched.look(1) == ["o.csv"]
    assert watched.look(1) == []


def test_older_files_come_first_and_other_files_not_at_all(watched: Watched, tmp_path: Path) -> None:
    taken(text(tmp_path / "b.csv", [HEADINGS]), 2)
    taken(text(tmp_path / "a.csv", [HEADINGS]), 3)
    (tmp_path / "notes.docx").touch()
    (tmp_path / ".hidden.csv").touch()
    watched.look()
    assert watched.look(10) == ["b.csv", "a.csv"]


def test_a_folder_that_is_away_is_waited_for(tmp_path: Path) -> None:
    share = tmp_path / "share"
    watched = Watched(share)
    assert watched.look() == []
    share.mkdir()
    file = text(share / "o.csv", [HEADINGS])
    assert watched.look() == []
    file.rename(tmp_path / "o.csv")
    assert watched.look(10) == []
    (tmp_path / "o.csv").rename(file)
    assert watched.look(1) == ["o.csv"]


def test_from_the_command_line(tmp_path: Path) -> None:
    made = mapping(tmp_path / "orders.yaml")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    taken(xlsx(inbox / "one.xlsx", {"Orders": [HEADINGS, order("A1")]}), 2)
    taken(xlsx(inbox / "two.xlsx", {"Orders": [HEADINGS, order("A1"), order("A2", Court="Lerwik")]}), 3)
    (tmp_path / "token").write_text("t")
    with platform() as server:
        where = ["--orders", server.address, "--unpaid-work", server.address, "--token-file", str(tmp_path / "token")]
        command = ["connect", "watch", str(made), str(inbox), "--once", "--quiet", "0.1", *where]
        done = CliRunner().invoke(payback, command)
        assert done.exit_code == 1, done.output
        first, second = (outcome_of(inbox / f"{name}.xlsx").read_text() for name in ("one", "two"))
        assert "Status 0\n" in first
        assert "Status 1\n" in second
        assert "Orders!E3: court 'Lerwik' is not known" in second
        kept = len(server.kept)
        assert CliRunner().invoke(payback, command).exit_code == 0
        assert len(server.kept) == kept
