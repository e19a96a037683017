"""Decides what contradicts itself in an authority's data, for every list, count and page, so that no two of them differ."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from services.records.api import listing
from services.records.api.duties.due import Row
from services.records.api.findings.own import OwnFindings
from services.records.api.order_schemas import FindingCount, FindingCounts, FindingPage, FindingView, Today
from services.records.model.findings import Finding, Rule
from services.records.model.record import Record

MOST_NAMED = 20_000
"""With so many facts that break a rule a page ends, however few orders that is."""
Subjects = Collection[str] | None
"""Orders that are asked about; None for all of the authority."""
Compared = Callable[[Connection, str, Today, Subjects], Iterable[FindingView]]
"""Looks for one contradiction between an authority's orders and the records of others, which no record shows by itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of the list of findings that somebody wants."""

    rule: str | None = None
    since: date | None = None
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a service can find."""

    of_record: Callable[[Record], Sequence[Finding]]
    rules: Sequence[Rule]
    """Every rule that a record can break by itself."""
    own: OwnFindings
    compared: Mapping[str, Compared] = field(default_factory=dict)
    """By the rule's code."""

    def of_order(
        self, connection: Connection, authority: str, now: Today, subject: str, record: Record
    ) -> list[FindingView]:
        """Return everything that is found about one order."""
        itself = [FindingView.of(subject, one, record) for one in self.of_record(record)]
        return itself + self._compared(connection, authority, now, [subject])

    def codes(self, connection: Connection, authority: str, now: Today, rows: Sequence[Row]) -> dict[str, list[str]]:
        """Return the codes of the rules that each of these orders breaks, by its reference."""
        found = {row.subject: list(row.standing.findings) for row in rows}
        for view in self._compared(connection, authority, now, list(found)):
            found[view.subject].append(view.rule)
        return {subject: list(dict.fromkeys(codes)) for subject, codes in found.items()}

    def counts(self, connection: Connection, authority: str, now: Today, since: date) -> FindingCounts:
        """Count what breaks each rule, and what of it became known on or after a day, the most first."""
        counted = listing.finding_counts(connection, authority, since)
        rows = [_count(rule, *counted[rule.code]) for rule in self.rules if rule.code in counted]
        for find in self.own.values():
            found = list(find(connection, authority, now))
            rows += [_count(found[0], len(found), sum(_is_new(view, since) for view in found))] if found else []
        for compare in self.compared.values():
            found = list(compare(connection, authority, now, None))
            new = {view.subject for view in found if _is_new(view, since)}
            rows += [_count(found[0], len({view.subject for view in found}), len(new))] if found else []
        return FindingCounts(newly_since=since, rules=sorted(rows, key=lambda row: (-row.number, row.rule)))

    def page(self, connection: Connection, authority: str, now: Today, asked: Asked) -> FindingPage:
        """Return a page by order; what needs more than one record comes with the first."""
        rule, since = asked.rule, asked.since
        itself, last = self._of_records(connection, authority, asked)
        beyond = [] if asked.after else self._beyond(connection, authority, now, rule)
        views = [*(view for view in beyond if since is None or _is_new(view, since)), *itself]
        return FindingPage(findings=[view for view in views if rule in (None, view.rule)], next=last)

    def _of_records(self, connection: Connection, authority: str, asked: Asked) -> tuple[list[FindingView], str | None]:
        """Return what single records show, one after the other, and the last order of the page; None if no other follows."""
        views: list[FindingView] = []
        named = 0
        found = listing.with_findings(connection, authority, asked.rule, asked.since, asked.after, asked.limit)
        for number, (subject, record) in enumerate(found, 1):
            of_record = [FindingView.of(subject, one, record) for one in self.of_record(record)]
            views += of_record
            named += sum(len(view.facts) for view in of_record)
            if number == asked.limit or named >= MOST_NAMED:
                return views, subject
        return views, None

    def _beyond(self, connection: Connection, authority: str, now: Today, rule: str | None) -> list[FindingView]:
        own = [find for code, find in self.own.items() if rule in (None, code)]
        about = [view for find in own for view in find(connection, authority, now)]
        return about + self._compared(connection, authority, now, None, rule)

    def _compared(
        self, connection: Connection, authority: str, now: Today, subjects: Subjects, rule: str | None = None
    ) -> list[FindingView]:
        if subjects is not None and not subjects:
            return []
        wanted = [compare for code, compare in self.compared.items() if rule in (None, code)]
        return [view for compare in wanted for view in compare(connection, authority, now, subjects)]


def _is_new(view: FindingView, since: date) -> bool:
    return view.since >= since


def _count(what: Rule | FindingView, number: int, newly: int) -> FindingCount:
    code = what.code if isinstance(what, Rule) else what.rule
    return FindingCount(rule=code, meaning=what.meaning, remedy=what.remedy, number=number, newly=newly)
