"""The catalogue of releases for other catalogues: DCAT-AP 3, and schema.org for search engines, both as JSON-LD."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from contracts.periods import last_day
from services.reporting.files.store import Listed
from services.reporting.formats.metadata import notice_words
from services.reporting.formats.publisher import CONTACT, LICENCE, PUBLISHER, TITLE
from services.reporting.releases.index import ReleaseInfo

Document = dict[str, Any]
_SCOTLAND = "http://statistics.gov.scot/id/statistical-geography/S92000003"
_THEME = "http://publications.europa.eu/resource/authority/data-theme/JUST"
_MONTHLY = "http://publications.europa.eu/resource/authority/frequency/MONTHLY"
_ENGLISH = "http://publications.europa.eu/resource/authority/language/ENG"
_STATUS = "http://publications.europa.eu/resource/authority/dataset-status"
_COMPLETED, _WITHDRAWN = f"{_STATUS}/COMPLETED", f"{_STATUS}/WITHDRAWN"
_CONCEPTS = {
    _THEME: "Justice, legal system and public safety",
    _COMPLETED: "Completed",
    _WITHDRAWN: "Withdrawn",
}
_SHA_256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
_CONTEXT = {
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "adms": "http://www.w3.org/ns/adms#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_DESCRIPTION = (
    "How community payback orders in Scotland are carried out: orders imposed and ended, unpaid work, national standards and "
    "outcomes, for Scotland and its local authorities, by month, quarter and year."
)
_KEYWORDS = ("community payback orders", "unpaid work", "justice social work", "Scotland", "sentencing")
Files = Mapping[str, Sequence[Listed]]
"""The files of each release, by its name."""


def dcat(site: str, releases: Sequence[ReleaseInfo], files: Files) -> Document:
    """Return a catalogue of one series, whose members are the releases."""
    series = f"{site}/data#series"
    return {
        "@context": _CONTEXT,
        "@graph": [
            _catalogue(site, series, [_address(site, each) for each in releases]),
            _series(site, series),
            {"@id": f"{site}/#publisher", "@type": "foaf:Agent", "foaf:name": PUBLISHER},
            *(_dataset(site, each, series, files.get(each.id, ())) for each in releases),
            *(_distribution(site, each, file) for each in releases for file in files.get(each.id, ())),
            *_what_is_named(site, releases, files),
        ],
    }


def _what_is_named(site: str, releases: Sequence[ReleaseInfo], files: Files) -> Iterator[Document]:
    """Yield the kind of each external address: DCAT-AP requires it, and a reader need not fetch the address to know."""
    kinds = dict.fromkeys(_media_type(file) for each in releases for file in files.get(each.id, ()))
    pages = (f"{site}/", *(_page(site, each) for each in releases))
    named = {
        LICENCE.url: "dct:LicenseDocument",
        _SCOTLAND: "dct:Location",
        _ENGLISH: "dct:LinguisticSystem",
        _MONTHLY: "dct:Frequency",
        _SHA_256: "spdx:ChecksumAlgorithm",
        **dict.fromkeys(kinds, "dct:MediaType"),
        **dict.fromkeys(pages, "foaf:Document"),
    }
    yield from ({"@id": address, "@type": kind} for address, kind in named.items())
    yield from (
        {"@id": address, "@type": "skos:Concept", "skos:prefLabel": _english(label)}
        for address, label in _CONCEPTS.items()
    )


def _catalogue(site: str, series: str, datasets: Sequence[str]) -> Document:
    return {
        "@id": f"{site}/data",
        "@type": "dcat:Catalog",
        **_told(site, TITLE),
        "dct:license": {"@id": LICENCE.url},
        "dct:language": {"@id": _ENGLISH},
        "foaf:homepage": {"@id": f"{site}/"},
        "dcat:resource": {"@id": series},
        "dcat:dataset": [{"@id": each} for each in datasets],
    }


def _series(site: str, address: str) -> Document:
    return {
        "@id": address,
        "@type": "dcat:DatasetSeries",
        **_told(site, TITLE),
        "dct:accrualPeriodicity": {"@id": _MONTHLY},
        "dct:spatial": {"@id": _SCOTLAND},
    }


def _dataset(site: str, release: ReleaseInfo, series: str, files: Sequence[Listed]) -> Document:
    assert release.published_at is not None
    return {
        "@id": _address(site, release),
        "@type": "dcat:Dataset",
        **_told(site, f"{TITLE}: release {release.id}"),
        "dct:identifier": release.id,
        "dct:issued": _day(release.published_at.date()),
        "dct:language": {"@id": _ENGLISH},
        "dct:spatial": {"@id": _SCOTLAND},
        "dct:temporal": {"@type": "dct:PeriodOfTime", "dcat:endDate": _day(last_day(release.last_month))},
        "dct:accrualPeriodicity": {"@id": _MONTHLY},
        "dcat:theme": {"@id": _THEME},
        "dcat:keyword": [_english(each) for each in _KEYWORDS],
        "dcat:landingPage": {"@id": _page(site, release)},
        "dcat:contactPoint": {
            "@type": ["vcard:Kind", "vcard:Organization"],
            "vcard:fn": PUBLISHER,
            "vcard:hasEmail": {"@id": f"mailto:{CONTACT}"},
        },
        "dcat:inSeries": {"@id": series},
        "dcat:version": release.id,
        **_in_its_line(site, release),
        "dcat:distribution": [{"@id": _file(site, release, each)} for each in files],
    }


def _in_its_line(site: str, release: ReleaseInfo) -> Document:
    """Return what the release corrects, what corrects it, its notices, and whether its figures are still shown."""
    replaced = [{"@id": f"{site}/releases/{each}"} for each in release.corrects]
    replacing = [{"@id": f"{site}/releases/{release.corrected_by}"}] if release.corrected_by else []
    found: Document = {
        "dct:replaces": replaced,
        "dcat:previousVersion": replaced,
        "dct:isReplacedBy": replacing,
        "adms:versionNotes": [_english(notice_words(each)) for each in release.notices],
        "adms:status": {"@id": _WITHDRAWN if release.withdrawn_at else _COMPLETED},
    }
    return {term: value for term, value in found.items() if value}


def _distribution(site: str, release: ReleaseInfo, file: Listed) -> Document:
    address = _file(site, release, file)
    return {
        "@id": address,
        "@type": "dcat:Distribution",
        "dct:title": _english(file.title),
        "dcat:accessURL": {"@id": _address(site, release)},
        "dcat:downloadURL": {"@id": address},
        "dcat:mediaType": {"@id": _media_type(file)},
        "dcat:byteSize": {"@value": f"{file.size}", "@type": "xsd:nonNegativeInteger"},
        "dct:license": {"@id": LICENCE.url},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": _SHA_256},
            "spdx:checksumValue": {"@value": file.sha256, "@type": "xsd:hexBinary"},
        },
    }


def _media_type(file: Listed) -> str:
    return f"https://www.iana.org/assignments/media-types/{file.media_type.split(';')[0]}"


def _page(site: str, release: ReleaseInfo) -> str:
    """Return the address of a release's first page."""
    return f"{_address(site, release)}/overview"


