"""The gate is the only way out, and it decides by audience."""

import ast
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from contracts.authorities import HEALTH_BOARDS
from services.chassis.api.auth import PUBLIC, Identity
from services.reporting.disclosure.gate import Figure, Gate, NotForViewer, Why
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY, CellName, cells_in
from services.reporting.read.vintages import AsOf, Live, Released, Rounded, Vintage
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, form
from services.reporting.statistics.causes import Change

REPORTING = Path(str(files("services.reporting")))
SHOWN_TYPES = {"Row", "CellRow", "ChangeRow", "Explained", "PartRow", "ToCome"}
WITHOUT_FIGURES = {"announcements", "checkpoints", "positions", "release_notices", "releases", "sessions"}
PASSED_THE_GATE = {"release_files"}
"""Made of rows that the public may see."""
GLASGOW, FIFE = "S12000049", "S12000047"
NATIONAL = Identity("analyst", frozenset({"national:read"}))
MANAGER = Identity("manager", frozenset({"orders:read"}), GLASGOW)
CONTACT = INDICATORS["first_contact_within_1"]
ROUNDED = Rounded("2026-03.1")
ALL = frozenset(NATIONAL_ONLY)


def calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def test_only_the_gate_makes_what_may_be_shown() -> None:
    makers = {path.name for path in REPORTING.rglob("*.py") if SHOWN_TYPES & calls(path)}
    assert makers == {"gate.py"}


def test_what_talks_to_the_outside_cannot_read_figures_past_the_gate() -> None:
    outside = [path for room in ("api", "pages", "formats", "files") for path in (REPORTING / room).rglob("*.py")]
    forbidden = {"sums", "stocks", "indicator_sums", "rows_of", "_read", "_figures"}
    for path in outside:
        assert not forbidden & calls(path), path
        tables = {name for name in imports(path) if name.startswith("services.reporting.read.tables.")}
        assert tables <= {f"services.reporting.read.tables.{name}" for name in WITHOUT_FIGURES | PASSED_THE_GATE}, path


def test_pages_and_formats_take_rows_that_no_one_can_change() -> None:
    row = Gate(NATIONAL).rows(CONTACT, [figure(Live(), GLASGOW, 90, 100)])[0]
    with pytest.raises(AttributeError):
        row.value = 1.0  # type: ignore[misc]


def figure(vintage: Vintage, area: str, numerator: int | None, denominator: int | None) -> Figure:
    forms = CONTACT.numerator, CONTACT.denominator
    return Figure(vintage, area, "2026-Q1", "", *forms, numerator, denominator, months=3)


def shown(viewer: Identity, found: Figure) -> float | None:
    row = Gate(viewer, ALL).rows(CONTACT, [found])[0]
    assert row.suppressed is (row.numerator is None) is (row.why is not None)
    if row.suppressed:
        assert (row.numerator, row.denominator, row.value, row.lower, row.upper) == (None,) * 5
    return row.value


def why(indicator: Indicator, found: Figure, public: frozenset[CellName] = ALL) -> Why | None:
    return Gate(PUBLIC, public).rows(indicator, [found])[0].why


def test_only_what_is_rounded_is_public() -> None:
    for vintage in (Live(), AsOf(date(2026, 4, 1)), Released("2026-03.1")):
        assert shown(PUBLIC, figure(vintage, GLASGOW, 90, 100)) is None
        assert shown(MANAGER, figure(vintage, FIFE, 90, 100)) is None
    assert shown(PUBLIC, figure(ROUNDED, GLASGOW, 90, 100)) == 90
    assert shown(MANAGER, figure(Live(), GLASGOW, 3, 4)) == 75
    assert shown(NATIONAL, figure(Live(), FIFE, 3, 4)) == 75


def test_an_authority_code_without_a_right_to_it_is_public() -> None:
    assert shown(Identity("stranger"), figure(Live(), GLASGOW, 90, 100)) is None


def test_rates_on_fewer_than_ten_are_not_public() -> None:
    assert why(CONTACT, figure(ROUNDED, GLASGOW, 5, 5)) is Why.SMALL
    assert shown(PUBLIC, figure(ROUNDED, GLASGOW, 10, 10)) == 100


def test_a_count_below_ten_is_not_public() -> None:
    orders = INDICATORS["orders_imposed"]
    for count, expected in ((0, Why.SMALL), (5, Why.SMALL), (10, None)):
        found = Figure(ROUNDED, GLASGOW, "2026-Q1", "", orders.numerator, None, count, months=3)
        assert why(orders, found) is expected


