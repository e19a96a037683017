"""The gate is the only way out, and it decides by audience."""

import ast
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from contracts.authorities import HEALTH_BOARDS
from services.chassis.api.auth import PUBLIC, Identity
from services.reporting.disclosure.gate import Figure, Gate, Refused
from services.reporting.disclosure.linked_tables import FAMILIES, PUBLIC_FORMS, complement, left_over, told_as
from services.reporting.disclosure.numbers import Change, NumberKey
from services.reporting.read.vintages import Cut, Live, Released
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Form, form

REPORTING = Path(str(files("services.reporting")))
SHOWN_TYPES = {"Row", "CellRow", "ChangeRow", "Explained", "PartRow", "ToCome"}
WITHOUT_FIGURES = {"checkpoints", "positions", "releases"}
PASSED_THE_GATE = {"release_files"}
"""Made of rows that the public may see."""
GLASGOW, FIFE = "S12000049", "S12000047"
NATIONAL = Identity("analyst", frozenset({"national:read"}))
MANAGER = Identity("manager", frozenset({"orders:read"}), GLASGOW)
CONTACT = INDICATORS["first_contact_within_1"]
RELEASED = Released("2026-03.1")


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
    row = Gate(NATIONAL, frozenset()).rows(CONTACT, [figure(Live(), GLASGOW, 90, 100)])[0]
    with pytest.raises(AttributeError):
        row.value = 1.0  # type: ignore[misc]


def figure(cut: Cut, area: str, numerator: int | None, denominator: int | None, period: str = "2026-03") -> Figure:
    return Figure(cut, area, period, "", CONTACT.numerator, CONTACT.denominator, numerator, denominator)


def shown(viewer: Identity, found: Figure, *hidden: NumberKey) -> float | None:
    row = Gate(viewer, frozenset(hidden)).rows(CONTACT, [found])[0]
    assert row.suppressed is (row.numerator is None)
    if row.suppressed:
        assert (row.numerator, row.denominator, row.value, row.lower, row.upper) == (None,) * 5
    return row.value


def test_live_figures_are_never_public() -> None:
    assert shown(PUBLIC, figure(Live(), GLASGOW, 90, 100)) is None
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 90, 100)) == 90
    assert shown(MANAGER, figure(Live(), FIFE, 90, 100)) is None
    assert shown(MANAGER, figure(Live(), GLASGOW, 3, 4)) == 75
    assert shown(NATIONAL, figure(Live(), FIFE, 3, 4)) == 75


def test_an_authority_code_without_a_right_to_it_is_public() -> None:
    assert shown(Identity("stranger"), figure(Live(), GLASGOW, 90, 100)) is None


@pytest.mark.parametrize("hidden", [CONTACT.numerator, CONTACT.denominator, "left over"])
def test_a_share_is_hidden_with_any_number_that_it_would_tell(hidden: Form | str) -> None:
    assert CONTACT.denominator is not None
    told = complement(CONTACT.numerator, CONTACT.denominator) if isinstance(hidden, str) else hidden
    assert told is not None
    key = NumberKey(told.measure, told.grouping, "2026-03", GLASGOW)
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 90, 100), key) is None
    assert shown(PUBLIC, figure(RELEASED, FIFE, 90, 100), key) == 90


def test_rates_on_fewer_than_ten_are_not_public() -> None:
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 9, 9)) is None
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 10, 10)) == 100


def test_only_months_quarters_and_whole_years_are_public() -> None:
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 90, 100, "2025-26")) == 90
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 90, 100, "2026-Q1")) == 90
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 90, 100, "2025-04/2026-02")) is None


def test_a_quarter_is_hidden_with_any_of_its_months() -> None:
    key = NumberKey(CONTACT.numerator.measure, CONTACT.numerator.grouping, "2026-02", GLASGOW)
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 90, 100, "2026-Q1"), key) is None
    assert shown(PUBLIC, figure(RELEASED, GLASGOW, 90, 100, "2025-Q4"), key) == 90


