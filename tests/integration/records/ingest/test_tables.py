"""The tables as the code knows them are those that the migrations make."""

from collections.abc import Callable

import pytest
from sqlalchemy import inspect

from services.records.ingest.tables import LISTED, metadata
from tests.integration.records.conftest import Bench


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_migrations_make_the_tables(bench: Callable[[str], Bench], service: str) -> None:
    found = inspect(bench(service).database)
    assert set(found.get_table_names(service)) == {*metadata.tables, "alembic_version", "budgets"}
    for name, table in metadata.tables.items():
        columns = {
            column["name"]: (column["type"].compile(found.dialect), column["nullable"])
            for column in found.get_columns(name, service)
        }
        assert columns == {c.name: (c.type.compile(found.dialect), bool(c.nullable)) for c in table.columns}, name
        indexes = {str(index.name) for index in table.indexes}
        if (service, name) == ("orders", "records"):
            indexes |= {f"records_missed_{standard}" for standard in LISTED}
        assert {index["name"] for index in found.get_indexes(name, service)} == indexes, name
