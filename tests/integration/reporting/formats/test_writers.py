"""The same rows in each format, read back by readers that are not ours."""

import csv
import io
import json
import logging
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import Engine

from services.chassis.clock import FixedClock
from services.reporting.api.response_cache import Given, ResponseCache
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position

MARCH, KNOWN_ON = date(2026, 3, 1), date(2026, 5, 9)
ADDRESS = "/v1/indicators/first_contact_within_1/data"
QUESTION = "by=authority,month,band&from=2026-02&to=2026-03"
QUESTIONS = (
    QUESTION,
    "by=health_board,quarter&from=2026-01&to=2026-03",
    "by=year&from=2025-04&to=2026-03&authority=S12000049",
    "by=band&from=2025-05&to=2026-03&authority=S12000049",
)
EVERY_QUESTION = pytest.mark.parametrize("question", QUESTIONS)
MEASURES = ("numerator", "denominator", "value", "lower", "upper")
Headers = dict[str, str]
Key = tuple[str, str, str]


@pytest.fixture
def answered(client: TestClient, glasgow: Headers, feed: Feed) -> TestClient:
    """Return an answer with figures, among them some that are not there."""
    feed([position(code) for code in ("S12000049", "S12000047")])
    feed([cell("first_contact", "S12000049", "2026-03", f"band={b}", n) for b, n in (("within_1", 90), ("over_5", 3))])
    client.headers.update(glasgow)
    return client


@pytest.fixture
def seen_whole(answered: TestClient, national: Headers) -> TestClient:
    """Return the same answer, as somebody gets it who sees all areas."""
    answered.headers.update(national)
    return answered


def expected(client: TestClient, question: str) -> dict[Key, dict[str, Any]]:
    rows = client.get(f"{ADDRESS}?{question}").json()["rows"]
    assert rows
    return {(row["authority"], row["period"], row["category"]): row for row in rows}


@EVERY_QUESTION
def test_csv_has_the_same_rows(seen_whole: TestClient, question: str) -> None:
    answer = seen_whole.get(f"{ADDRESS}.csv?{question}")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = {(r["authority"], r["period"], r["category"]): r for r in csv.DictReader(io.StringIO(answer.text))}
    for key, row in expected(seen_whole, question).items():
        assert [rows[key][name] for name in MEASURES] == ["" if row[n] is None else str(row[n]) for n in MEASURES]
        assert rows[key]["suppressed"] == str(row["suppressed"]).lower()


@EVERY_QUESTION
def test_csv_on_the_web_reads_it_with_its_metadata(seen_whole: TestClient, tmp_path: Path, question: str) -> None:
    from csvw import CSVW

    answer = seen_whole.get(f"{ADDRESS}.csv?{question}")
    link = answer.headers["link"]
    assert 'rel="describedby"' in link
    metadata = seen_whole.get(f"/v1/indicators/first_contact_within_1/{link[1 : link.index('>')]}")
    assert metadata.headers["content-type"].startswith("application/csvm+json")
    described = metadata.json() | {"url": "data.csv"}
    (tmp_path / "data.csv").write_bytes(answer.content)
    (tmp_path / "data.csv-metadata.json").write_text(json.dumps(described))
    read = CSVW(str(tmp_path / "data.csv-metadata.json"), validate=True)
    found = {(r["authority"], r["period"], r["category"] or ""): r for r in read.tables[0].iterdicts()}
    for key, row in expected(seen_whole, question).items():
        for name in MEASURES:
            assert (None if found[key][name] is None else float(found[key][name])) == row[name]
        assert found[key]["suppressed"] is row["suppressed"]


@pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")
@EVERY_QUESTION
def test_json_stat_has_the_same_cube(seen_whole: TestClient, question: str) -> None:
    from pyjstat import pyjstat

    answer = seen_whole.get(f"{ADDRESS}.jsonstat?{question}")
    frame = pyjstat.Dataset.read(answer.text).write("dataframe", naming="id")
    found = {tuple(row[:4]): row[4] for row in frame.itertuples(index=False)}
    for (area, period, category), row in expected(seen_whole, question).items():
        for name in MEASURES:
            value = found[area, period, category or "all", name]
            assert (None if value != value or value is None else float(value)) == row[name]  # noqa: PLR0124 - NaN


@EVERY_QUESTION
def test_xlsx_has_a_cover_and_the_same_rows(seen_whole: TestClient, question: str) -> None:
    book = load_workbook(io.BytesIO(seen_whole.get(f"{ADDRESS}.xlsx?{question}").content))
    assert book.sheetnames == ["Cover", "Figures", "Dimensions"]
    assert book["Cover"]["A1"].value == "First contact within 1 working day"
    header, *lines = book["Figures"].iter_rows(values_only=True)
    found = {
        (r["authority"], r["period"], r["category"] or ""): r
        for r in (dict(zip(header, x, strict=True)) for x in lines)
    }
    for key, row in expected(seen_whole, question).items():
        assert {name: found[key][name] for name in (*MEASURES, "suppressed")} == {
            name: row[name] for name in (*MEASURES, "suppressed")
        }


