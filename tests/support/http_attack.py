"""What an audience can fetch, read by readers that are not ours, and an attacker who puts all of it together as an integer program."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from openpyxl import load_workbook
from pyjstat import pyjstat
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

MEASURES = ("numerator", "denominator", "value", "lower", "upper")


class Told(NamedTuple):
    """One row as it was fetched."""

    area: str
    period: str
    category: str
    numbers: Mapping[str, float]


def _row(row: Mapping[str, Any]) -> Told:
    numbers = {name: float(row[name]) for name in MEASURES if row[name] not in {None, ""}}
    return Told(row["authority"], row["period"], (row["category"] or "").removeprefix("all"), numbers)


def from_json(body: Any) -> Iterator[Told]:
    yield from (_row(row) for row in body["rows"])


def from_csv(text: str) -> Iterator[Told]:
    yield from (_row(row) for row in csv.DictReader(io.StringIO(text)))


def from_xlsx(content: bytes) -> Iterator[Told]:
    header, *lines = load_workbook(io.BytesIO(content))["Figures"].iter_rows(values_only=True)
    yield from (_row(dict(zip(header, line, strict=True))) for line in lines)  # type: ignore[arg-type]


def from_json_stat(text: str) -> Iterator[Told]:
    frame = pyjstat.Dataset.read(text).write("dataframe", naming="id")
    by_key: dict[tuple[str, ...], dict[str, Any]] = {}
    for area, period, category, name, value in frame.itertuples(index=False):
        known = value is not None and value == value  # noqa: PLR0124 - not a number
        by_key.setdefault((area, period, category), {})[name] = value if known else None
    for (area, period, category), numbers in by_key.items():
        yield _row({"authority": area, "period": period, "category": category} | numbers)


def from_tables(page: str) -> Iterator[tuple[str, ...]]:
    """The cells of every row of every table."""
    for line in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL):
        yield tuple(
            re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)
        )


def bars_of(chart: str) -> dict[str, float]:
    """Widths of the bars of a chart, by label."""
    found = re.findall(r'<text class="pb_label"[^>]*>([^<]*)</text>(<rect[^>]*width="([\d.]+)"|<text)', chart)
    return {label: float(width) for label, kind, width in found if kind.startswith("<rect")}


Cell = tuple[int, str, str, str]
"""Release, category, month, area."""


@dataclass
class Attacker:
    """Unknown is every cell of every release; rows say what sums of them are."""

    columns: dict[Cell, int]
    rows: list[tuple[dict[int, int], float, float]]

    def says(self, cells: Iterable[Cell], lowest: float, highest: float) -> None:
        """The sum of these cells lies between."""
        weights: dict[int, int] = {}
        for cell in cells:
            column = self.columns.setdefault(cell, len(self.columns))
            weights[column] = weights.get(column, 0) + 1
        self.rows.append((weights, lowest, highest))

    def adds_up(self, whole: Cell, parts: Iterable[Cell]) -> None:
        weights = {self.columns.setdefault(part, len(self.columns)): 1 for part in parts}
        weights[self.columns.setdefault(whole, len(self.columns))] = -1
        self.rows.append((weights, 0, 0))

    def range_of(self, cells: Iterable[Cell]) -> tuple[float, float]:
        """The least and the greatest that the sum of these cells can be."""
        size = len(self.columns)
        matrix = lil_matrix((len(self.rows), size))
        for index, (weights, _, _) in enumerate(self.rows):
            for column, weight in weights.items():
                matrix[index, column] = weight
        limits = LinearConstraint(matrix.tocsr(), [low for _, low, _ in self.rows], [high for *_, high in self.rows])
        goal = np.zeros(size)
        for cell in cells:
            goal[self.columns[cell]] += 1
        ends = []
        for sign in (1, -1):
            found = milp(sign * goal, constraints=limits, bounds=Bounds(0, 100_000), integrality=np.ones(size))
            assert found.status == 0, found.message
            ends.append(sign * float(found.fun))
        return ends[0], ends[1]
