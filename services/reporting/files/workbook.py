"""Workbooks for people: a cover, contents, notes, and one table on each sheet. XLSX and ODS are made of the same sheets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.reporting.files.tidy import MARKS, Tidy
from services.reporting.formats.metadata import notice_words
from services.reporting.formats.publisher import CONTACT, LICENCE, PUBLISHER, TITLE
from services.reporting.registry.areas import SCOTLAND, authorities_of
from services.reporting.registry.indicators import Indicator
from services.reporting.releases.index import ReleaseInfo

Cell = str | float | None
WIDEST_SHEET_NAME = 31
LINE = 90


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: lines of words, and at most one table, whose first row is its only header."""

    name: str
    title: str
    words: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    decimals: int = 0
    """Decimal places of its numbers."""
    links: tuple[str, ...] = ()
    """For each row, the name of the sheet to which its first cell links."""
    widths: tuple[int, ...] = (12, 24, 12)
    """Widths of its columns, in characters; the last applies to all further ones."""
    text_only: bool = False
    """Whether it is read line by line: then long lines wrap within their column, and no column holds numbers."""

    @property
    def header_row(self) -> int:
        """Return the number of the header row, from 1."""
        return len(self.words) + 2

    def width(self, column: int) -> int:
        """Return the width of a column, from 0, in characters."""
        return self.widths[min(column, len(self.widths) - 1)]


def workbook(release: ReleaseInfo, indicators: Sequence[tuple[Indicator, Sequence[Tidy]]]) -> list[Sheet]:
    """Return all sheets in order."""
    tables = [_table(number, *each) for number, each in enumerate(indicators, 1)]
    return [_cover(release), _contents(tables), _notes(release), *tables]


def _cover(release: ReleaseInfo) -> Sheet:
    authorities = len(authorities_of(release.last_month, release.last_month))
    published = "not published" if release.published_at is None else f"{release.published_at:%-d %B %Y}"
    return Sheet(
        "Cover",
        f"{TITLE}: release {release.id}",
        (
            f"Yearly figures up to {release.last_month:%B %Y}, for Scotland and its {authorities} local authorities.",
            f"As known on {release.known_on:%-d %B %Y}. Published: {published}.",
            f"Publisher: {PUBLISHER}.",
            f"Contact: {CONTACT}",
            f"Licence: {LICENCE.name}, {LICENCE.url}",
            "The contents are listed on the sheet Contents; symbols and methods are explained on the sheet Notes.",
            *map(notice_words, release.notices),
        ),
        widths=(LINE,),
        text_only=True,
    )


def _contents(tables: Sequence[Sheet]) -> Sheet:
    return Sheet(
        "Contents",
        "Contents",
        ("This sheet has one table. Each sheet name is a link to that sheet.",),
        ("Sheet", "Table"),
        tuple((sheet.name, sheet.title) for sheet in tables),
        links=tuple(sheet.name for sheet in tables),
        widths=(WIDEST_SHEET_NAME + 4, LINE),
        text_only=True,
    )


def _notes(release: ReleaseInfo) -> Sheet:
    symbols = [(f"[{mark}]", said) for mark, said in MARKS.items()]
    return Sheet(
        "Notes",
        "Notes",
        ("This sheet has one table.",),
        ("Note", "Text"),
        (
            *symbols,
            ("[p]", "In a heading: the year is not whole, or something that counts in it could still happen"),
            ("Years", "From April to March, written 2025-26"),
            ("Scotland", "The sum of the authorities, never a mean of their rates"),
            (
                "Rounding",
                "Counts are rounded to multiples of 5 that still add up. Counts below 10 and rates on fewer than 10 are not shown",
            ),
            ("Release", f"Figures of release {release.id} never change; corrections are a new release"),
        ),
        widths=(12, LINE),
        text_only=True,
    )


def _table(number: int, indicator: Indicator, rows: Sequence[Tidy]) -> Sheet:
    """Return a table with areas down and years across."""
    yearly = [row for row in rows if row.period_type == "year" and not row.breakdown]
    years = sorted({row.period for row in yearly})
    open_years = {row.period for row in yearly if row.partial or row.provisional}
    by_place = {(row.area_code, row.period): row for row in yearly}
    areas = [(SCOTLAND, "Scotland"), *_by_name(yearly)]
    return Sheet(
        f"{number}_{indicator.id}"[:WIDEST_SHEET_NAME],
        f"{indicator.title}, by area and year",
        (indicator.definition, f"Unit: {indicator.unit}. Symbols are explained on the sheet Notes."),
        ("Area code", "Area", *(f"{year} [p]" if year in open_years else year for year in years)),
        tuple((code, name, *(_shown(by_place.get((code, year))) for year in years)) for code, name in areas),
        1 if indicator.unit != "orders" and indicator.denominator is not None else 0,
    )


def _by_name(rows: Iterable[Tidy]) -> Iterator[tuple[str, str]]:
    found = {row.area_code: row.area for row in rows if row.area_type == "authority"}
    yield from sorted(found.items(), key=lambda each: each[1])


def _shown(row: Tidy | None) -> Cell:
    if row is None:
        return "[x]"
    return row.value if row.value is not None else f"[{row.mark}]"
