"""A release as a publication: what is fetched of it, opened by programs that others wrote, at addresses that keep the release."""

import csv
import hashlib
import html
import io
import json
import math
import re
import subprocess
import zipfile
from pathlib import Path
from shutil import which
from typing import Any
from xml.etree.ElementTree import fromstring

import feedparser
import httpx
import pytest
from odf.opendocument import load
from odf.table import Table, TableRow
from openpyxl import load_workbook
from rdflib import DCAT, DCTERMS, RDF, Graph

from contracts.authorities import AUTHORITIES
from services.reporting.registry.areas import SCOTLAND
from tests.e2e.conftest import HEARD, NOTICE, WRONG, Site

pytestmark = [pytest.mark.parts, pytest.mark.long]

RELEASE, EARLIER = "2026-03.2", "2026-03.1"
NAME = f"community-payback-{RELEASE}"
NEXT_PAGE, FIRST_VISIT = 40_000, 300_000
"""Bytes that a page may take on the way when everything that it loads is there already, and when nothing is."""
PAGES = (
    "/",
    "/indicators",
    "/indicators/placement_within_7",
    "/compare/placement_within_7",
    f"/authorities/{HEARD[0]}",
    "/quality",
    "/releases",
    f"/releases/{RELEASE}",
    "/about",
    "/search?q=placement",
    "/data",
    "/docs",
)
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def web(site: Site) -> httpx.Client:
    return httpx.Client(base_url=site.url, timeout=300)


