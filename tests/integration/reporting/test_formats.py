"""The same rows in each format, read back by readers that are not ours."""

import csv
import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from csvw import CSVW
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from pyjstat import pyjstat

from services.reporting.api.kept import Given, Kept
from tests.integration.reporting.conftest import Feed, cell, position

ADDRESS = "/v1/indicators/first_contact_within_1/data"
QUESTION = "by=authority,month,band&from=2026-02&to=2026-03"
MEASURES = ("numerator", "denominator", "value", "lower", "upper")
Headers = dict[str, str]
Key = tuple[str, str, str]


@pytest.fixture
def answered(client: TestClient, glasgow: Headers, feed: Feed) -> TestClient:
    """With figures, among them some that are not there."""
    feed([position(code) for code in ("S12000049", "S12000047")])
    feed([cell("first_contact", "S12000049", "2026-03", f"band={b}", n) for b, n in (("within_1", 90), ("over_5", 3))])
    client.headers.update(glasgow)
    return client


def expected(client: TestClient) -> dict[Key, dict[str, Any]]:
    rows = client.get(f"{ADDRESS}?{QUESTION}").json()["rows"]
    assert rows
    return {(row["authority"], row["period"], row["category"]): row for row in rows}


def test_csv_has_the_same_rows(answered: TestClient) -> None:
    answer = answered.get(f"{ADDRESS}.csv?{QUESTION}")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = {(r["authority"], r["period"], r["category"]): r for r in csv.DictReader(io.StringIO(answer.text))}
    for key, row in expected(answered).items():
        assert [rows[key][name] for name in MEASURES] == ["" if row[n] is None else str(row[n]) for n in MEASURES]
        assert rows[key]["suppressed"] == str(row["suppressed"]).lower()


def test_csv_on_the_web_reads_it_with_its_metadata(answered: TestClient, tmp_path: Path) -> None:
    answer = answered.get(f"{ADDRESS}.csv?{QUESTION}")
    link = answer.headers["link"]
    assert 'rel="describedby"' in link
    metadata = answered.get(f"/v1/indicators/first_contact_within_1/{link[1 : link.index('>')]}")
    assert metadata.headers["content-type"].startswith("application/csvm+json")
    described = metadata.json() | {"url": "data.csv"}
    (tmp_path / "data.csv").write_bytes(answer.content)
    (tmp_path / "data.csv-metadata.json").write_text(json.dumps(described))
    read = CSVW(str(tmp_path / "data.csv-metadata.json"), validate=True)
    found = {(r["authority"], r["period"], r["category"] or ""): r for r in read.tables[0].iterdicts()}
    for key, row in expected(answered).items():
        for name in MEASURES:
            assert (None if found[key][name] is None else float(found[key][name])) == row[name]
        assert found[key]["suppressed"] is row["suppressed"]


@pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")
def test_json_stat_has_the_same_cube(answered: TestClient) -> None:
    answer = answered.get(f"{ADDRESS}.jsonstat?{QUESTION}")
    frame = pyjstat.Dataset.read(answer.text).write("dataframe", naming="id")
    found = {tuple(row[:4]): row[4] for row in frame.itertuples(index=False)}
    for (area, period, category), row in expected(answered).items():
        for name in MEASURES:
            value = found[area, period, category or "all", name]
            assert (None if value != value or value is None else float(value)) == row[name]  # noqa: PLR0124 - NaN


def test_xlsx_has_a_cover_and_the_same_rows(answered: TestClient) -> None:
    book = load_workbook(io.BytesIO(answered.get(f"{ADDRESS}.xlsx?{QUESTION}").content))
    assert book.sheetnames == ["Cover", "Figures"]
    assert book["Cover"]["A1"].value == "First contact within 1 working day"
    header, *lines = book["Figures"].iter_rows(values_only=True)
    found = {
        (r["authority"], r["period"], r["category"] or ""): r
        for r in (dict(zip(header, x, strict=True)) for x in lines)
    }
    for key, row in expected(answered).items():
        assert {name: found[key][name] for name in (*MEASURES, "suppressed")} == {
            name: row[name] for name in (*MEASURES, "suppressed")
        }


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/html, application/json;q=0.1, text/csv;q=0.9", "text/csv"),
        ("application/vnd.json-stat+json", "application/vnd.json-stat+json"),
    ],
)
def test_the_format_follows_accept(answered: TestClient, accept: str, kind: str) -> None:
    assert answered.get(ADDRESS, headers={"accept": accept}).headers["content-type"].split(";")[0] == kind


def test_formats_that_are_not_offered_are_refused(answered: TestClient) -> None:
    assert answered.get(ADDRESS, headers={"accept": "image/png"}).status_code == 406
    assert answered.get(f"{ADDRESS}.pdf").status_code == 404


def asked_again(client: TestClient, answer: Any, path: str = ADDRESS) -> int:
    return client.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code


def test_what_did_not_change_is_not_sent_again(answered: TestClient, feed: Feed, national: Headers) -> None:
    answer = answered.get(ADDRESS)
    assert asked_again(answered, answer) == 304
    assert asked_again(answered, answer, f"{ADDRESS}.csv") == 200
    assert answered.get(ADDRESS, headers={"if-none-match": answer.headers["etag"], **national}).status_code == 200
    feed([cell("first_contact", "S12000049", "2026-03", "band=over_5", 4, version=2)])
    assert asked_again(answered, answer) == 200


def test_what_was_worked_out_once_is_given_again_and_each_look_is_logged(
    client: TestClient, national: Headers, feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    feed([position("S12000049"), cell("first_contact", "S12000049", "2026-03", "band=over_5", 3)])
    with caplog.at_level(logging.INFO, "services.reporting"):
        first, second = (client.get(f"{ADDRESS}.xlsx?{QUESTION}", headers=national) for _ in range(2))
    assert first.content == second.content, "a workbook has the time in it: the same tag must mean the same bytes"
    looks = [record.__dict__["count"] for record in caplog.records if "whole figures" in record.message]
    assert len(looks) == 2
    assert looks[0] == looks[1] > 0
    feed([cell("first_contact", "S12000049", "2026-03", "band=over_5", 4, version=2)])
    assert client.get(f"{ADDRESS}.xlsx?{QUESTION}", headers=national).content != first.content


def test_only_so_much_is_kept_and_what_is_asked_for_stays_longest() -> None:
    kept = Kept(most_bytes=10)
    for name in ("a", "b"):
        kept.put(name, Given(b"12345", 1))
    assert kept.get("a") == Given(b"12345", 1)
    kept.put("c", Given(b"12345", 2))
    assert (kept.get("b"), kept.get("a"), kept.get("c")) == (None, Given(b"12345", 1), Given(b"12345", 2))
    assert kept.put("d", Given(b"more than ten", 3)).rows == 3
    assert kept.get("d") is None