def schema_org(site: str, release: ReleaseInfo, files: Sequence[Listed]) -> Document:
    """Return one release in the form that search engines for data sets read."""
    assert release.published_at is not None
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": _address(site, release),
        "url": _address(site, release),
        "name": f"{TITLE}: release {release.id}",
        "description": _DESCRIPTION,
        "identifier": release.id,
        "version": release.id,
        **({"correction": f"{site}/releases/{release.corrected_by}"} if release.corrected_by else {}),
        "datePublished": f"{release.published_at:%Y-%m-%d}",
        "license": LICENCE.url,
        "isAccessibleForFree": True,
        "keywords": list(_KEYWORDS),
        "creator": {"@type": "Organization", "name": PUBLISHER, "email": CONTACT},
        "publisher": {"@type": "Organization", "name": PUBLISHER},
        "spatialCoverage": {"@type": "Place", "name": "Scotland", "sameAs": _SCOTLAND},
        "temporalCoverage": f"../{last_day(release.last_month)}",
        "includedInDataCatalog": {"@type": "DataCatalog", "name": TITLE, "url": f"{site}/data"},
        "distribution": [
            {
                "@type": "DataDownload",
                "name": each.title,
                "contentUrl": _file(site, release, each),
                "encodingFormat": each.media_type.split(";")[0],
                "sha256": each.sha256,
            }
            for each in files
        ],
    }


def _told(site: str, title: str) -> Document:
    return {
        "dct:title": _english(title),
        "dct:description": _english(_DESCRIPTION),
        "dct:publisher": {"@id": f"{site}/#publisher"},
    }


def _address(site: str, release: ReleaseInfo) -> str:
    return f"{site}/releases/{release.id}"


def _file(site: str, release: ReleaseInfo, file: Listed) -> str:
    return f"{_address(site, release)}/files/{file.name}"


def _english(words: str) -> Document:
    return {"@value": words, "@language": "en"}


def _day(day: date) -> Document:
    return {"@value": day.isoformat(), "@type": "xsd:date"}
