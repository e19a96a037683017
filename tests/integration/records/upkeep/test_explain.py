"""Why a number is what it is: what stands behind each cell adds up to it."""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from contracts.cells import MEASURES
from contracts.decoding.codec import encode
from contracts.events import OrderImposed
from contracts.generate.samples import EVENTS
from services.chassis.streaming.batches import Slice
from services.cli import command_line
from services.records.ingest.recount import records_of
from services.records.ingest.tables import cells
from services.records.model.fold import day_of
from services.records.upkeep.explain import ARRIVAL, LACKING, cell_name, explain, own_cell
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.desk import ManagersView, client

app = command_line()

MakeBench = Callable[[str], Bench]


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_what_stands_behind_a_cell_adds_up_to_it(fed: MakeBench, service: str) -> None:
    one = fed(service)
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


def shown(postgres: str, monkeypatch: pytest.MonkeyPatch, service: str, *arguments: str) -> str:
    monkeypatch.setenv("PAYBACK_DATABASE_URL", postgres)
    monkeypatch.setenv("PAYBACK_DATABASE_SCHEMA_NAME", service)
    found = CliRunner().invoke(app, ["explain", *arguments])
    assert found.exit_code == 0, found.output
    return found.output


CASES = {
    "orders_imposed sex=female": ("orders", ", by imposed", "counts in another period"),
    "placement band=within_7": ("unpaid_work", "placement", "still pending"),
    "minutes_credited activity=unpaid_work": ("unpaid_work", "session/", "counts in another period"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_says_why_others_did_not_count(fed: MakeBench, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    service, by, elsewhere = CASES[name]
    measure, category = name.split()
    one = fed(service)
    value, key = max((n, k) for k, n in one.cells().items() if k.startswith(f"{measure}|") and k.endswith(category))
    output = shown(one.url, monkeypatch, service, key)
    assert output.startswith(f"{key} = {value}\n")
    assert "behind it:" in output
    assert by in output
    assert elsewhere in output


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_the_authority_is_told_the_same_over_http(fed: MakeBench, service: str) -> None:
    one = fed(service)
    view = ManagersView(client(one.database, one.domain, "2026-09-30"), "S12000029")
    asked = Counter[str]()
    for key, value in one.cells().items():
        measure, authority, period, category = key.split("|")
        if measure in ARRIVAL or authority != "S12000029" or asked[measure] == 2:
            continue
        asked[measure] += 1
        found = view.get("explain", measure=measure, period=period, category=category)
        assert found["value"] == value, key
        assert found["orders"] == len(found["behind"])
        assert sum(one["value"] for one in found["behind"]) >= value
    assert len(asked) > 8
    for wrong in (
        "measure=tea&period=2024-04",
        "measure=orders_imposed&period=2024-13",
        "measure=events&period=2024-04",
    ):
        assert view.client.get(f"/v1/explain?{wrong}", headers=view.headers).status_code == 422


def test_every_measure_of_orders_has_a_reason_that_fits(bench: MakeBench) -> None:
    """An order of which only the imposition is known, asked about every measure in a month in which nothing happened."""
    imposed = next(event for event in EVENTS if isinstance(event.data, OrderImposed))
    for service in ("orders", "unpaid_work"):
        one = bench(service)
        one.worker().process([Slice(f"orders.events.{imposed.authority}", 0, [scenario.Sent(0, encode(imposed))])])
        with one.database.connect() as connection:
            records = list(records_of(connection, imposed.authority))
        for measure in set(MEASURES) - ARRIVAL:
            found = explain(own_cell(measure, imposed.authority, "1999-01", ""), records, one.domain)
            assert "nothing of the order counts" not in " ".join(found.elsewhere) or measure not in LACKING, measure


def test_as_of_a_day_it_is_what_the_cell_was(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every third line comes a day later than the others."""
    one = bench("unpaid_work")
    worker = one.worker()
    days = [scenario.NOON, scenario.NOON + 86_400_000]
    for kind, code, found in scenario.topics():
        late = [line for number, line in enumerate(found) if number % 3 == 0]
        lines = [line for number, line in enumerate(found) if number % 3] + late
        sent = [scenario.Sent(n, line, days[n >= len(found) - len(late)]) for n, line in enumerate(lines)]
        worker.process([Slice(f"{kind}.{code}", 0, sent)])
    key = (cells.c.measure, cells.c.authority, cells.c.period, cells.c.category)
    first = day_of(days[0])
    with one.database.connect() as connection:
        query = select(*key, func.sum(cells.c.delta)).where(cells.c.known_on <= first).group_by(*key)
        rows = connection.execute(query.where(cells.c.measure.in_(["minutes_credited", "placement"]))).all()
    was = {f"{m}|{a}|{p}|{c}": int(value) for m, a, p, c, value in rows}
    moved = sorted(name for name, value in one.cells().items() if name in was and value != was[name])
    assert len(moved) > 10
    for name in (moved[0], moved[-1]):
        output = shown(one.url, monkeypatch, "unpaid_work", name, "--as-of", f"{first}")
        assert f"\n{name} = {was[name]}\n" in output
        assert f"{name} = {one.cells()[name]}\n" in shown(one.url, monkeypatch, "unpaid_work", name)


@pytest.mark.parametrize(
    "cell", ["tea|S12000036|2024-04-01|", "events|S12000036|2024-04-01|", "orders_imposed|X|2024-04-01", "x"]
)
def test_what_is_no_cell_is_refused(cell: str) -> None:
    assert CliRunner().invoke(app, ["explain", cell]).exit_code == 2