def test_a_health_board_area_is_hidden_with_any_of_its_authorities() -> None:
    board = next(each for each in HEALTH_BOARDS.values() if GLASGOW in each.members)
    for authority in board.members:
        key = NumberKey(CONTACT.numerator.measure, CONTACT.numerator.grouping, "2026-03", authority)
        assert shown(PUBLIC, figure(RELEASED, board.code, 90, 100), key) is None
        assert shown(MANAGER, figure(RELEASED, board.code, 90, 100), key) is None, "its own alone is no reason"
        assert shown(PUBLIC, figure(RELEASED, board.code, 90, 100, "2026-Q1"), key) is None, "nor in a quarter"
    other = NumberKey(CONTACT.numerator.measure, CONTACT.numerator.grouping, "2026-03", FIFE)
    assert shown(PUBLIC, figure(RELEASED, board.code, 90, 100), other) == 90


def test_a_health_board_area_of_one_authority_is_its_own() -> None:
    of_fife = Identity("manager", frozenset({"orders:read"}), FIFE)
    board = next(each for each in HEALTH_BOARDS.values() if FIFE in each.members)
    assert shown(of_fife, figure(Live(), board.code, 3, 4)) == 75
    assert shown(MANAGER, figure(Live(), board.code, 3, 4)) is None


def test_nothing_reported_is_neither_zero_nor_suppressed() -> None:
    row = Gate(PUBLIC, frozenset()).rows(CONTACT, [figure(RELEASED, GLASGOW, None, None)])[0]
    assert (row.numerator, row.value, row.suppressed) == (None, None, False)


def test_whole_cells_are_for_national_viewers() -> None:
    cells = [("orders_imposed", GLASGOW, date(2026, 3, 1), "", 3)]
    assert Gate(NATIONAL, frozenset()).cells(cells)[0].value == 3
    for viewer in (PUBLIC, MANAGER):
        with pytest.raises(Refused):
            Gate(viewer, frozenset()).cells(cells)


def test_changes_pass_the_gate_too() -> None:
    change = Change("orders_imposed", "", date(2026, 3, 1), GLASGOW, 7, 8, "late")
    key = NumberKey("orders_imposed", "", "2026-03", GLASGOW)
    assert Gate(PUBLIC, frozenset()).changes([change])[0].after == 8
    assert Gate(PUBLIC, {key}).changes([change])[0].after is None
    assert Gate(NATIONAL, {key}).changes([change])[0].after == 8
    assert Gate(PUBLIC, frozenset()).changes([change._replace(measure="findings")]) == []


def test_each_look_of_a_national_viewer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        Gate(NATIONAL, frozenset()).rows(CONTACT, [figure(Live(), FIFE, 3, 4)])
    assert [(r.message, r.__dict__["reason"]) for r in caplog.records] == [("whole figures were read", "analyst")]


def test_a_sum_that_is_in_no_family_is_never_public() -> None:
    domain = INDICATORS["outcome_change"].breakdown("domain")[0]
    assert domain.numerator not in PUBLIC_FORMS
    found = Figure(RELEASED, SCOTLAND, "2026-03", domain.category, domain.numerator, None, 500)
    assert Gate(PUBLIC, frozenset()).rows(INDICATORS["outcome_change"], [found])[0].suppressed


def test_reasons_for_lateness_are_public_for_scotland_only() -> None:
    part = CONTACT.breakdown("reason_side")[0]
    for area, suppressed in ((SCOTLAND, False), (GLASGOW, True)):
        found = Figure(RELEASED, area, "2026-03", "", part.numerator, part.denominator, 50, 100)
        assert Gate(PUBLIC, frozenset()).rows(CONTACT, [found])[0].suppressed is suppressed


def test_every_share_of_one_measure_has_what_it_leaves_over_protected() -> None:
    protected = {f for family in FAMILIES for d in family.dimensions for f in d.forms}
    for indicator in INDICATORS.values():
        pairs = [(indicator.numerator, indicator.denominator)]
        pairs += [(p.numerator, p.denominator) for _, parts in indicator.breakdowns for p in parts]
        for part, whole in pairs:
            if whole is not None and part in PUBLIC_FORMS and not PUBLIC_FORMS[part]:
                left = left_over(part, whole)
                assert left is None or all(each in protected or each in PUBLIC_FORMS for each in told_as(left)), (
                    indicator.id,
                    part,
                )


def test_the_same_sum_is_the_same_form() -> None:
    assert form("sessions", "b", "a") == form("sessions", "a", "b")
