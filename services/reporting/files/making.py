"""Makes all files of a release, and the archive of all of them. It imports 32 MB that few processes need."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from contracts.periods import LONDON
from services.reporting.figures.answers import Enquiry
from services.reporting.files import changed, plain
from services.reporting.files.bundle import (
    CHANGES,
    CSV,
    CSVW,
    JSON_STAT,
    NOTICES,
    ODS,
    PARQUET,
    SUMS,
    TEXT,
    XLSX,
    ZIP,
    Before,
    File,
    Told,
    name_of_all,
    stem,
)
from services.reporting.files.json_stat import as_json_stat
from services.reporting.files.ods import as_ods
from services.reporting.files.tidy import Tidy, public_indicators, tidy
from services.reporting.files.workbook import workbook
from services.reporting.files.xlsx import as_xlsx
from services.reporting.formats.metadata import notice_words
from services.reporting.formats.publisher import LICENCE, PUBLISHER, TITLE, bibtex, citation
from services.reporting.registry.indicators import Indicator
from services.reporting.releases.between import published_moves
from services.reporting.releases.index import ReleaseInfo


def files_of(
    enquiry: Enquiry, release: ReleaseInfo, before: Before | None = None, told: Told = lambda *_: None
) -> list[File]:
    """Return all files, as the public sees the release. `told` is called with the progress."""
    indicators = public_indicators(release)
    found: list[tuple[Indicator, list[Tidy]]] = []
    for done, indicator in enumerate(indicators):
        told(done, len(indicators), indicator.title)
        rows = list(tidy(enquiry, release, indicator))
        if any(row.value is not None for row in rows):  # an indicator whose figures are never shown has no table
            found.append((indicator, rows))
    moved = [] if before is None else [_changes(enquiry, release, before, found)]
    files = [*for_people(release, found), *_for_programs(release, found, with_changes=bool(moved)), *moved]
    inside = [*files, *_beside(release)]
    sums = File(SUMS, TEXT, "Hashes of all files, for checking them", _sums(inside))
    return [*_zip(release, [*inside, sums]), *inside, sums]


def for_people(release: ReleaseInfo, found: Sequence[tuple[Indicator, Sequence[Tidy]]]) -> Iterator[File]:
    """Yield the workbooks."""
    sheets, name = workbook(release, found), stem(release)
    made, title = release.published_at or release.made_at, f"{TITLE}: release {release.id}"
    excel, open_document = (_dated(each, made) for each in (as_xlsx(title, made, sheets), as_ods(title, sheets)))
    yield File(f"{name}-by-year.xlsx", XLSX, "Workbook of yearly figures, Excel", excel)
    yield File(f"{name}-by-year.ods", ODS, "Workbook of yearly figures, OpenDocument", open_document)


def _for_programs(
    release: ReleaseInfo, found: Sequence[tuple[Indicator, Sequence[Tidy]]], *, with_changes: bool
) -> Iterator[File]:
    name = stem(release)
    tables = [plain.as_table(rows) for _, rows in found]
    yield File(name_of_all(release), PARQUET, "All figures, Parquet", plain.as_parquet(tables))
    yield File(f"{name}-by-year.jsonstat.json", JSON_STAT, "Yearly figures, JSON-stat 2", as_json_stat(release, found))
    for indicator, rows in found:
        yield File(f"data/{indicator.id}.csv", CSV, f"{indicator.title}, CSV", plain.as_csv(rows))
    addresses = {f"data/{indicator.id}.csv": indicator for indicator, _ in found}
    metadata = plain.csv_metadata(release, addresses, changes=CHANGES if with_changes else None)
    yield File("csv-metadata.json", CSVW, "Description of all CSV files", metadata)
    yield File("data-dictionary.csv", CSV, "What each column holds", plain.dictionary())
    yield File("indicators.csv", CSV, "What each indicator measures", plain.definitions([i for i, _ in found]))


def _changes(
    enquiry: Enquiry, release: ReleaseInfo, before: Before, found: Sequence[tuple[Indicator, Sequence[Tidy]]]
) -> File:
    moves = published_moves(enquiry.connection, before.release, release)
    moved = changed.changed(before.release, _figures_of(enquiry, before), found, moves)
    title = f"Figures that changed since release {before.release.id}, and why, CSV"
    return File(CHANGES, CSV, title, changed.as_csv(before.release, moved))


def _figures_of(enquiry: Enquiry, before: Before) -> changed.Earlier:
    """Return the figures of the previous release, made again if there is no file of them."""
    if before.parquet is not None:
        return plain.of_parquet(before.parquet)
    enquiry.reads(before.release)
    definitions = {each.id: each for each in public_indicators(before.release)}

    def figures(indicator: Indicator) -> Mapping[changed.Key, changed.Was]:
        then = definitions.get(indicator.id)
        return {} if then is None else changed.of_rows(tidy(enquiry, before.release, then))

    return figures


def _beside(release: ReleaseInfo) -> Iterator[File]:
    published = (release.published_at or release.made_at).astimezone(LONDON).date()
    lines = (
        f"{TITLE}: release {release.id}",
        "",
        f"Publisher: {PUBLISHER}",
        f"Licence: {LICENCE.name}, {LICENCE.url}",
        f"Cite as: {citation(release.id, published)}",
        "",
        "data/ has one CSV file for each indicator, described by csv-metadata.json (CSV on the Web) and",
        "data-dictionary.csv. The Parquet file has all of them. The workbooks are for reading.",
        f"{CHANGES} has each figure that is another than in the release before, and why. The first release has none.",
        "",
        f"Check that nothing changed on the way: sha256sum -c {SUMS}",
        "",
        *_notices(release),
    )
    yield File("README.txt", TEXT, "What is in the files", "\n".join(lines).encode())
    yield File("citation.bib", "application/x-bibtex", "Citation, BibTeX", bibtex(release.id, published).encode())


def _notices(release: ReleaseInfo) -> list[str]:
    """Return the notices at the time when the files were made; later ones are at an address beside the files."""
    later = (
        f"Later notices about this release are on the publisher's site, under /releases/{release.id}/files/{NOTICES}"
    )
    return [*map(notice_words, release.notices), later, ""]


def _sums(files: Sequence[File]) -> bytes:
    """Return hashes in the form that `sha256sum` writes and checks."""
    return "".join(f"{each.sha256}  {each.name}\n" for each in sorted(files, key=lambda each: each.name)).encode()


def _zip(release: ReleaseInfo, files: Sequence[File]) -> Iterator[File]:
    packed, made = io.BytesIO(), release.published_at or release.made_at
    with zipfile.ZipFile(packed, "w") as archive:
        for each in files:
            archive.writestr(_member(each.name, made), each.content)
    yield File(f"{stem(release)}.zip", ZIP, "Everything in one file", packed.getvalue())


def _dated(workbook: bytes, made: datetime) -> bytes:
    """Return the same workbook, which is a ZIP, with this time on each part, so that files of the same figures are equal to the byte."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(packed, "w") as new:
        for part in old.infolist():
            new.writestr(_member(part.filename, made, part.compress_type), old.read(part))
    return packed.getvalue()


def _member(name: str, made: datetime, compressed: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, made.astimezone(UTC).timetuple()[:6])
    info.compress_type, info.external_attr = compressed, 0o644 << 16
    return info