@pytest.fixture(scope="module")
def unpacked(web: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return all files, as somebody who fetched and unpacked them has them."""
    answer = web.get(f"/v1/releases/{RELEASE}/data")
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}.zip"'
    where = tmp_path_factory.mktemp("release")
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(where)
    return where


def shown_by_page(web: httpx.Client, indicator: str, year: str) -> dict[str, Any]:
    """Return the value that the API tells, by area."""
    answer = web.get(f"/v1/indicators/{indicator}/data", params={"by": "authority,year", "release": RELEASE})
    return {row["authority"]: row["value"] for row in answer.json()["rows"] if row["period"] == year}


def test_one_command_says_that_nothing_changed_on_the_way(web: httpx.Client, unpacked: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=unpacked, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    lines = (unpacked / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in lines} == {
        str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()
    } - {"SHA256SUMS"}
    told = web.get(f"/v1/releases/{RELEASE}/files").json()
    assert told["content_hash"] == hashlib.sha256((unpacked / "SHA256SUMS").read_bytes()).hexdigest()
    assert told["content_hash"] in web.get(f"/releases/{RELEASE}").text


def test_each_file_is_as_the_whole_has_it(web: httpx.Client, unpacked: Path) -> None:
    for each in web.get(f"/v1/releases/{RELEASE}/files").json()["files"]:
        content = web.get(each["href"]).content
        assert hashlib.sha256(content).hexdigest() == each["sha256"], each["name"]
        assert each["name"].endswith(".zip") or (unpacked / each["name"]).read_bytes() == content


def test_csv_on_the_web_is_read_with_its_types(web: httpx.Client, unpacked: Path) -> None:
    from csvw import TableGroup

    group = TableGroup.from_file(unpacked / "csv-metadata.json")
    table = next(each for each in group.tables if str(each.url) == "data/orders_imposed.csv")
    rows = list(table)
    yearly = {
        r["area_code"]: r for r in rows if (r["period"], r["breakdown"], r["period_type"]) == ("2025-26", "", "year")
    }
    assert {code: row["value"] for code, row in yearly.items() if code in AUTHORITIES} == {
        code: value for code, value in shown_by_page(web, "orders_imposed", "2025-26").items() if code in AUTHORITIES
    }
    assert yearly[HEARD[0]]["area"] == AUTHORITIES[HEARD[0]].name
    assert yearly[HEARD[0]]["unit"] == "orders"
    assert f"{yearly[HEARD[0]]['period_end']:%Y-%m-%d}" == "2026-03-31"


def figures(folder: Path) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return all figures of a release, by the things that they count."""
    rows = [row for path in (folder / "data").glob("*.csv") for row in csv.DictReader(path.read_text().splitlines())]
    return {tuple(row[name] for name in OF): tuple(row[name] for name in SHOWN) for row in rows}


OF = ("indicator", "area_code", "period_type", "period", "breakdown", "category_code")
SHOWN = ("value", "numerator", "denominator", "mark")


def test_the_list_of_changes_is_of_every_figure_that_differs_and_of_no_other(
    web: httpx.Client, unpacked: Path, tmp_path: Path
) -> None:
    """Scotland's and every area's, in all periods; with both figures as they were published."""
    whole = web.get(f"/v1/releases/{EARLIER}/data").content
    zipfile.ZipFile(io.BytesIO(whole)).extractall(tmp_path)
    assert not (tmp_path / "changes.csv").exists(), "there was no release before it"
    before, now = figures(tmp_path), figures(unpacked)
    expected = {of: (before[of], now[of]) for of in before.keys() & now.keys() if before[of] != now[of]}
    rows = list(csv.DictReader((unpacked / "changes.csv").read_text().splitlines()))
    told = {
        tuple(row[name] for name in OF): tuple(
            tuple(row[f"{name}{when}"] for name in SHOWN) for when in ("_before", "")
        )
        for row in rows
    }
    assert told == expected
    assert len(rows) == len(told)
    assert {("Scotland", "month"), ("Scotland", "year"), (AUTHORITIES[HEARD[1]].name, "quarter")} <= {
        (row["area"], row["period_type"]) for row in rows
    }
    assert {row["reason"] for row in rows if row["indicator"] == "reviews_on_time"} == {"late"}


def changes(web: httpx.Client, **asked: str | int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many the API says match, and all of them, page after page."""
    found: list[dict[str, Any]] = []
    cursor: int | None = 0
    while cursor is not None:
        answer = (
            web.get(f"/v1/releases/{RELEASE}/changes", params={"cursor": cursor, **asked}).raise_for_status().json()
        )
        assert (answer["release"], answer["release_before"]) == (RELEASE, EARLIER)
        found += answer["changes"]
        cursor = answer["next"]
    return answer["matching"], found


def test_the_api_lists_the_same_changes_as_the_file(web: httpx.Client, unpacked: Path) -> None:
    """To anybody, page by page, and only what is asked for."""
    rows = list(csv.DictReader((unpacked / "changes.csv").read_text().splitlines()))
    kept = ("indicator", "area_code", "period_type", "period", "breakdown", "category_code", "mark_before", "reason")
    expected = [
        (*(row[name] for name in kept), *(row[name] and float(row[name]) for name in ("value_before", "value")))
        for row in rows
    ]

    def told(**asked: str | int) -> list[tuple[Any, ...]]:
        matching, found = changes(web, **asked)
        assert matching == len(found)
        return [
            (
                *(row[name] for name in kept),
                *("" if row[name] is None else row[name] for name in ("value_before", "value")),
            )
            for row in found
        ]

    assert told(limit=97) == expected
    one = {"area": HEARD[1], "indicator": "reviews_on_time", "period_type": "quarter"}
    some = [row for row in expected if row[:3] == ("reviews_on_time", HEARD[1], "quarter")]
    assert some
    assert told(**one) == some
    assert told(area=SCOTLAND) == [row for row in expected if row[1] == SCOTLAND]
    assert told(indicator="breach_outcomes", period_type="month", area="S08000020") == []


def test_every_address_to_try_is_there(web: httpx.Client) -> None:
    """Of a release that this site has, whatever its name is."""
    page = html.unescape(web.get("/docs").text)
    commands = page.split("<pre", 1)[1].partition(">")[2].partition("</pre>")[0].splitlines()
    assert [each.count("curl ") for each in commands] == [1, 1, 1]
    found = re.findall(r"curl (?:-OJ )?'(\S+)'", page)
    assert [f"/releases/{RELEASE}/" in each for each in found] == [False, True, True]
    assert [web.get(each).status_code for each in found] == [200, 200, 200]


@pytest.mark.parametrize(
    ("asked", "status"),
    [("area=S99", 422), ("indicator=nothing", 404), ("period_type=week", 422), ("limit=0", 422), ("cursor=x", 422)],
)
def test_the_list_of_changes_refuses_what_there_is_not(web: httpx.Client, asked: str, status: int) -> None:
    assert web.get(f"/v1/releases/{RELEASE}/changes?{asked}").status_code == status


def test_a_first_release_has_no_changes_and_a_list_is_not_sent_twice(web: httpx.Client) -> None:
    first = web.get(f"/v1/releases/{EARLIER}/changes")
    assert first.json() == {"release": EARLIER, "release_before": None, "matching": 0, "changes": [], "next": None}
    address = f"/v1/releases/{RELEASE}/changes"
    tag = web.get(address).headers["etag"]
    assert web.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_csv_on_the_web_reads_the_list_of_changes(unpacked: Path) -> None:
    from csvw import TableGroup

    group = TableGroup.from_file(unpacked / "csv-metadata.json")
    rows = list(next(each for each in group.tables if str(each.url) == "changes.csv"))
    assert {row["release_before"] for row in rows} == {EARLIER}
    assert any(row["value"] != row["value_before"] for row in rows)


def test_frictionless_reads_the_tables_by_the_data_dictionary(unpacked: Path) -> None:
    from frictionless import Resource, Schema

    dictionary = csv.DictReader((unpacked / "data-dictionary.csv").read_text().splitlines())
    fields = [{"name": row["column"], "type": row["type"]} for row in dictionary]
    for name in ("placement_within_7", "orders_imposed"):
        resource = Resource(
            path=f"data/{name}.csv", basepath=str(unpacked), schema=Schema.from_descriptor({"fields": fields})
        )
        report = resource.validate()
        assert report.valid, report.flatten(["title", "message"])[:3]


def test_duckdb_asks_the_parquet_file(web: httpx.Client, unpacked: Path) -> None:
    import duckdb

    parquet = unpacked / f"{NAME}.parquet"
    query = f"""
        SELECT area_code, value FROM '{parquet}'
        WHERE indicator = 'placement_within_7' AND period = '2025-26' AND period_type = 'year' AND breakdown = ''
        AND area_type <> 'health board area'
    """
    assert dict(duckdb.execute(query).fetchall()) == shown_by_page(web, "placement_within_7", "2025-26")
    in_csv = sum(len(path.read_text().splitlines()) - 1 for path in (unpacked / "data").glob("*.csv"))
    found = duckdb.execute(f"SELECT count(*) FROM '{parquet}'").fetchone()
    assert found == (in_csv,)


R_READS = """
shown <- do.call(rbind, lapply(Sys.glob("data/*.csv"), read.csv, colClasses = c(breakdown = "character")))
year <- subset(shown, indicator == "placement_within_7" & period == "2025-26" & period_type == "year"
  & breakdown == "" & area_type != "health board area")
write.table(year[c("area_code", "value")], row.names = FALSE, col.names = FALSE, quote = FALSE)
"""


@pytest.mark.skipif(which("Rscript") is None, reason="Rscript is not installed (Debian: r-base-core)")
def test_r_reads_the_tables_with_their_types(web: httpx.Client, unpacked: Path) -> None:
    said = subprocess.run(["Rscript", "-e", R_READS], cwd=unpacked, check=True, capture_output=True, text=True).stdout
    read = dict(line.split() for line in said.splitlines())
    assert {code: None if value == "NA" else float(value) for code, value in read.items()} == shown_by_page(
        web, "placement_within_7", "2025-26"
    )


def test_the_workbook_is_for_people(web: httpx.Client, unpacked: Path) -> None:
    book = load_workbook(unpacked / f"{NAME}-by-year.xlsx")
    assert book.sheetnames[:3] == ["Cover", "Contents", "Notes"]
    assert all(len(sheet.tables) == 1 for sheet in book.worksheets[1:]), "one table a sheet"
    contents = [row[0].value for row in book["Contents"].iter_rows(min_row=4)]
    assert contents == book.sheetnames[3:]
    sheet = next(sheet for sheet in book.worksheets if sheet.title.endswith("_orders_imposed"))
    header, *rows = [[cell.value for cell in row] for row in sheet[next(iter(sheet.tables.values())).ref]]
    assert header[:2] == ["Area code", "Area"]
    at = next(place for place, year in enumerate(header) if year.startswith("2025-26"))
    shown = shown_by_page(web, "orders_imposed", "2025-26")
    assert {row[0]: row[at] for row in rows if isinstance(row[at], int | float)} == {
        code: value for code, value in shown.items() if value is not None
    }
    assert {row[at] for row in rows if not isinstance(row[at], int | float)} <= {"[c]", "[x]", "[z]", "[a]", "[n]"}
    notes = {row[0].value for row in book["Notes"].iter_rows(min_row=4)}
    assert {"[c]", "[x]", "[z]"} <= notes


def test_the_open_document_says_the_same(unpacked: Path) -> None:
    book = load_workbook(unpacked / f"{NAME}-by-year.xlsx")
    other = load(unpacked / f"{NAME}-by-year.ods").spreadsheet.getElementsByType(Table)
    assert [sheet.getAttribute("name") for sheet in other] == book.sheetnames
    for sheet, page in zip(other, book.worksheets, strict=True):
        assert len(sheet.getElementsByType(TableRow)) == page.max_row, page.title


@pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")
def test_pyjstat_reads_the_cube(web: httpx.Client, unpacked: Path) -> None:
    from pyjstat import pyjstat

    text = (unpacked / f"{NAME}-by-year.jsonstat.json").read_text()
    frame = pyjstat.Dataset.read(text).write("dataframe", naming="id")
    chosen = frame[(frame["indicator"] == "placement_within_7") & (frame["year"] == "2025-26")]
    values = {row["area"]: row["value"] for _, row in chosen.iterrows() if row["area"] in AUTHORITIES}
    shown = shown_by_page(web, "placement_within_7", "2025-26")
    assert {code: value for code, value in values.items() if not math.isnan(value)} == {
        code: value for code, value in shown.items() if value is not None and code in AUTHORITIES
    }
    assert json.loads(text)["updated"].endswith("Z")


def test_the_feed_tells_of_each_release(site: Site, web: httpx.Client) -> None:
    feed = feedparser.parse(web.get("/releases/feed.atom").content)
    assert not feed.bozo
    announced, newest, earlier = feed.entries
    assert "Thursday 11 June 2026 at 9:30" in announced.title
    assert [each.id for each in (newest, earlier)] == [f"{site.url}/releases/{each}" for each in (RELEASE, EARLIER)]
    assert NOTICE in newest.summary
    assert WRONG in earlier.summary
    assert newest.published_parsed > earlier.published_parsed


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.usefixtures("unpacked")
def test_the_catalogue_names_every_file_with_its_licence(web: httpx.Client) -> None:
    graph = Graph().parse(data=web.get("/data/catalogue.jsonld").text, format="json-ld")
    datasets = set(graph.subjects(RDF.type, DCAT.Dataset))
    assert {str(graph.value(each, DCTERMS.identifier)) for each in datasets} == {RELEASE, EARLIER}
    for each in datasets:
        needed = (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.contactPoint, DCAT.theme, DCTERMS.spatial)
        assert all(graph.value(each, term) for term in needed)
    files = list(graph.subjects(RDF.type, DCAT.Distribution))
    assert len(files) > 20
    for each in files:
        assert graph.value(each, DCTERMS.license)
        assert graph.value(each, DCAT.downloadURL)
        assert graph.value(each, DCAT.mediaType)


@pytest.mark.usefixtures("unpacked")
def test_search_engines_find_the_release_as_a_data_set(web: httpx.Client) -> None:
    page = web.get(f"/releases/{RELEASE}").text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert found is not None
    told = json.loads(found[1])
    assert (told["@type"], told["identifier"], told["isAccessibleForFree"]) == ("Dataset", RELEASE, True)
    assert any(each["encodingFormat"] == "application/zip" for each in told["distribution"])


def test_every_link_of_a_release_keeps_the_release(web: httpx.Client) -> None:
    """Read through by its links, two clicks deep: nothing leads to the newest figures but what says so."""
    outside = ("/about", "/search", "/data", "/docs", "/sign-in", "/static/", "/openapi.json", "/v1/")
    seen, waiting = set[str](), [f"/releases/{EARLIER}/overview?period=year-2025-26"]
    for address in waiting:
        if address in seen or len(seen) > 25:
            continue
        seen.add(address)
        page = web.get(address)
        assert page.status_code == 200, address
        main = page.text.split('<main id="main-content"')[1].split("</main>")[0]
        links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)', main)]
        left = [link for link in links if not link.startswith((f"/releases/{EARLIER}", *outside))]
        assert left == [], address
        pages = [link for link in links if link.startswith(f"/releases/{EARLIER}/") and "/figures." not in link]
        waiting += [link for link in pages if "/files/" not in link][::7]
    assert any("/indicators/" in address for address in seen)


def test_an_old_address_with_the_release_in_its_query_leads_to_the_lasting_one(web: httpx.Client) -> None:
    answer = web.get(f"/indicators/orders_imposed?release={EARLIER}&period=year-2025-26")
    assert (answer.status_code, answer.headers["location"]) == (
        307,
        f"/releases/{EARLIER}/indicators/orders_imposed?period=year-2025-26",
    )


@pytest.mark.usefixtures("unpacked")
def test_others_may_ask_and_what_they_have_is_not_sent_again(web: httpx.Client) -> None:
    address = f"/releases/{RELEASE}/files/SHA256SUMS"
    whole = web.get(address, headers={"Origin": "https://elsewhere.example"})
    assert whole.headers["access-control-allow-origin"] == "*"
    assert whole.headers["etag"] == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    assert web.get(address, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    head = web.head(address)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", whole.headers["etag"])
    for path in ("/", "/v1/releases", f"/releases/{RELEASE}", "/data", "/sitemap.xml", "/nowhere"):
        assert web.head(path).status_code == web.get(path).status_code, path


def test_the_bulk_address_answers_in_the_format_asked_for(web: httpx.Client, unpacked: Path) -> None:
    parquet = web.get(f"/v1/releases/{RELEASE}/data", headers={"Accept": "application/vnd.apache.parquet"})
    assert parquet.content == (unpacked / f"{NAME}.parquet").read_bytes()
    assert web.get(f"/v1/releases/{RELEASE}/data", headers={"Accept": "image/png"}).status_code == 406
    assert web.get("/v1/releases/1999-01.1/data").status_code == 404


def test_what_pages_load_is_packed_and_kept_for_ever(web: httpx.Client) -> None:
    page = web.get("/")
    loaded = re.findall(r'href="(/static/[^"]+)"', page.text)
    assert len(loaded) >= 3
    sizes = {}
    for address in dict.fromkeys(loaded):
        with web.stream("GET", address) as answer:
            assert "immutable" in answer.headers["cache-control"]
            sizes[address] = sum(len(each) for each in answer.iter_raw())
    pages = {path: sent(web, path) for path in PAGES}
    assert {path: size for path, size in pages.items() if size >= NEXT_PAGE} == {}
    assert max(pages.values()) + sum(sizes.values()) < FIRST_VISIT
    assert web.get("/static/payback.css").status_code == 404


def sent(web: httpx.Client, path: str) -> int:
    """Return how many bytes of a page go over the wire."""
    with web.stream("GET", path) as answer:
        return sum(len(each) for each in answer.iter_raw())


def test_the_map_of_the_site_names_pages_that_are_there(web: httpx.Client) -> None:
    places = fromstring(web.get("/sitemap.xml").content)
    paths = [str(each.text).removeprefix(str(web.base_url).rstrip("/")) for each in places.iter(f"{SITEMAP}loc")]
    assert {f"/releases/{RELEASE}", f"/authorities/{HEARD[0]}", "/indicators/orders_imposed", "/data"} <= set(paths)
    one_of_each_kind = {path.rpartition("/")[0]: path for path in paths}
    assert len(one_of_each_kind) == 4
    for path in one_of_each_kind.values():
        assert web.get(path).status_code == 200, path


def test_the_api_says_who_answers_for_it_and_under_which_licence(web: httpx.Client) -> None:
    info = web.get("/openapi.json").json()["info"]
    assert info["license"]["identifier"] == "OGL-UK-3.0"
    assert info["contact"]["email"]
    assert "/v1/releases/{id}/data" in web.get("/docs").text
    areas = next(each for each in web.get("/v1/codes").json()["lists"] if each["id"] == "area")
    assert {each["code"] for each in areas["codes"]} >= set(AUTHORITIES)
