"""Tidy rows as CSV with CSV on the Web metadata, a data dictionary, and Parquet."""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from services.chassis import sheets
from services.reporting.files import changed
from services.reporting.files.tidy import COLUMNS, DAY, KINDS, MEANINGS, NUMBER, TEXT, TRUTH, WHOLE, Tidy
from services.reporting.formats.linked_names import AREA_URI, REF_AREA
from services.reporting.formats.publisher import LICENCE, PUBLISHER, TITLE
from services.reporting.registry.indicators import Indicator
from services.reporting.releases.index import ReleaseInfo

_KEY = ("indicator", "area_code", "period_type", "period", "breakdown", "category_code")
_ARROW = {
    TEXT: pa.dictionary(pa.int32(), pa.string()),
    NUMBER: pa.float64(),
    DAY: pa.date32(),
    TRUTH: pa.bool_(),
    WHOLE: pa.int32(),
}
SCHEMA = pa.schema(
    [pa.field(name, _ARROW[KINDS[name]], metadata={"description": MEANINGS[name]}) for name in COLUMNS],
    metadata={"title": TITLE, "publisher": PUBLISHER, "licence": LICENCE.url},
)


def as_csv(rows: Sequence[Tidy]) -> bytes:
    """Return rows as CSV: RFC 4180 in UTF-8 with a header. An absent value is empty."""
    return sheets.as_csv([COLUMNS, *rows]).encode()


def as_table(rows: Sequence[Tidy]) -> pa.Table:
    """Return rows as a table for Parquet."""
    columns = zip(*rows, strict=True)
    return pa.Table.from_pydict(dict(zip(COLUMNS, map(list, columns), strict=True)), schema=SCHEMA)


def as_parquet(tables: Sequence[pa.Table]) -> bytes:
    """Return all rows in one file, with one row group for each indicator."""
    file = io.BytesIO()
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
    return file.getvalue()


def of_parquet(file: bytes) -> changed.Earlier:
    """Read the earlier figures from the previous release's file of all figures, in which each indicator has row groups of its own."""
    parquet, columns = pq.ParquetFile(io.BytesIO(file)), [*changed.KEY, *changed.Was._fields]
    groups: dict[str, list[int]] = defaultdict(list)
    for group in range(parquet.num_row_groups):
        for name in parquet.read_row_group(group, columns=["indicator"]).column(0).slice(0, 1).to_pylist():
            groups[name].append(group)

    def figures(indicator: Indicator) -> Mapping[changed.Key, changed.Was]:
        found = parquet.read_row_groups(groups[indicator.id], columns=columns)
        rows = zip(*(found.column(name).to_pylist() for name in columns), strict=True)
        return {row[: len(changed.KEY)]: changed.Was(*row[len(changed.KEY) :]) for row in rows}

    return figures


def csv_metadata(release: ReleaseInfo, indicators: Mapping[str, Indicator], changes: str | None = None) -> bytes:
    """Return one description of all CSV files: W3C Metadata Vocabulary for Tabular Data. Keys are addresses beside it, also that of
    `changes`.
    """
    tables = [_table(address, indicator) for address, indicator in indicators.items()]
    tables += [_table_of_changes(changes)] if changes else []
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
                "dc:title": f"{TITLE}: release {release.id}",
                "dc:publisher": PUBLISHER,
                "dc:license": {"@id": LICENCE.url},
                "dc:issued": None if release.published_at is None else f"{release.published_at:%Y-%m-%d}",
                "tables": tables,
            }
        ),
        indent=1,
    )


def _table(address: str, indicator: Indicator) -> dict[str, Any]:
    return {
        "url": address,
        "dc:title": indicator.title,
        "dc:description": indicator.definition,
        "tableSchema": {"columns": [_column(name) for name in COLUMNS], "primaryKey": list(_KEY)},
    }


def _table_of_changes(address: str) -> dict[str, Any]:
    columns = [
        {
            "name": name,
            "titles": name,
            "dc:description": changed.meaning_of(name),
            "datatype": changed.kind_of(name),
            **({"null": ""} if changed.kind_of(name) == NUMBER else {"null": "NULL"}),
        }
        for name in changed.COLUMNS
    ]
    return {
        "url": address,
        "dc:title": "Figures that changed since the release before, and why",
        "tableSchema": {"columns": columns, "primaryKey": list(_KEY)},
    }


def _column(name: str) -> dict[str, Any]:
    linked = {"propertyUrl": REF_AREA, "valueUrl": AREA_URI.replace("{authority}", "{area_code}")}
    return {
        "name": name,
        "titles": name,
        "dc:description": MEANINGS[name],
        "datatype": KINDS[name],
        # An empty text is a value in some columns (no category, no mark), and a missing one in others.
        **({"null": ""} if KINDS[name] == NUMBER else {"null": "NULL"}),
        **(linked if name == "area_code" else {}),
    }


def dictionary() -> bytes:
    """Return what each column of the CSV and Parquet files holds."""
    return sheets.as_csv(
        [("column", "type", "meaning"), *((name, KINDS[name], MEANINGS[name]) for name in COLUMNS)]
    ).encode()


def definitions(indicators: Sequence[Indicator]) -> bytes:
    """Return what each indicator measures, by the definition that the release froze."""
    header = ("indicator", "title", "theme", "unit", "definition", "leaves_out", "standard", "note", "version")
    rows = [
        (e.id, e.title, e.theme, e.unit, e.definition, e.exclusions, e.standard or "", e.note or "", e.version)
        for e in indicators
    ]
    return sheets.as_csv([header, *rows]).encode()
