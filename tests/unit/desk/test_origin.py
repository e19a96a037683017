"""The row that an event came from is shown where it can be read, and nothing else is."""

import pytest

from services.desk.words.origin import ExtractRow, row_of


def test_a_row_is_told_by_file_sheet_and_row() -> None:
    spoilt = '{"id": 7, "data": null, "extractrow": "9c6778c91c48ff60.2.1048576"}'
    assert row_of(spoilt) == ExtractRow("9c6778c91c48ff60", 2, 1048576)


@pytest.mark.parametrize(
    "event",
    [
        *("", "no JSON", "[]", "{}", '{"extractrow": null}', '{"extractrow": 7}', '{"extractrow": "Smith.1.2"}'),
        *('{"extractrow": "9c6778c91c48ff60.0.2"}', '{"extractrow": "9c6778c91c48ff60.1.2 "}', "\ud800"),
        '{"data": ' + "[" * 20_000,
    ],
)
def test_anything_else_is_no_row(event: str) -> None:
    assert row_of(event) is None
