"""Names the files of a release, which services.reporting.files.making makes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from services.reporting.formats.metadata import notice_words
from services.reporting.formats.publisher import TITLE
from services.reporting.releases.index import ReleaseInfo

SUMS, NOTICES, CHANGES = "SHA256SUMS", "NOTICES.txt", "changes.csv"
CSV, PARQUET, ZIP = "text/csv", "application/vnd.apache.parquet", "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
JSON_STAT, CSVW, TEXT = "application/vnd.json-stat+json", "application/csvm+json", "text/plain; charset=utf-8"
Told = Callable[[int, int, str], object]


@dataclass(frozen=True, slots=True)
class File:
    """One file of a release."""

    name: str
    media_type: str
    title: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the hash of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Before:
    """The previous release, with which the figures are compared."""

    release: ReleaseInfo
    parquet: bytes | None
    """Its file of all figures; None if nobody has asked for its files yet."""


def stem(release: ReleaseInfo) -> str:
    """Return the beginning of file names."""
    return f"community-payback-{release.id}"


def name_of_all(release: ReleaseInfo) -> str:
    """Return the name of the file with all figures."""
    return f"{stem(release)}.parquet"


def notices(release: ReleaseInfo) -> str:
    """Return all notices of a release, as lines."""
    found = list(map(notice_words, release.notices)) or ["No notices."]
    return "\n".join([f"{TITLE}: release {release.id}", "", *found, ""])
