"""Several indicators in one answer: each row as a single answer has it, preceded by its indicator. In every format.

These functions take rows that have passed the gate; they cannot make any.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any, assert_never

import msgspec

from services.chassis import sheets
from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Answer
from services.reporting.figures.quality import Summary
from services.reporting.formats import writers
from services.reporting.formats.linked_names import Dimension
from services.reporting.formats.metadata import describe, describe_release
from services.reporting.formats.writers import COLUMNS, MEASURES, MediaType
from services.reporting.registry.areas import name_in

KEY = ("indicator", "authority", "period", "category")
TITLE = "Several indicators"
_ABOUT_INDICATOR = "Identifier of the indicator, which stays the same between releases"
_ABOUT_VERSION = "The version of its definition"


@dataclass(frozen=True, slots=True)
class Several:
    """The answers of each indicator, area by area."""

    answers: Sequence[Answer]
    quality: Summary

    @property
    def rows(self) -> Iterator[tuple[Answer, Row]]:
        """Yield each figure once, though areas may contain one another."""
        seen: set[tuple[str, ...]] = set()
        for answer in self.answers:
            for row in answer.rows:
                key = (answer.indicator.id, row.authority, row.period, row.category)
                if key not in seen:
                    seen.add(key)
                    yield answer, row

    @property
    def by_indicator(self) -> dict[str, Answer]:
        """Return the first answer of each indicator."""
        found: dict[str, Answer] = {}
        for each in self.answers:
            found.setdefault(each.indicator.id, each)
        return found

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """Return the meanings of the codes in the rows."""
        found: dict[str, Dimension] = {}
        for answer in self.answers:
            for name, each in writers.dimensions_of(answer).items():
                known = found.get(name, Dimension(each.property, {}))
                found[name] = Dimension(known.property, {**known.values, **each.values})
        return found


def render(several: Several, media_type: MediaType, address: str) -> bytes:
    """Return the answers in one of the formats. `address` is that of the CSV file, which its metadata name."""
    match media_type:
        case "application/json":
            return msgspec.json.encode(_json(several))
        case "text/csv":
            return _csv(several)
        case "application/csvm+json":
            return msgspec.json.encode(_csvw(several, address))
        case "application/vnd.json-stat+json":
            return msgspec.json.encode(_json_stat(several))
        case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
            return _xlsx(several)
        case _:
            assert_never(media_type)


def _json(several: Several) -> dict[str, Any]:
    first = several.answers[0]
    rows = [
        {"indicator": answer.indicator.id, **dict(zip(COLUMNS, astuple(row), strict=True))}
        for answer, row in several.rows
    ]
    return {
        "indicators": [describe(each.indicator) for each in several.by_indicator.values()],
        "from": f"{min(each.span.first for each in several.answers):%Y-%m}",
        "to": f"{max(each.span.last for each in several.answers):%Y-%m}",
        "live": any(each.live for each in several.answers),
        "as_of": first.question.as_of,
        "release": None if first.release is None else describe_release(first.release),
        "quality": several.quality,
        "dimensions": several.dimensions,
        "rows": rows,
    }


def _csv(several: Several) -> bytes:
    periods = several.dimensions["period"].values
    rows = [
        [answer.indicator.id, *astuple(row), periods[row.period].uri, answer.indicator.version]
        for answer, row in several.rows
    ]
    return sheets.as_csv([["indicator", *COLUMNS, "period_uri", "definition_version"], *rows]).encode()


def _csvw(several: Several, address: str) -> dict[str, Any]:
    found = writers.as_csvw(several.answers[0], address, several.quality)
    columns = [each for each in found["tableSchema"]["columns"] if each["name"] != "definition"]
    return found | {
        "dc:title": TITLE,
        "dc:description": "; ".join(each.indicator.title for each in several.by_indicator.values()),
        "notes": [{"quality": several.quality}],
        "tableSchema": {
            "columns": [
                _column("indicator", _ABOUT_INDICATOR, "string"),
                *columns,
                _column("definition_version", _ABOUT_VERSION, "integer"),
            ],
            "primaryKey": list(KEY),
        },
    }


def _column(name: str, about: str, kind: str) -> dict[str, Any]:
    return {"name": name, "titles": name, "dc:description": about, "datatype": kind, "required": True}


def _json_stat(several: Several) -> dict[str, Any]:
    """Return the cube with only its non-empty places, since most are empty."""
    known = several.dimensions
    titles = {name: each.indicator.title for name, each in several.by_indicator.items()}
    axes = [list(titles), *(list(each.values) for each in known.values()), list(MEASURES)]
    places = [{code: place for place, code in enumerate(axis)} for axis in axes]
    values: dict[str, float] = {}
    status: dict[str, str] = {}
    for answer, row in several.rows:
        at = 0
        for own, code in zip(places, (answer.indicator.id, row.authority, row.period, row.category), strict=False):
            at = at * len(own) + own[code]
        for place, name in enumerate(MEASURES):
            key, value = str(at * len(MEASURES) + place), getattr(row, name)
            if value is not None:
                values[key] = value
            if mark := writers.status_of(row):
                status[key] = mark
    release = several.answers[0].release
    return {
        "version": "2.0",
        "class": "dataset",
        "label": TITLE,
        "source": "Payback" if release is None else f"Payback, release {release.id}",
        "id": [*KEY, "figure"],
        "size": [len(axis) for axis in axes],
        "role": {"time": ["period"], "geo": ["authority"], "metric": ["figure"]},
        "dimension": {
            "indicator": {"label": "Indicator", "category": {"index": list(titles), "label": titles}},
            **{name: writers.json_stat_dimension(name, each) for name, each in known.items()},
            "figure": writers.json_stat_figures(),
        },
        "value": values,
        "extension": {"quality": several.quality, "status": {"label": writers.STATUS}},
        **({"status": status} if status else {}),
    }


def _xlsx(several: Several) -> bytes:
    from services.reporting.formats.book import as_workbook  # noqa: PLC0415 - see there

    titles = [(each.indicator.title, each.indicator.definition) for each in several.by_indicator.values()]
    about = writers.cover_of_figures(several.answers[0])
    rows = (
        [answer.indicator.id, answer.indicator.title, name_in(row.authority, row.period), *astuple(row)]
        for answer, row in several.rows
    )
    cover = [(TITLE,), *titles, *about, *writers.completeness(several.quality)]
    return as_workbook(cover, ["indicator", "title", "area", *COLUMNS], rows, several.dimensions)
