"""Rows of figures, read by readers that are not ours."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openpyxl import load_workbook

MEASURES = ("numerator", "denominator", "value", "lower", "upper")


class Told(NamedTuple):
    """One row as it was fetched."""

    area: str
    period: str
    category: str
    numbers: Mapping[str, float]
    suppressed: bool


def _row(row: Mapping[str, Any]) -> Told:
    numbers = {name: float(row[name]) for name in MEASURES if row[name] not in {None, ""}}
    suppressed = row.get("suppressed") in {True, "true"}
    return Told(row["authority"], row["period"], (row["category"] or "").removeprefix("all"), numbers, suppressed)


def from_json(body: Any) -> Iterator[Told]:
    yield from (_row(row) for row in body["rows"])


def from_csv(text: str) -> Iterator[Told]:
    yield from (_row(row) for row in csv.DictReader(io.StringIO(text)))


def from_xlsx(content: bytes) -> Iterator[Told]:
    header, *lines = load_workbook(io.BytesIO(content))["Figures"].iter_rows(values_only=True)
    yield from (_row(dict(zip(header, line, strict=True))) for line in lines)  # type: ignore[arg-type]


def from_json_stat(text: str) -> Iterator[Told]:
    from pyjstat import pyjstat

    hidden = {place for place, mark in json.loads(text).get("status", {}).items() if mark in {"c", "a", "n"}}
    frame = pyjstat.Dataset.read(text).write("dataframe", naming="id")
    by_key: dict[tuple[str, ...], dict[str, Any]] = {}
    for place, (area, period, category, name, value) in enumerate(frame.itertuples(index=False)):
        known = value is not None and value == value  # noqa: PLR0124 - not a number
        row = by_key.setdefault((area, period, category), {"suppressed": str(place) in hidden})
        row[name] = value if known else None
    for (area, period, category), numbers in by_key.items():
        yield _row({"authority": area, "period": period, "category": category} | numbers)


def from_tables(page: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of every row of every table."""
    for line in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL):
        yield tuple(
            re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)
        )
