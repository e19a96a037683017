"""One answer in each format: JSON, CSV with its CSV-on-the-Web metadata, JSON-stat 2, XLSX. The same rows in each.

These functions take rows that have passed the gate; they cannot make any.
"""

from collections.abc import Iterator
from dataclasses import astuple, fields
from typing import Any, Final, Literal, assert_never

import msgspec

from services.chassis import sheets
from services.reporting.disclosure.gate import Row, Why
from services.reporting.figures.answers import Answer
from services.reporting.figures.evidence import DOUBTS
from services.reporting.figures.quality import Quality, State, Summary
from services.reporting.formats.linked_names import AREA_URI, REF_AREA, REF_PERIOD, Codes, Dimension, dimensions
from services.reporting.formats.metadata import describe, describe_release, provisional_words
from services.reporting.registry.areas import AREA_NAMES, name_in
from services.reporting.registry.indicators import Indicator, Status

JSON: Final = "application/json"
CSV: Final = "text/csv"
CSVW: Final = "application/csvm+json"
JSON_STAT: Final = "application/vnd.json-stat+json"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MediaType = Literal[
    "application/json",
    "text/csv",
    "application/csvm+json",
    "application/vnd.json-stat+json",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
]

EXTENSIONS: dict[str, MediaType] = {
    "json": JSON,
    "csv": CSV,
    "csv-metadata.json": CSVW,
    "jsonstat": JSON_STAT,
    "xlsx": XLSX,
}
COLUMNS = tuple(field.name for field in fields(Row))
_DIMENSIONS = ("authority", "period", "category")
MEASURES = ("numerator", "denominator", "value", "lower", "upper")
_MARKS = ("suppressed", "provisional", "partial")
TITLES = {
    "authority": "Code of the area",
    "period": "Month, quarter, year or span",
    "category": "Category of the breakdown; empty for all",
    "numerator": "Numerator",
    "denominator": "Denominator",
    "value": "Value",
    "lower": "Lower end of the 95% interval",
    "upper": "Upper end of the 95% interval",
    "suppressed": "Whether the figures are not shown",
    "why": "Why the figures are not shown",
    "provisional": "Whether something that would count in the period can still happen",
    "partial": "Whether the figures are of only part of the period",
    "period_uri": "The period as linked data",
    "definition": "The definition, if it is not the one in force",
}


def render(answer: Answer, media_type: MediaType, address: str, quality: Quality | None) -> bytes:
    """Return the answer in one of the formats. `address` is that of the CSV file, which its metadata name.

    CSV has no place for the quality, so only there may it be None.
    """
    if media_type == "text/csv":
        return as_csv(answer)
    assert quality is not None, f"{media_type} states the quality of its figures"
    match media_type:
        case "application/json":
            return msgspec.json.encode(as_json(answer, quality))
        case "application/csvm+json":
            return msgspec.json.encode(as_csvw(answer, address, quality))
        case "application/vnd.json-stat+json":
            return msgspec.json.encode(as_json_stat(answer, quality))
        case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
            return as_xlsx(answer, quality)
        case _:
            assert_never(media_type)


def as_json(answer: Answer, quality: Quality) -> dict[str, Any]:
    """Return the definition, the origin of the figures, quality, and rows."""
    return {
        "indicator": describe(answer.indicator),
        "from": f"{answer.span.first:%Y-%m}",
        "to": f"{answer.span.last:%Y-%m}",
        "live": answer.live,
        "as_of": answer.question.as_of,
        "release": None if answer.release is None else describe_release(answer.release),
        "quality": quality,
        "dimensions": dimensions_of(answer),
        "rows": answer.rows,
    }


def dimensions_of(answer: Answer) -> dict[str, Dimension]:
    """Return the meanings of the codes in the rows."""
    found = Codes(*(dict.fromkeys(getattr(row, name) for row in answer.rows) for name in _DIMENSIONS))
    monthly = answer.question.grain.period == "month" or answer.span.first == answer.span.last
    return dimensions(found, answer.question.breakdown, monthly=monthly)


