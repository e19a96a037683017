"""The forms of answers, for the OpenAPI document. Answers of many rows are encoded without these types."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from contracts.authorities import AUTHORITIES
from services.chassis.api.problems import documented
from services.chassis.schema import Schema
from services.reporting.disclosure.gate import CellRow, ChangeRow, Explained, Row, ToCome
from services.reporting.figures.evidence import Doubt
from services.reporting.figures.quality import Completeness, Lacking
from services.reporting.formats.linked_names import Dimension
from services.reporting.formats.writers import CSV, CSVW, EXTENSIONS, JSON_STAT, XLSX
from services.reporting.read.proofs import Proved
from services.reporting.registry.areas import AREA_NAMES
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Good, Kind, Status
from services.reporting.releases import notices as about
from services.reporting.statistics.funnel import ByChance, Limits, Place

UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing has changed since the ETag in If-None-Match"}
}
FOR_ANYBODY: dict[str, Any] = {"security": [{}]}
"""A token shows more, and is not required."""


class Measured(Schema, description="A sum of cells."):
    measure: str
    categories: list[str]


class Citation(Schema, description="Where a standard comes from."):
    words: str
    verified: bool


class Category(Schema, description="One category of a breakdown."):
    id: str
    label: str


class Breakdown(Schema, description="One way to divide an indicator, for `by`."):
    id: str
    title: str
    categories: list[Category]


class Definition(Schema, description="What an indicator is."):
    id: str
    title: str
    definition: str
    theme: str
    kind: Kind
    unit: str
    numerator: Measured
    denominator: Measured | None
    exclusions: str
    direction_of_good: Good
    standard: str | None
    source: Citation | None
    note: str | None
    published_as: str | None = Field(description="The indicator that counts as published tables do, for comparison")
    provisional: str = Field(description="How long a month is provisional, in words")
    breakdowns: list[Breakdown]
    version: int
    status: Status
    change: str | None = Field(description="What this version changed")


class DefinitionVersions(Definition, description="The definition in force, and every version of it."):
    versions: list[Definition]


class Notice(
    Schema, description="What readers of a release must know. A correction names the release that has it right."
):
    release: str
    at: datetime
    kind: about.NoticeKind
    reason: str
    successor: str | None


class Release(
    Schema,
    description="A release, without its figures. Notices are those about it, and those about releases that it corrects.",
):
    id: str
    status: str
    last_month: str
    known_on: date
    content_hash: str
    made_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    note: str | None = Field(description="The reason of the last of its notices")
    notices: list[Notice]
    corrected_by: str | None
    corrects: list[str]


class FrozenRelease(Release, description="A release, and the versions of the definitions that were in force."):
    definitions: dict[str, int]


class Standings(Schema, description="Authorities by how complete their figures are."):
    complete: list[str]
    partial: list[str]
    not_known: list[str] = Field(description="Authorities without anything to judge by")
    missing: list[str] = Field(description="Authorities that reported nothing of the period; totals leave them out")
    doubts: dict[str, list[Doubt]] = Field(description="By authority, why its figures may lack something")


class Quality(Standings, description="The same, and what is likely still to arrive."):
    lacking: list[Lacking] = Field(description="By period, the authorities that reported nothing of it")
    still_to_come: list[ToCome]
    method: str


class Definitions(Schema, description="All indicators."):
    indicators: list[Definition]


class Known(Schema, description="The day on which the figures were known, and their completeness."):
    live: bool
    as_of: date | None
    release: Release | None
    quality: Quality


class Data(Known, description="The figures of an indicator."):
    indicator: Definition
    from_: str = Field(alias="from")
    to: str
    dimensions: dict[str, Dimension]
    rows: list[Row]


@dataclass(frozen=True)
class RowOfSeveral(Row):
    """A figure with its indicator."""

    indicator: str = ""


class SeveralData(Schema, description="The figures of several indicators."):
    indicators: list[Definition]
    from_: str = Field(alias="from")
    to: str
    live: bool
    as_of: date | None
    release: Release | None
    quality: Standings
    dimensions: dict[str, Dimension]
    rows: list[RowOfSeveral]


class Pair(Schema, description="One indicator of an authority, beside Scotland."):
    authority: list[Row]
    scotland: list[Row]


class Profile(Known, description="All indicators for one authority."):
    authority: str
    indicators: dict[str, Pair]


class Placed(
    Schema, description="One authority in the funnel; without limits where its figure is not shown, or is of too few."
):
    row: Row
    limits: Limits | None
    place: Place | None


class Comparison(
    Known,
    description="Authorities against control limits around Scotland, in percent, which allow for the rounding of counts.",
):
    indicator: Definition
    scotland: Row | None
    authorities: list[Placed]
    by_chance: ByChance | None


class Comparisons(Schema, description="Several comparisons, in the order asked for."):
    comparisons: list[Comparison]


class Difference(Schema, description="A figure on two days. The parts add up to the difference."):
    indicator: Definition
    rules: dict[str, str]
    difference: Explained


class Cells(Schema, description="Whole cells. `next` is the cursor of the next page, if there is one."):
    cells: list[CellRow]
    next: str | None


class ServicePosition(Schema, description="How far one service has got with one authority."):
    service: str
    authority: str
    offsets: dict[str, int]
    heard_at: datetime = Field(description="When the last event that was taken reached the log")


class Positions(Schema, description="For each source the last offset that the figures show."):
    positions: dict[str, int]
    services: list[ServicePosition]


class MonthQuality(Schema, description="The completeness of a month."):
    month: str
    summary: Standings
    authorities: list[Completeness]
    proved: Proved


class Releases(Schema, description="All releases, newest first."):
    releases: list[Release]


class Said(
    Schema,
    description="An announcement of a release: its day, or none if it was called off, and the reason for a change.",
):
    at: datetime
    day: date | None
    reason: str | None


class Announcement(
    Schema, description="When the figures up to a month will come, at 9:30 in London, and all announcements of it."
):
    last_month: str
    day: date | None
    moment: datetime | None
    published: bool
    said: list[Said]


class Calendar(Schema, description="All announcements, by month, the newest first."):
    announcements: list[Announcement]


class ChangedFigure(
    Schema, description="A published figure that differs. `mark` says why there is no value, as in the files."
):
    indicator: str
    indicator_title: str
    unit: str
    area_code: str
    area: str
    area_type: str
    period_type: str
    period: str
    breakdown: str
    category_code: str
    category: str
    value_before: float | None
    value: float | None
    numerator_before: float | None
    numerator: float | None
    denominator_before: float | None
    denominator: float | None
    mark_before: str
    mark: str
    reason: str


class ChangedFigures(
    Schema,
    description="The published figures that differ from the release before. `matching` is how many there are, "
    "and `next` the cursor of the next page, if there is one.",
):
    release: str
    release_before: str | None
    matching: int
    changes: list[ChangedFigure]
    next: int | None


class Changes(Schema, description="What moved. `next` is the cursor of the next page, if there is one."):
    release: FrozenRelease
    changes: list[ChangeRow]
    next: str | None


class ReleaseFile(Schema, description="A file of a release. `href` is where it is fetched."):
    name: str
    title: str
    media_type: str
    size: int
    sha256: str
    href: str


class ReleaseFiles(
    Schema, description="All files of a release. `content_hash` is that of the list of their hashes, `SHA256SUMS`."
):
    release: str
    content_hash: str
    files: list[ReleaseFile]


class Coded(Schema, description="A code and its meaning. `uri` is its name as linked data, where it has one."):
    code: str
    label: str
    uri: str | None


class CodeList(Schema, description="All codes of one kind."):
    id: str
    title: str
    codes: list[Coded]


class CodeLists(Schema, description="All code lists."):
    lists: list[CodeList]


_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_OBJECT: dict[str, Any] = {"schema": {"type": "object"}}
_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FIGURES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Data,
        "content": {CSV: _TEXT, CSVW: _OBJECT, JSON_STAT: _OBJECT, XLSX: _FILE},
        "headers": {"ETag": {"schema": {"type": "string"}}, "Link": {"schema": {"type": "string"}}},
    },
    **UNCHANGED,
    **documented(404, 406),
}

SEVERAL_FIGURES: dict[int | str, dict[str, Any]] = FIGURES | {200: FIGURES[200] | {"model": SeveralData}}

INDICATOR_IDS: dict[str, Any] = {"enum": list(INDICATORS)}
SHARE_IDS: dict[str, Any] = {"enum": [each.id for each in INDICATORS.values() if each.kind is Kind.SHARE]}
AUTHORITY_CODES: dict[str, Any] = {"enum": list(AUTHORITIES)}
AREAS: dict[str, Any] = {"enum": list(AREA_NAMES)}
MANY_INDICATORS: dict[str, Any] = {"items": {"type": "string", **INDICATOR_IDS}}
MANY_SHARES: dict[str, Any] = {"items": {"type": "string", **SHARE_IDS}}
MANY_AREAS: dict[str, Any] = {"items": {"type": "string", **AREAS}}
EXTENSION: dict[str, Any] = {"enum": list(EXTENSIONS)}


def answers(model: type[BaseModel], *problems: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's `responses`: its answer, and its problems besides the common ones."""
    return {200: {"model": model}, **documented(*problems)}
