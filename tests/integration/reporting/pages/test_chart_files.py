"""Charts as files: whole drawings that say what they show, of the same release as the page that they are on."""

import re
import xml.etree.ElementTree as ET
import zlib
from struct import unpack

import pytest
from fastapi.testclient import TestClient

from services.chassis.web import charts
from services.chassis.web.pictures import Picture, as_png
from tests.integration.reporting.nation import database_settings, published, released_nation

__all__ = ["database_settings", "published", "released_nation"]

SVG = "{http://www.w3.org/2000/svg}"
INDICATOR, COMPARE = "/indicators/placement_within_7", "/compare/first_contact_within_1"
CHARTS = pytest.mark.parametrize(
    "page", [INDICATOR, COMPARE, f"/releases/2026-03.1{INDICATOR}", f"/releases/2026-03.1{COMPARE}"]
)


@CHARTS
def test_an_svg_says_what_it_shows_and_needs_nothing_else(published: TestClient, page: str) -> None:
    answer = published.get(f"{page}/chart.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    drawing = ET.fromstring(answer.content)
    title, said = (drawing.findtext(f"{SVG}{name}", "") for name in ("title", "desc"))
    words = " ".join("".join(each.itertext()) for each in drawing.iter(f"{SVG}text"))
    assert title.split(",")[0] in words
    assert re.search(r"\d", said)
    assert "release 2026-03.1" in words
    assert "Open Government Licence" in words
    assert not re.search(rb"href|var\(|<script|url\(", answer.content)


@CHARTS
def test_a_png_is_the_same_in_pixels(published: TestClient, page: str) -> None:
    drawing = ET.fromstring(published.get(f"{page}/chart.svg").content)
    answer = published.get(f"{page}/chart.png")
    assert answer.headers["content-type"] == "image/png"
    found = chunks(answer.content)
    assert unpack(">II", found["IHDR"][:8])[0] == 2 * float(drawing.get("width", 0))
    assert b"Title" in found["iTXt"] or b"Description" in found["iTXt"]
    pixels = zlib.decompress(found["IDAT"])
    assert len({pixels[i : i + 4] for i in range(0, len(pixels), 4)}) > 50  # it is no empty sheet


def chunks(png: bytes) -> dict[str, bytes]:
    """Return the chunks by kind, those of one kind together; each with its checksum as it should be."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, dict[str, bytes]()
    while at < len(png):
        (length,) = unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        found[kind.decode()] = found.get(kind.decode(), b"") + content
        at += 12 + length
    return found


def test_letters_are_drawn_without_any_font_of_the_machine() -> None:
    """As in a container: two titles make two pictures."""
    drawing = charts.line("A line", [charts.Point("March", 40.0), charts.Point("April", 50.0)], "percent")
    one, other = (chunks(as_png(Picture(drawing, title, "A line", ())))["IDAT"] for title in ("Placement", "Induction"))
    assert one != other


@CHARTS
def test_the_page_leads_to_its_charts(published: TestClient, page: str) -> None:
    html = published.get(page).text
    for extension in ("svg", "png"):
        (address,) = set(re.findall(rf'href="({page}/chart\.{extension}[^"]*)"', html))
        answer = published.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert re.search(rf"payback-.+-2026-03\.1\.{extension}", answer.headers["content-disposition"])
        assert ("max-age" in answer.headers["cache-control"]) is page.startswith("/releases/")


@pytest.mark.parametrize(
    "path",
    [
        "/indicators/nothing/chart.svg",
        f"{INDICATOR}/chart.gif",
        f"{INDICATOR}/chart.svg?area=S99",
        "/compare/orders_imposed/chart.svg",
        f"/releases/2020-01.1{INDICATOR}/chart.svg",
    ],
)
def test_what_is_not_there_is_not_found(published: TestClient, path: str) -> None:
    assert published.get(path).status_code == 404
