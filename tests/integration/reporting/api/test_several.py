"""Several indicators and areas at once: the same figures as one by one, whoever asks and in whatever format."""

import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from contracts.authorities import HEALTH_BOARDS
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from tests.integration.reporting.nation import CODES, database_settings, published, released_nation

__all__ = ["database_settings", "published", "released_nation"]

MEASURES = ("numerator", "denominator", "value", "lower", "upper")
ASKED = "indicator=orders_imposed&indicator=placement_within_7&area=S12000006&area=S92000003&by=quarter&from=2025-04&to=2026-03"
Headers = dict[str, str]
Key = tuple[str, str, str, str]


def selections(count: int) -> Iterator[tuple[list[str], list[str], dict[str, str]]]:
    rng = random.Random(5)
    areas = [SCOTLAND, *CODES, *list(HEALTH_BOARDS)[:2]]
    for _ in range(count):
        by = ",".join(filter(None, (rng.choice(["", "authority", "health_board"]), rng.choice(["", "month", "year"]))))
        first, last = sorted(rng.choices(["2025-03", "2025-04", "2025-09", "2025-12", "2026-03"], k=2))
        yield rng.sample(list(INDICATORS), 3), rng.sample(areas, 2), {"by": by, "from": first, "to": last}


def key(indicator: str, row: dict[str, Any]) -> Key:
    return indicator, row["authority"], row["period"], row["category"] or ""


@pytest.mark.parametrize("viewer", ["public", "glasgow", "national"])
def test_the_figures_are_those_of_single_questions(
    viewer: str, published: TestClient, request: pytest.FixtureRequest
) -> None:
    if viewer != "public":
        published.headers.update(request.getfixturevalue(viewer))
    shown = 0
    for names, areas, asked in selections(12):
        together = published.get("/v1/data", params={"indicator": names, "area": areas, **asked})
        assert together.status_code == 200, together.text
        found = {key(row["indicator"], row): row for row in together.json()["rows"]}
        single: dict[Key, dict[str, Any]] = {}
        for name in names:
            for area in areas:
                answer = published.get(f"/v1/indicators/{name}/data", params={"authority": area, **asked})
                single |= {key(name, row): {"indicator": name} | row for row in answer.json()["rows"]}
        assert found == single
        shown += sum(row["value"] is not None for row in found.values())
    assert shown > 30


def told(client: TestClient) -> dict[Key, dict[str, Any]]:
    found = {key(row["indicator"], row): row for row in client.get(f"/v1/data?{ASKED}").json()["rows"]}
    assert len(found) == 16
    return found


def test_csv_and_its_metadata_have_the_same_rows(published: TestClient, tmp_path: Path) -> None:
    from csvw import CSVW

    answer = published.get(f"/v1/data.csv?{ASKED}")
    link = answer.headers["link"]
    described = published.get(f"/v1/{link[1 : link.index('>')]}").json() | {"url": "data.csv"}
    (tmp_path / "data.csv").write_bytes(answer.content)
    (tmp_path / "data.csv-metadata.json").write_text(json.dumps(described))
    read = CSVW(str(tmp_path / "data.csv-metadata.json"), validate=True)
    found = {key(row["indicator"], row): row for row in read.tables[0].iterdicts()}
    lines = [*csv.DictReader(io.StringIO(answer.text))]
    assert len(lines) == len(found)
    for each, row in told(published).items():
        assert [None if found[each][n] is None else float(found[each][n]) for n in MEASURES] == [
            row[n] for n in MEASURES
        ]


@pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")
def test_json_stat_has_the_same_cube(published: TestClient) -> None:
    from pyjstat import pyjstat

    frame = pyjstat.Dataset.read(published.get(f"/v1/data.jsonstat?{ASKED}").text).write("dataframe", naming="id")
    found = {tuple(row[:5]): row[5] for row in frame.itertuples(index=False)}
    for (name, area, period, category), row in told(published).items():
        for measure in MEASURES:
            value = found[name, area, period, category or "all", measure]
            assert (None if value is None or value != value else float(value)) == row[measure]  # noqa: PLR0124 - NaN


def test_xlsx_has_the_same_rows(published: TestClient) -> None:
    book = load_workbook(io.BytesIO(published.get(f"/v1/data.xlsx?{ASKED}").content))
    header, *lines = book["Figures"].iter_rows(values_only=True)
    rows: list[dict[str, Any]] = [dict(zip(map(str, header), line, strict=True)) for line in lines]
    found = {key(row["indicator"], row): row for row in rows}
    for each, row in told(published).items():
        assert [found[each][name] for name in MEASURES] == [row[name] for name in MEASURES]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("", 422),
        ("indicator=nothing", 404),
        ("indicator=orders_imposed&area=S99", 422),
        ("indicator=orders_imposed&authority=S12000006", 422),
        ("indicator=orders_imposed&indicator=placement_within_7&by=sex", 422),
        ("indicator=orders_imposed&release=2020-01.1", 404),
    ],
)
def test_what_does_not_fit_is_a_problem(published: TestClient, asked: str, status: int) -> None:
    assert published.get(f"/v1/data?{asked}").status_code == status


def test_who_has_the_answer_is_told_so(published: TestClient) -> None:
    answer = published.get(f"/v1/data?{ASKED}")
    again = published.get(f"/v1/data?{ASKED}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
