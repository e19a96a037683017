"""The addresses on the page of databases, and what is asked of each, in its own language."""

import re

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from services.connect.extracts import database
from tests.support.source import ROOT

PAGE = (ROOT / "docs" / "databases.md").read_text()
ADDRESSES = re.findall(r"`(\w+\+?\w*:///?[^`]+)`", PAGE)
NOW = {
    "mysql": "SELECT CURRENT_TIMESTAMP AS current_timestamp_1",
    "sqlite": "SELECT CURRENT_TIMESTAMP AS current_timestamp_1",
    "oracle": "SELECT CURRENT_TIMESTAMP AS current_timestamp_1 FROM DUAL",
    "mssql": "SELECT CURRENT_TIMESTAMP AS current_timestamp_1",
}


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.partition(":")[0])
def test_an_address_is_one_of_its_database(address: str) -> None:
    url = make_url(address)
    dialect = url.get_dialect()()
    said = str(select(func.current_timestamp()).compile(dialect=dialect))
    assert " ".join(said.split()) == NOW[dialect.name]
    assert (dialect.name in database.READ_ONLY) is (dialect.name != "mssql")
    if dialect.name != "sqlite":
        assert (url.username, url.password) == ("payback_reader", "a long one")


def test_the_page_has_an_address_of_each() -> None:
    assert {make_url(one).get_backend_name() for one in ADDRESSES} == {*NOW}
