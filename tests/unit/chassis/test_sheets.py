"""Names that authorities give their orders never become a formula on the reader's machine, in any file that the platform writes."""

import csv
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from services.chassis import sheets, workbooks

TRICKS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "=cmd|' /C calc'!A0")  # noqa: RUF001


@pytest.mark.parametrize("trick", TRICKS)
def test_no_text_is_a_formula_in_csv(trick: str) -> None:
    ((found, number, yes),) = csv.reader(StringIO(sheets.as_csv([(trick, -1, True)]), newline=""))
    assert found == f"'{trick}"
    assert (number, yes) == ("-1", "true")


@pytest.mark.parametrize("trick", TRICKS)
def test_text_is_text_in_a_workbook(trick: str) -> None:
    book, kept = Workbook(), BytesIO()
    workbooks.append(book.worksheets[0], [(trick, -1)])
    book.save(kept)
    cell, number = next(iter(load_workbook(kept).worksheets[0].iter_rows()))
    assert (cell.data_type, number.value) == ("s", -1)
    assert str(cell.value).strip() == trick.strip()


def test_nobody_else_writes_csv_or_rows_of_workbooks() -> None:
    """But for the pretend authorities and the empty template, which hold nothing of anybody's."""
    others = {
        f"services/{path}.py"
        for path in ("chassis/sheets", "chassis/workbooks", "simulate/telling/extracts", "connect/template")
    }
    wrote = {
        str(path)
        for path in Path("services").rglob("*.py")
        if any(word in path.read_text() for word in ("csv.writer", "csv.DictWriter", "sheet.append(", "cover.append("))
    }
    assert wrote <= others