def as_csv(answer: Answer) -> bytes:
    """Return rows as CSV: RFC 4180 in UTF-8. Absent values are empty. Each line names the definition if it is not the one in force."""
    periods = dimensions_of(answer)["period"].values
    mark = [_mark(answer.indicator)] if _mark(answer.indicator) else []
    rows = [[*astuple(row), periods[row.period].uri, *mark] for row in answer.rows]
    return sheets.as_csv([_csv_columns(answer), *rows]).encode()


def _csv_columns(answer: Answer) -> list[str]:
    return [*COLUMNS, "period_uri", *(["definition"] if _mark(answer.indicator) else [])]


def _mark(indicator: Indicator) -> str:
    """Return the mark of a definition that is not in force."""
    return "" if indicator.status is Status.CURRENT else f"{indicator.status} version {indicator.version}"


def _title(indicator: Indicator) -> str:
    mark = _mark(indicator)
    return f"{indicator.title} ({mark} of the definition)" if mark else indicator.title


def as_csvw(answer: Answer, address: str, quality: Summary) -> dict[str, Any]:
    """Return metadata of the CSV file: W3C Model for Tabular Data."""
    kinds = dict.fromkeys(_DIMENSIONS, "string") | dict.fromkeys(MEASURES, "decimal") | dict.fromkeys(_MARKS, "boolean")
    kinds["period_uri"] = "anyURI"
    category = dimensions_of(answer)["category"].property
    linked: dict[str, dict[str, str]] = {
        "authority": {"propertyUrl": REF_AREA, "valueUrl": AREA_URI},
        "period_uri": {"propertyUrl": REF_PERIOD, "valueUrl": "{+period_uri}"},
        "category": {"propertyUrl": category} if category else {},
    }
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": address,
        "dc:title": _title(answer.indicator),
        "dc:description": answer.indicator.definition,
        "notes": [_notes(answer, quality)],
        "tableSchema": {
            "columns": [
                {
                    "name": name,
                    "titles": name,
                    "dc:description": TITLES[name],
                    "datatype": kinds.get(name, "string"),
                    "required": name in {"authority", "period", *_MARKS},
                    "null": "",
                    **linked.get(name, {}),
                }
                for name in _csv_columns(answer)
            ],
            "primaryKey": list(_DIMENSIONS),
        },
    }


def _notes(answer: Answer, quality: Summary) -> dict[str, Any]:
    """Return what readers must know beside the figures."""
    indicator = answer.indicator
    return {"definition": {"version": indicator.version, "status": indicator.status}, "quality": quality}


def as_json_stat(answer: Answer, quality: Quality) -> dict[str, Any]:
    """Return JSON-stat 2: the cube of areas, periods, categories and measures.

    A suppressed value is null with the status that says why; a value that is provisional or of part of a period has status `p`.
    """
    rows = {(row.authority, row.period, row.category): row for row in answer.rows}
    known = dimensions_of(answer)
    axes = [list(each.values) for each in known.values()]
    values: list[float | None] = []
    status: dict[str, str] = {}
    for area in axes[0]:
        for period in axes[1]:
            for category in axes[2]:
                row = rows.get((area, period, category))
                for name in MEASURES:
                    value = None if row is None else getattr(row, name)
                    if row is not None and (mark := status_of(row)):
                        status[str(len(values))] = mark
                    values.append(value)
    described = {name: json_stat_dimension(name, each) for name, each in known.items()}
    described["figure"] = json_stat_figures()
    return {
        "version": "2.0",
        "class": "dataset",
        "label": _title(answer.indicator),
        "source": "Payback" if answer.release is None else f"Payback, release {answer.release.id}",
        "id": [*_DIMENSIONS, "figure"],
        "size": [*(len(axis) for axis in axes), len(MEASURES)],
        "role": {"time": ["period"], "geo": ["authority"], "metric": ["figure"]},
        "dimension": described,
        "value": values,
        "extension": _notes(answer, quality) | {"status": {"label": STATUS}},
        **({"status": status} if status else {}),
    }


STATUS = {why.mark: str(why).capitalize() for why in Why} | {"p": "Provisional, or of part of the period only"}


def status_of(row: Row) -> str:
    if row.why is not None:
        return row.why.mark
    return "p" if row.provisional or row.partial else ""


