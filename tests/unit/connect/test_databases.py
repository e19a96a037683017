"""The addresses on the page of databases, and what is asked of each, in its own language."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from tomllib import loads

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from services.connect.extracts import database
from services.connect.faults import CannotGoOn
from services.connect.mapping.loading import read_mapping
from tests.support.source import ROOT

PAGE = (ROOT / "docs" / "databases.md").read_text()
ADDRESSES = re.findall(r"`(\w+\+?\w*:///?[^`]+)`", PAGE)
DRIVEN = [one for one in ADDRESSES if make_url(one).get_driver_name() != "pysqlite"]
"""Those whose driver is no part of Python."""
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


QUERIES = (
    "SELECT * FROM payback_orders",
    'SELECT "Ref", "Received" FROM payback.payback_orders',
    "WITH new AS (SELECT * FROM orders) SELECT ref, to_char(made, 'HH24:MI') FROM new WHERE kind LIKE 'A%' AND note <> ' :x'",
    "SELECT made::date AS Made, '[:]\\:' AS Odd FROM payback_contacts",
)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.partition(":")[0])
def test_a_query_reaches_each_database_as_it_is_written(address: str, query: str) -> None:
    """As each dialect of SQLAlchemy compiles it, without a server; some drivers read `%%` as `%`."""
    made = database.as_written(f"{query} ;").compile(dialect=make_url(address).get_dialect()())
    assert made.params == {}
    assert str(made).replace("%%", "%").strip() == query


def test_each_driver_of_the_page_is_one_of_the_package() -> None:
    package = loads((ROOT / "services/connect/pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {re.split(r"[\[>=]", one)[0]: extra for extra, found in package.items() if extra != "page" for one in found}
    assert named == database.DRIVERS
    assert {make_url(one).get_driver_name() for one in DRIVEN} <= set(named)


@pytest.mark.parametrize("address", DRIVEN, ids=lambda address: address.partition(":")[0])
def test_a_driver_that_is_not_installed_is_named_with_how_to_have_it(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_url(address).get_driver_name()
    if find_spec(driver) is not None:
        monkeypatch.setitem(sys.modules, driver, None)
    (tmp_path / "address").write_text(address)
    mapping = read_mapping(
        "authority: S12000027\ndatabase_file: address\ntables:\n  - query: SELECT * FROM a\n    order: Ref\n"
        "    states: {contact.made: {made_on: Made}}\n",
        "m",
    )
    wanted = rf"{driver}, is not installed; .*connect\[{database.DRIVERS[driver]}\]"
    with pytest.raises(CannotGoOn, match=wanted), database.queried(mapping, tmp_path, None):
        pass
