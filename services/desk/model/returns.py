"""Yearly returns. Pure."""

from msgspec import Struct


class ReturnTable(Struct, frozen=True):
    """One table of the yearly report."""

    id: str
    title: str
    unit: str
    rows: dict[str, float]


class YearlyReport(Struct, frozen=True):
    """The tables of the yearly report that one service provides."""

    title: str
    tables: list[ReturnTable]


class Agreement(Struct, frozen=True):
    """One number of the unit-level return, with the nation's."""

    title: str
    measure: str
    category: str
    unit_return: int
    cells: int
    agrees: bool


class Reconciliation(Struct, frozen=True):
    """The unit-level return compared with the nation's numbers."""

    year: str
    agrees: bool
    checks: list[Agreement]


class WholeYear(Struct, frozen=True):
    """All returns of a year from one service, the unit-level one as CSV."""

    unit_return: str
    report: YearlyReport
    reconciliation: Reconciliation
