"""The row and the order of a refused event are shown where they can be read, and when it was corrected."""

from datetime import UTC, datetime

import pytest

from services.desk.model.origin import ExtractRow, id_of, row_of, subject_of
from services.desk.model.sent import Arrival, EventStory


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


def test_the_order_and_the_id_are_read_of_what_is_spoilt_elsewhere() -> None:
    spoilt = '{"id": "7", "subject": "OIC/26/2", "data": {"made_on": "2026-13-01"}, "more": [null]}'
    assert (subject_of(spoilt), id_of(spoilt)) == ("OIC/26/2", "7")


@pytest.mark.parametrize(
    "event",
    ["", "no JSON", "[]", "{}", '{"subject": null, "id": 7}', '{"subject": ["x"]}', "\ud800", '{"a": ' + "[" * 20_000],
)
def test_what_cannot_be_read_names_no_order(event: str) -> None:
    assert (subject_of(event), id_of(event)) == ("", "")


def test_what_is_too_long_for_a_reference_is_not_shown() -> None:
    assert subject_of(f'{{"subject": "{"x" * 65}"}}') == ""


def test_a_correction_came_when_the_arrival_that_it_names_did() -> None:
    refused, accepted, again = (datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3))
    story = EventStory([Arrival(30, again), Arrival(20, accepted), Arrival(10, refused)])
    assert story.at(20) == accepted
    assert story.at(25) is None