LINKED_AREA = "http://statistics.gov.scot/id/statistical-geography"
LINKED_YEAR = "http://reference.data.gov.uk/id/government-year/2025-2026"


def test_areas_and_periods_are_named_as_linked_data_in_every_format(answered: TestClient, tmp_path: Path) -> None:
    from csvw import CSVW

    asked = "by=authority,year,sex&from=2025-04&to=2026-03"
    address = "/v1/indicators/orders_imposed/data"
    body = answered.get(f"{address}?{asked}").json()
    assert body["dimensions"]["period"]["values"] == {"2025-26": {"label": "2025/2026", "uri": LINKED_YEAR}}
    assert body["dimensions"]["authority"]["values"]["S12000049"] == {
        "label": "Glasgow City",
        "uri": f"{LINKED_AREA}/S12000049",
    }
    assert body["dimensions"]["category"]["property"] == "http://statistics.gov.scot/def/dimension/sex"
    cube = answered.get(f"{address}.jsonstat?{asked}").json()["dimension"]
    assert cube["period"]["category"]["label"] == {"2025-26": "2025/2026"}
    assert cube["authority"]["extension"]["uri"]["S12000049"] == f"{LINKED_AREA}/S12000049"
    book = load_workbook(io.BytesIO(answered.get(f"{address}.xlsx?{asked}").content))
    assert ("period", "2025-26", "2025/2026", LINKED_YEAR) in book["Dimensions"].iter_rows(values_only=True)
    (tmp_path / "data.csv").write_bytes(answered.get(f"{address}.csv?{asked}").content)
    described = answered.get(f"{address}.csv-metadata.json?{asked}").json() | {"url": "data.csv"}
    (tmp_path / "data.csv-metadata.json").write_text(json.dumps(described))
    columns = {each.name: each for each in CSVW(str(tmp_path / "data.csv-metadata.json")).tables[0].tableSchema.columns}
    glasgow = {"authority": "S12000049"}
    assert columns["authority"].inherit("valueUrl").expand(**glasgow) == f"{LINKED_AREA}/S12000049"
    assert str(columns["period_uri"].inherit("propertyUrl")).endswith("dimension#refPeriod")
    rows = [*csv.DictReader(io.StringIO((tmp_path / "data.csv").read_text()))]
    assert {row["period_uri"] for row in rows} == {LINKED_YEAR}


def test_a_workbook_says_how_complete_its_figures_are(answered: TestClient) -> None:
    book = load_workbook(io.BytesIO(answered.get(f"{ADDRESS}.xlsx?{QUESTION}").content))
    lines = [(str(name), str(words)) for name, words, *_ in book["Cover"].iter_rows(values_only=True)]
    cover = dict(lines)
    assert cover["Reported, with doubts"] == "1 of 32 authorities: Glasgow City"
    assert cover["Not known: nothing to judge by"] == "1 of 32 authorities: Fife", "nothing of others before a release"
    assert {words for name, words in lines if name == "Doubt"} == {
        "Fife: The figures shown do not reach this period",
        "Glasgow City: No event about its orders, or none about its unpaid work, was ever accepted",
    }
    assert cover["Not reported"].startswith("30 of 32 authorities: Clackmannanshire, ")


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
    own = answered.get(f"{ADDRESS}?{QUESTION}")
    assert asked_again(answered, own, f"{ADDRESS}?{QUESTION}") == 304
    feed(
        [position("S12000049", version=2), cell("first_contact", "S12000049", "2026-03", "band=over_5", 43, version=2)]
    )
    assert asked_again(answered, own, f"{ADDRESS}?{QUESTION}") == 200


def test_of_a_release_it_is_the_same_whatever_comes_after(client: TestClient, feed: Feed, database: Engine) -> None:
    feed([position("S12000049"), cell("first_contact", "S12000049", "2026-03", "band=over_5", 300)])
    clock = FixedClock(NOW)
    name = publication.make(database, MARCH, KNOWN_ON, clock)
    publication.publish(database, name, clock)
    of_it = f"{ADDRESS}?release={name}&from=2026-03&to=2026-03"
    before = client.get(of_it)
    feed([cell("first_contact", "S12000049", "2026-03", "band=over_5", 400, version=2)])
    clock.move(timedelta(hours=1))
    publication.publish(database, publication.make(database, MARCH, KNOWN_ON, clock), clock)
    after = client.get(of_it)
    assert before.headers["etag"] == after.headers["etag"]
    assert before.content == after.content
    assert asked_again(client, before, of_it) == 304


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
    kept = ResponseCache(most_bytes=10)
    for name in ("a", "b"):
        kept.put(name, Given(b"12345", 1))
    assert kept.get("a") == Given(b"12345", 1)
    kept.put("c", Given(b"12345", 2))
    assert (kept.get("b"), kept.get("a"), kept.get("c")) == (None, Given(b"12345", 1), Given(b"12345", 2))
    assert kept.put("d", Given(b"more than ten", 3)).rows == 3
    assert kept.get("d") is None
