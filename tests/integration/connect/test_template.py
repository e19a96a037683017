"""The workbook that needs no mapping: what is typed in comes out as events."""

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner, Result

from contracts.codes import CourtType
from services.cli import command_line
from services.connect.template import built_in, columns
from tests.support.platform import platform

payback = command_line(["services.connect.commands"])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(payback, ["connect", *map(str, arguments)])


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "orders.xlsx"
    done = run("template", path, "--authority", "Shetland Islands")
    assert done.exit_code == 0, done.output
    return path


def fill(path: Path, sheet: str, *rows: dict[str, Any]) -> None:
    book = openpyxl.load_workbook(path)
    found: Worksheet = book[sheet]
    places = {str(cell.value).removesuffix(" *"): n for n, cell in enumerate(found[1], 1)}
    start = next(row for row in range(2, 100) if found.cell(row, 1).value is None)
    for number, values in enumerate(rows, start):
        for heading, value in values.items():
            found.cell(number, places[heading], value)
    book.save(path)


ORDER = {
    "Order reference": "CPO 1",
    "Person number": 17,
    "Sex": "Female",
    "Date of birth": date(1990, 1, 31),
    "Court": "Sheriff summary",
    "Date of order": date(2026, 2, 2),
    "Unpaid work (hours)": 80,
    "Supervision (months)": 12,
    "First contact": date(2026, 2, 3),
    "Transferred in on": date(2026, 2, 20),
    "Transferred in from": "Orkney Islands",
    "Reference there": "OR/1",
}
SESSION = {
    "Order reference": "CPO 1",
    "Session number": 1,
    "Day": date(2026, 2, 9),
    "Attendance": "Attended and complied",
    "Activity": "Unpaid work",
    "Kind of work": "Gardening and grounds",
    "Hours credited": 3.5,
}


def test_an_empty_one_is_nothing_wrong(workbook: Path) -> None:
    done = run("check", workbook)
    assert (done.exit_code, "0 events would be sent" in done.stdout) == (0, True)


def test_what_is_typed_in_is_sent(workbook: Path, tmp_path: Path) -> None:
    fill(workbook, "Orders", ORDER)
    fill(workbook, "Sessions", SESSION)
    fill(
        workbook, "Monthly totals", {"Month": "2026-02", "Orders imposed": 1, "Orders ended": 0, "Hours credited": 3.5}
    )
    (tmp_path / "token").write_text("t")
    with platform() as server:
        where = ["--orders", server.address, "--unpaid-work", server.address, "--token-file", tmp_path / "token"]
        done = run("send", workbook, *where)
        assert done.exit_code == 0, done.output
        again = run("send", workbook, *where)
        assert again.exit_code == 0
    said = {event["type"].removeprefix("scot.payback."): event for event in server.kept}
    assert len(said) == len(server.kept) == 6
    assert {event["source"] for event in server.kept} == {"/authorities/S12000027/systems/workbook"}
    assert said["order.imposed.v1"]["subject"] == "CPO-1"
    assert said["order.imposed.v1"]["data"]["age_at_imposition"] == 36
    assert said["order.imposed.v1"]["data"]["requirements"] == [
        {"kind": "unpaid_work", "hours": 80},
        {"kind": "supervision", "months": 12},
    ]
    assert said["transfer.received.v1"]["data"]["from"] == "S12000023"
    assert said["session.recorded.v1"]["data"]["minutes_credited"] == 210
    assert said["period.closed.v1"]["data"]["minutes_credited"] == 210


def test_what_is_wrong_is_said_as_the_page_says(workbook: Path) -> None:
    fill(workbook, "Orders", ORDER | {"Court": "Sherif sumary"})
    done = run("check", workbook)
    assert done.exit_code == 1
    page = (Path(__file__).parents[3] / "docs" / "connect.md").read_text()
    assert done.stdout.splitlines()[0] in page.splitlines()


def test_every_column_has_its_check_and_its_note(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    for table in built_in().tables:
        assert isinstance(table.sheet, str)
        sheet = book[table.sheet]
        headings = [str(cell.value).removesuffix(" *") for cell in sheet[1]]
        assert headings == [column.heading for column in columns(table)]
        assert all(cell.comment for cell in sheet[1]), [cell.value for cell in sheet[1] if not cell.comment]
    court = next(cell.column_letter for cell in book["Orders"][1] if cell.value == "Court *")
    checks = {str(check.sqref).split("2:")[0]: check for check in book["Orders"].data_validations.dataValidation}
    assert checks[court].type == "list"
    days = [check for check in checks.values() if check.type == "date"]
    assert len(days) > 10
    listed = [cell.value for column in book["Lists"].columns for cell in column if cell.value]
    assert {one.label for one in CourtType} <= set(listed)
    assert book["Lists"].sheet_state == "hidden"


def test_a_workbook_of_somebody_else_needs_a_mapping(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "x.xlsx")
    done = run("check", tmp_path / "x.xlsx")
    assert done.exit_code == 2
    assert "give a mapping before it" in done.stderr


def test_nothing_is_written_over(workbook: Path) -> None:
    assert run("template", workbook, "--authority", "Shetland Islands").exit_code == 2
    assert run("template", workbook, "--authority", "Narnia", "--force").exit_code == 2
    assert run("template", workbook, "--authority", "Orkney", "--force").exit_code == 0
