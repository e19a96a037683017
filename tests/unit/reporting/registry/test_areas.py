"""Authorities, health board areas and Scotland."""

from collections import Counter

import pytest

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS
from services.reporting.formats.linked_names import area_uri
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND, areas_of, containing, members
from services.reporting.registry.population import aged_16_to_70

GLASGOW, CLYDE = "S12000049", "S08000031"


def test_health_board_areas_divide_scotland_into_whole_authorities() -> None:
    assert Counter(code for board in HEALTH_BOARDS.values() for code in board.members) == Counter(list(AUTHORITIES))
    assert len(set(AREA_NAMES.values())) == len(AREA_NAMES) == 32 + 14 + 1


def test_an_area_is_divided_into_its_parts_and_comes_last() -> None:
    assert areas_of("", SCOTLAND) == (SCOTLAND,)
    assert areas_of("authority", SCOTLAND) == (*AUTHORITIES, SCOTLAND)
    assert areas_of("health_board", SCOTLAND) == (*HEALTH_BOARDS, SCOTLAND)
    assert areas_of("authority", CLYDE) == (*HEALTH_BOARDS[CLYDE].members, CLYDE)
    assert areas_of("health_board", CLYDE) == (CLYDE,)
    assert areas_of("authority", GLASGOW) == (GLASGOW,)


def test_an_authority_counts_in_every_area_that_it_lies_in() -> None:
    assert containing("health_board", SCOTLAND)[GLASGOW] == (CLYDE, SCOTLAND)
    assert containing("authority", CLYDE)[GLASGOW] == (GLASGOW, CLYDE)
    assert containing("", CLYDE) == dict.fromkeys(HEALTH_BOARDS[CLYDE].members, (CLYDE,))


def test_what_is_no_area_has_no_members() -> None:
    with pytest.raises(KeyError):
        members("S99")


def test_people_of_an_area_are_those_of_its_authorities_up_to_rounding() -> None:
    for board in HEALTH_BOARDS.values():
        parts = sum(aged_16_to_70(code, "2025-26") for code in board.members)
        assert abs(aged_16_to_70(board.code, "2025-26") - parts) <= 100 * len(board.members)


def test_areas_have_one_series_of_names_in_linked_data() -> None:
    assert area_uri(CLYDE) == f"http://statistics.gov.scot/id/statistical-geography/{CLYDE}"
