"""The catalogue of releases is what DCAT-AP asks for, by the shapes that the European Union publishes."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyshacl import validate
from rdflib import Graph

from services.reporting.files.data_catalogue import dcat
from services.reporting.files.store import Listed
from services.reporting.releases.index import PUBLISHED, ReleaseInfo

# rdflib and pyshacl warn of their own older names
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SHAPES = Path(__file__).parents[3] / "reference" / "dcat-ap" / "dcat-ap-SHACL-3.0.1.ttl.gz"
MADE = datetime(2026, 5, 10, 9, tzinfo=UTC)
CSV = Listed("data/orders_imposed.csv", "text/csv; charset=utf-8", "Orders imposed", "0" * 64, 1000)
ZIP = Listed("community-payback-2026-03.1.zip", "application/zip", "Everything", "1" * 64, 90_000)


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return Graph().parse(data=gzip.decompress(SHAPES.read_bytes()), format="turtle")


def catalogue() -> dict[str, Any]:
    releases = [
        ReleaseInfo(name, PUBLISHED, date(2026, 3, 1), date(2026, 5, 8), "", MADE, MADE, None, (), {})
        for name in ("2026-03.2", "2026-03.1")
    ]
    return dcat("https://figures.example", releases, {each.id: [ZIP, CSV] for each in releases})


def conforms(document: dict[str, Any], shapes: Graph) -> tuple[bool, str]:
    graph = Graph().parse(data=msgspec.json.encode(document), format="json-ld")
    found, _, told = validate(graph, shacl_graph=shapes)
    return bool(found), str(told)


def test_it_conforms(shapes: Graph) -> None:
    found, told = conforms(catalogue(), shapes)
    assert found, told


@pytest.mark.parametrize("lacking", ["dct:title", "dct:description", "dcat:mediaType", "spdx:checksum"])
def test_what_is_wrong_is_found(shapes: Graph, lacking: str) -> None:
    """Else the shapes would check nothing."""
    document = catalogue()
    for each in document["@graph"]:
        if lacking in each:
            each[lacking] = {"@id": "https://figures.example/nothing"}
    assert not conforms(document, shapes)[0]
