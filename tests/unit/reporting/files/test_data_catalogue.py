"""The catalogue of releases is what DCAT-AP asks for, by the shapes that the European Union publishes."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyshacl import validate
from rdflib import DCAT, DCTERMS, Graph, Namespace, URIRef

from services.reporting.files.data_catalogue import dcat
from services.reporting.files.store import Listed
from services.reporting.releases.index import PUBLISHED, WITHDRAWN, ReleaseInfo
from services.reporting.releases.notices import Notice, NoticeKind

# rdflib and pyshacl warn of their own older names
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ADMS = Namespace("http://www.w3.org/ns/adms#")
SHAPES = Path(__file__).parents[3] / "reference" / "dcat-ap" / "dcat-ap-SHACL-3.0.1.ttl.gz"
MADE = datetime(2026, 5, 10, 9, tzinfo=UTC)
CSV = Listed("data/orders_imposed.csv", "text/csv; charset=utf-8", "Orders imposed", "0" * 64, 1000)
ZIP = Listed("community-payback-2026-03.1.zip", "application/zip", "Everything", "1" * 64, 90_000)


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return Graph().parse(data=gzip.decompress(SHAPES.read_bytes()), format="turtle")


WRONG = Notice("2026-03.1", MADE, NoticeKind.CORRECTION, "Reviews were counted twice", "ann", "2026-03.2")
GONE = Notice("2026-03.1", MADE, NoticeKind.WITHDRAWAL, "Nobody should use it", "ann")


def release(name: str, withdrawn_at: datetime | None, *notices: Notice) -> ReleaseInfo:
    status = WITHDRAWN if withdrawn_at else PUBLISHED
    return ReleaseInfo(name, status, date(2026, 3, 1), date(2026, 5, 8), "", MADE, MADE, withdrawn_at, notices, {})


def catalogue() -> dict[str, Any]:
    """Return the catalogue of a release that was corrected and withdrawn, and of the one that has it right."""
    releases = [release("2026-03.2", None, WRONG), release("2026-03.1", MADE, WRONG, GONE)]
    return dcat("https://figures.example", releases, {each.id: [ZIP, CSV] for each in releases})


def conforms(document: dict[str, Any], shapes: Graph) -> tuple[bool, str]:
    graph = Graph().parse(data=msgspec.json.encode(document), format="json-ld")
    found, _, told = validate(graph, shacl_graph=shapes)
    return bool(found), str(told)


def test_it_conforms(shapes: Graph) -> None:
    found, told = conforms(catalogue(), shapes)
    assert found, told


def test_a_correction_and_what_it_corrects_lead_to_each_other() -> None:
    graph = Graph().parse(data=msgspec.json.encode(catalogue()), format="json-ld")
    wrong, right = (URIRef(f"https://figures.example/releases/{name}") for name in ("2026-03.1", "2026-03.2"))
    assert list(graph.subject_objects(DCTERMS.replaces)) == [(right, wrong)]
    assert list(graph.subject_objects(DCTERMS.isReplacedBy)) == [(wrong, right)]
    assert graph.value(right, URIRef(f"{DCAT}previousVersion")) == wrong
    notes = {each: sorted(map(str, graph.objects(each, ADMS.versionNotes))) for each in (wrong, right)}
    assert ["counted twice" in note for note in notes[right]] == [True]
    assert ["counted twice" in note or "Nobody" in note for note in notes[wrong]] == [True, True]
    statuses = {each: str(graph.value(each, ADMS.status)).rpartition("/")[2] for each in (wrong, right)}
    assert statuses == {wrong: "WITHDRAWN", right: "COMPLETED"}


@pytest.mark.parametrize("lacking", ["dct:title", "dct:description", "dcat:mediaType", "spdx:checksum"])
def test_what_is_wrong_is_found(shapes: Graph, lacking: str) -> None:
    """Else the shapes would check nothing."""
    document = catalogue()
    for each in document["@graph"]:
        if lacking in each:
            each[lacking] = {"@id": "https://figures.example/nothing"}
    assert not conforms(document, shapes)[0]
