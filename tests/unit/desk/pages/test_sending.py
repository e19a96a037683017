"""A refused event is laid out for a person to correct, and nothing of it changes by that."""

import json

import pytest

from services.desk.pages.sending import spread_out


def test_an_event_has_a_line_for_each_member() -> None:
    event = '{"id":"1","data":{"made_on":"2026-13-01","note":"Ò"}}'
    shown = spread_out(event)
    assert shown.splitlines()[1:4] == ['  "id": "1",', '  "data": {', '    "made_on": "2026-13-01",']
    assert json.loads(shown) == json.loads(event)
    assert "Ò" in shown


@pytest.mark.parametrize(
    "event",
    [
        '{"id":"1","id":"2"}',
        '{"data":{"made_on":"2026-01-01","made_on":"2026-01-02"}}',
        '{"data":{"hours":1.0}}',
        '{"data":{"hours":1e3}}',
        '{"data":{"hours":NaN}}',
        '{"id":"1","signature":"a..b"}',
        '{"id":',
        "[1,2]",
        "not JSON",
        "",
    ],
)
def test_what_could_change_by_it_stays_as_it_came(event: str) -> None:
    assert spread_out(event) == event
