"""Contradictions in the data. Pure."""

from datetime import date

from msgspec import Struct


class Finding(Struct, frozen=True):
    """A contradiction in the data."""

    rule: str
    subject: str
    on: date
    meaning: str
    remedy: str
    facts: list[str] = []
    detail: str | None = None
    since: date | None = None
    """The day since which it is known."""


class FindingCount(Struct, frozen=True):
    """How many orders break one rule."""

    rule: str
    meaning: str
    remedy: str
    number: int
    newly: int


class FindingCounts(Struct, frozen=True):
    """How many orders break each rule."""

    newly_since: date
    rules: list[FindingCount]


class FindingPage(Struct, frozen=True):
    """A page of findings."""

    findings: list[Finding]
    next: str | None
