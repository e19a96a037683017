"""The mappings of returns: what an analyst may change, what is refused, and that a number that is off is told."""

from collections.abc import Callable, Iterator
from csv import DictReader
from io import StringIO
from pathlib import Path

import pytest

from contracts.authorities import AUTHORITIES
from services import orders, unpaid_work
from services.chassis.failures import Refused
from services.records.api.management import Own
from tests.integration.records.conftest import Bench
from tests.support.desk import ManagersView, new_client

EDINBURGH = "S12000036"
SHIPPED = {"orders": Path(str(orders.__file__)), "unpaid_work": Path(str(unpaid_work.__file__))}
UNIT = {"orders": "cpo", "unpaid_work": "unpaid-work"}
YEARS = ("2022-23", "2023-24", "2024-25")


def shipped(service: str, name: str) -> str:
    return (SHIPPED[service].parent / "returns" / f"{name}.toml").read_text()


@pytest.fixture(scope="module")
def benches(scenario_read: Callable[[], str]) -> Iterator[dict[str, Bench]]:
    made = {service: Bench(scenario_read(), service) for service in UNIT}
    yield made
    for one in made.values():
        one.database.dispose()


def asked(bench: Bench, returns: Path | None = None) -> ManagersView:
    """Return the API where the returns are made by mappings of one's own."""
    return asked_by_all(bench, returns)[EDINBURGH]


def asked_by_all(bench: Bench, returns: Path | None = None) -> dict[str, ManagersView]:
    """Return one API, by the authority that asks."""
    client = new_client(bench.database, bench.domain, "2024-09-02", Own(returns))
    return {authority: ManagersView(client, authority) for authority in AUTHORITIES}


def test_an_analyst_changes_columns_their_order_and_their_codes(benches: dict[str, Bench], tmp_path: Path) -> None:
    (tmp_path / "cpo.toml").write_text(
        """
        title = "The return as it came to be"
        version = "2027.1"
        column = [
          { name = "SEX", value = "imposed.sex", about = "1 male, 2 female", codes = { male = "1", female = "2" } },
          { name = "REF", value = "subject", about = "Reference" },
        ]
        """
    )
    text = asked(benches["orders"], tmp_path).get("returns/cpo", year="2024-25")
    rows = list(DictReader(StringIO(text)))
    before = list(DictReader(StringIO(asked(benches["orders"]).get("returns/cpo", year="2024-25"))))
    assert text.splitlines()[0] == "SEX,REF"
    assert [row["REF"] for row in rows] == [row["order_reference"] for row in before]
    codes = {"male": "1", "female": "2"}
    assert [row["SEX"] for row in rows] == [codes.get(row["sex"], row["sex"]) for row in before]
    assert asked(benches["orders"], tmp_path).get("returns/annual-report", year="2024-25")["version"] == "2026.1"


def test_every_check_agrees_and_what_is_not_compared_is_said(benches: dict[str, Bench]) -> None:
    """Of every authority in one of the years, and of one authority in all."""
    compared = {}
    for service, bench in benches.items():
        for number, (authority, view) in enumerate(asked_by_all(bench).items()):
            for year in YEARS if authority == EDINBURGH else [YEARS[number % len(YEARS)]]:
                answer = view.get("returns/reconciliation", year=year)
                assert [check for check in answer["checks"] if not check["agrees"]] == []
                compared[service] = answer["tables_not_compared"]
    assert compared["orders"] == ["people-in-year", "people", "reviews", "breach-applications", "breach-outcomes"]
    assert compared["unpaid_work"] == [
        "completed", "completed-late-by-reason", "completed-by-level", "days-by-level", "completed-by-days", "hours",
        "hours-by-activity", "hours-by-work-type", "sessions",
    ]  # fmt: skip


@pytest.mark.parametrize(("service", "measure"), [("orders", "orders_imposed"), ("unpaid_work", "induction")])
def test_a_cell_that_is_off_does_not_agree(fed: Callable[[str], Bench], service: str, measure: str) -> None:
    bench = fed(service)
    with bench.database.begin() as connection:
        connection.exec_driver_sql(f"UPDATE cells SET delta = delta + 1 WHERE measure = '{measure}'")
    answers = [asked(bench).get("returns/reconciliation", year=year) for year in YEARS]
    assert not all(answer["agrees"] for answer in answers)
    off = [check for answer in answers for check in answer["checks"] if not check["agrees"]]
    assert {check["measure"] for check in off} == {measure}
    bench.database.dispose()


def test_the_unit_return_of_unpaid_work_has_rows_with_unpaid_work_only(benches: dict[str, Bench]) -> None:
    for view in asked_by_all(benches["unpaid_work"]).values():
        text = view.get("returns/unpaid-work", year="2024-25")
        assert all(row["hours_ordered"] for row in DictReader(StringIO(text)))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("cpo.toml", ("imposed.sex", "imposed.shoe_size"), "column sex: imposed.shoe_size is not known"),
        ("cpo.toml", ('by = "sex"', 'by = "gender"'), "there is no column gender"),
        ("cpo.toml", ('measure = "orders_ended"', 'measure = "orders_lost"'), "there is no measure orders_lost"),
        ("annual-report.toml", ('measure = "plan"', 'measure = "plans"'), "table plan: there is no measure plans"),
        ("cpo.toml", ("title", "titel"), "titel"),
        ("cpo.toml", ("[[column]]", "[[column"), "line"),
    ],
)
def test_a_mapping_with_a_fault_stops_the_api_and_says_where(
    benches: dict[str, Bench], tmp_path: Path, name: str, change: tuple[str, str], message: str
) -> None:
    (tmp_path / name).write_text(shipped("orders", name.removesuffix(".toml")).replace(*change, 1))
    with pytest.raises(Refused, match=message):
        asked(benches["orders"], tmp_path)


def test_a_mapping_that_nobody_asks_for_is_refused(benches: dict[str, Bench], tmp_path: Path) -> None:
    (tmp_path / "cpos.toml").write_text("")
    with pytest.raises(Refused, match=r"cpos\.toml; mappings here are called annual-report\.toml, cpo\.toml"):
        asked(benches["orders"], tmp_path)
    with pytest.raises(Refused, match="no such folder"):
        asked(benches["orders"], tmp_path / "nowhere")
