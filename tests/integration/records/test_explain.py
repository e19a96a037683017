"""Why a number is what it is: what stands behind each cell adds up to it."""

from collections import Counter
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from services.cli import command_line
from services.records.explain import ARRIVAL, cell_name, explain
from services.records.recount import records_of
from tests.integration.records.conftest import Bench
from tests.integration.records.test_worker import feed

app = command_line()

MakeBench = Callable[[str], Bench]


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_what_stands_behind_a_cell_adds_up_to_it(bench: MakeBench, service: str) -> None:
    one = bench(service)
    feed(one, 1000)
    tried: Counter[str] = Counter()
    with one.database.connect() as connection:
        for key, value in one.cells().items():
            name = key.split("|")[0]
            if name in ARRIVAL or tried[name] == 3:
                continue
            tried[name] += 1
            cell = cell_name(key)
            found = explain(cell, records_of(connection, cell.authority), one.domain)
            assert found.value == value, key
            assert name == "findings" or all(behind.facts for behind in found.behind), key
    assert len(tried) > 5


def test_it_says_why_others_did_not_count(bench: MakeBench, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench("orders")
    feed(one, 1000)
    cells = {key: n for key, n in one.cells().items() if key.startswith("orders_imposed|") and "sex=female" in key}
    key, value = max(cells.items(), key=lambda cell: cell[1])
    monkeypatch.setenv("PAYBACK_DATABASE_URL", postgres)
    monkeypatch.setenv("PAYBACK_DATABASE_SCHEMA_NAME", "orders")
    shown = CliRunner().invoke(app, ["explain", key])
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"{key} = {value}\n")
    assert f"{value} orders count here" in shown.output
    assert ", by imposed" in shown.output
    assert "counts in another period" in shown.output


@pytest.mark.parametrize(
    "cell", ["tea|S12000036|2024-04-01|", "events|S12000036|2024-04-01|", "orders_imposed|X|2024-04-01", "x"]
)
def test_what_is_no_cell_is_refused(cell: str) -> None:
    assert CliRunner().invoke(app, ["explain", cell]).exit_code == 2