def json_stat_figures() -> dict[str, Any]:
    """Return the dimension of numerators, denominators, values and intervals."""
    labels = {name: TITLES[name] for name in MEASURES}
    return {"label": "Figure", "category": {"index": list(MEASURES), "label": labels}}


def json_stat_dimension(name: str, dimension: Dimension) -> dict[str, Any]:
    """Return codes and labels, with their names as linked data."""
    values = {code or "all": value for code, value in dimension.values.items()}
    return {
        "label": TITLES[name],
        "category": {"index": list(values), "label": {code: value.label for code, value in values.items()}},
        "extension": {
            "property": dimension.property,
            "uri": {code: value.uri for code, value in values.items() if value.uri},
        },
    }


def as_xlsx(answer: Answer, quality: Quality) -> bytes:
    """Return a cover sheet that says what the figures are, and the figures."""
    from services.reporting.formats.book import as_workbook  # noqa: PLC0415 - see there

    cover = [*_cover(answer), *completeness(quality), *_still_to_come(quality)]
    rows = ([name_in(row.authority, row.period), *astuple(row)] for row in answer.rows)
    return as_workbook(cover, ["area", *COLUMNS], rows, dimensions_of(answer))


def _cover(answer: Answer) -> list[tuple[str, ...]]:
    indicator = answer.indicator
    source = "" if indicator.source is None else indicator.source.words
    if indicator.source is not None and not indicator.source.verified:
        source += " (not verified)"
    return [
        (_title(indicator),),
        ("Definition", indicator.definition),
        ("Leaves out", indicator.exclusions),
        ("Unit", indicator.unit),
        ("Standard", indicator.standard or ""),
        ("Source of the standard", source),
        ("Note", indicator.note or ""),
        ("Version of the definition", f"{indicator.version}, {indicator.status}"),
        *cover_of_figures(answer, provisional_words(indicator)),
    ]


def cover_of_figures(answer: Answer, provisional: str = "") -> list[tuple[str, ...]]:
    """Return lines on the time of the figures, their origin, and the marks in them."""
    origin = "Live figures" if answer.live else "Released figures"
    if answer.release is not None:
        origin += f"; release {answer.release.id}, as known on {answer.release.known_on}"
    return [
        ("Period", f"{answer.span.first:%Y-%m} to {answer.span.last:%Y-%m}"),
        ("Figures", origin),
        ("provisional", f"TRUE: something that would count in the period can still happen. {provisional}".strip()),
        ("partial", "TRUE: the figure is of only part of the period."),
        ("suppressed", "TRUE: not shown. Such a figure is empty, never zero; `why` says why."),
        ("rounding", "Published figures are rounded, counts to multiples of 5, so that nobody can be recognised."),
    ]


_COMPLETENESS = {
    State.COMPLETE: "Complete: reported since the period ended",
    State.PARTIAL: "Reported, with doubts",
    State.NOT_KNOWN: "Not known: nothing to judge by",
    State.MISSING: "Not reported",
}


def completeness(quality: Summary) -> Iterator[tuple[str, ...]]:
    """Yield the number of authorities behind the figures, and the names of those missing."""
    number = sum(map(len, quality.by_state.values()))
    for state, codes in quality.by_state.items():
        names = "" if state is State.COMPLETE else f": {', '.join(AREA_NAMES[code] for code in codes)}"
        yield _COMPLETENESS[state], f"{len(codes)} of {number} authorities{names if codes else ''}"
    for each in quality.lacking if isinstance(quality, Quality) else ():
        yield f"Not reported of {each.period}", ", ".join(name_in(code, each.period) for code in each.authorities)
    for code, doubts in quality.doubts.items():
        yield "Doubt", f"{AREA_NAMES[code]}: {'. '.join(DOUBTS[doubt] for doubt in doubts)}"


def _still_to_come(quality: Quality) -> Iterator[tuple[str, ...]]:
    """Yield what is still likely to arrive, area by area, and how that was estimated."""
    for each in quality.still_to_come:
        much = "not known" if each.share is None else f"{each.share:.0f}% of reports"
        why = f" ({each.why})" if each.why else ""
        yield "Likely still to arrive", f"{name_in(each.authority, each.period)}, {each.period}: {much}{why}"
    if quality.still_to_come:
        yield "How that is estimated", quality.method