def test_hours_that_two_orders_can_hold_are_not_public() -> None:
    hours = INDICATORS["unpaid_work_hours_imposed"]
    for minutes, expected in ((6_000, Why.SMALL), (12_000, None)):
        assert why(hours, Figure(ROUNDED, GLASGOW, "2026-Q1", "", hours.numerator, None, minutes, months=3)) is expected


@pytest.mark.parametrize(
    ("area", "category", "months", "expected"),
    [
        (SCOTLAND, "", 1, None),
        (SCOTLAND, "band=within_1", 1, None),
        (GLASGOW, "", 1, Why.PERIOD),
        (GLASGOW, "", 3, None),
        (GLASGOW, "band=within_1", 3, Why.PERIOD),
        (GLASGOW, "band=within_1", 12, None),
        ("S08000031", "", 1, Why.PERIOD),
    ],
)
def test_authorities_are_told_of_by_quarter_and_their_categories_by_year(
    area: str, category: str, months: int, expected: Why | None
) -> None:
    found = replace(figure(ROUNDED, area, 90, 100), category=category, months=months)
    assert why(CONTACT, found) is expected


def test_what_the_release_has_not_rounded_is_not_public() -> None:
    """It became public later: the release holds no cells of it, which must not pass for zero."""
    assert why(CONTACT, figure(ROUNDED, GLASGOW, 90, 100), frozenset()) is Why.AUDIENCE


def test_a_health_board_area_of_one_authority_is_its_own() -> None:
    of_fife = Identity("manager", frozenset({"orders:read"}), FIFE)
    board = next(each for each in HEALTH_BOARDS.values() if FIFE in each.members)
    assert shown(of_fife, figure(Live(), board.code, 3, 4)) == 75
    assert shown(MANAGER, figure(Live(), board.code, 3, 4)) is None


def test_nothing_reported_is_neither_zero_nor_suppressed() -> None:
    row = Gate(PUBLIC, ALL).rows(CONTACT, [figure(ROUNDED, GLASGOW, None, None)])[0]
    assert (row.numerator, row.value, row.suppressed) == (None, None, False)


def test_whole_cells_are_for_national_viewers() -> None:
    cells = [("orders_imposed", GLASGOW, date(2026, 3, 1), "", 3)]
    assert Gate(NATIONAL).cells(cells)[0].value == 3
    for viewer in (PUBLIC, MANAGER):
        with pytest.raises(NotForViewer):
            Gate(viewer).cells(cells)


def test_changes_pass_the_gate_too() -> None:
    whole = Change("orders_imposed", "", date(2026, 3, 1), GLASGOW, 7, 8, "late")
    scotland, small = whole._replace(authority=SCOTLAND, before=1300, after=1305), whole._replace(authority=SCOTLAND)
    assert [(row.after, row.suppressed) for row in Gate(PUBLIC).changes([whole, scotland, small])] == [
        (1305, False),
        (None, True),
    ]
    assert [row.after for row in Gate(MANAGER).changes([whole, scotland])] == [8, 1305]
    assert Gate(MANAGER).changes([whole._replace(authority=FIFE)]) == []


def test_each_look_of_a_national_viewer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        Gate(NATIONAL).rows(CONTACT, [figure(Live(), FIFE, 3, 4)])
    assert [(r.message, r.__dict__["reason"]) for r in caplog.records] == [("whole figures were read", "analyst")]


def test_a_cell_that_is_in_no_table_is_never_public() -> None:
    domain = INDICATORS["outcome_change"].breakdown("domain")[0]
    assert not NATIONAL_ONLY.keys() & set(cells_in(domain.numerator))
    found = Figure(ROUNDED, SCOTLAND, "2026-03", domain.category, domain.numerator, None, 500)
    assert why(INDICATORS["outcome_change"], found) is Why.AUDIENCE


def test_reasons_for_lateness_are_public_for_scotland_only() -> None:
    part = CONTACT.breakdown("reason_side")[0]
    for area, expected in ((SCOTLAND, None), (GLASGOW, Why.AUDIENCE)):
        found = Figure(ROUNDED, area, "2025-26", "", part.numerator, part.denominator, 50, 100, months=12)
        assert why(CONTACT, found) is expected


def test_the_same_sum_is_the_same_form() -> None:
    assert form("sessions", "b", "a") == form("sessions", "a", "b")
