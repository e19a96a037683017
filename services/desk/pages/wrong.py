"""Contradictions in the data, by rule and one by one."""

import asyncio
from collections import defaultdict
from datetime import date
from itertools import chain

from fastapi import Request, Response

from services.desk.files import Sheet
from services.desk.model.findings import Finding, FindingCount, FindingCounts, FindingPage
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import files_of, number_of_page
from services.desk.platform import Service
from services.desk.today import page_of

MOST = 1000


async def _found(site: Site, looker: Looker, rule: str, service: Service) -> list[Finding]:
    """Return everything that breaks a rule, or any rule, read page by page."""
    asked: dict[str, str | int] = {"limit": MOST} | ({"rule": rule} if rule else {})
    page = await site.platform.ask(looker.token, service, "findings", FindingPage, asked)
    found = list(page.findings)
    while page.next:
        page = await site.platform.ask(looker.token, service, "findings", FindingPage, {**asked, "after": page.next})
        found += page.findings
    return found


async def _all(site: Site, looker: Looker, rule: str) -> list[Finding]:
    """Return the findings of both services, the latest arrivals first."""
    parts = await asyncio.gather(*(_found(site, looker, rule, service) for service in Service))
    return sorted(chain.from_iterable(parts), key=lambda one: (one.since or date.min, one.on), reverse=True)


async def _wrong(site: Site, looker: Looker, request: Request) -> Response:
    rule = request.query_params.get("rule", "")
    counts = await asyncio.gather(
        *(site.platform.ask(looker.token, s, "findings/counts", FindingCounts) for s in Service)
    )
    found = await _all(site, looker, rule) if rule else []
    shown, pages = page_of(found, number_of_page(request))
    return site.page(
        request,
        "wrong",
        rules=_merged(counts),
        since=counts[0].newly_since,
        rule=rule,
        findings=shown,
        page=number_of_page(request),
        pages=pages,
    )


def _merged(counts: list[FindingCounts]) -> list[FindingCount]:
    """Add up what both services count under one rule."""
    by_rule: defaultdict[str, list[FindingCount]] = defaultdict(list)
    for one in chain.from_iterable(each.rules for each in counts):
        by_rule[one.rule].append(one)
    rows = [
        FindingCount(
            rule, found[0].meaning, found[0].remedy, sum(one.number for one in found), sum(one.newly for one in found)
        )
        for rule, found in by_rule.items()
    ]
    return sorted(rows, key=lambda row: (-row.newly, -row.number, row.rule))


async def _sheet(site: Site, looker: Looker, request: Request) -> Sheet:
    found = await _all(site, looker, request.query_params.get("rule", ""))
    headings = ("Order", "What is wrong", "How to correct it", "Detail", "On", "Known since", "Facts")
    rows = [
        (one.subject, one.meaning, one.remedy, one.detail, one.on, one.since, ", ".join(one.facts)) for one in found
    ]
    return Sheet("Wrong data", headings, rows)


ROUTES = (Route("/wrong", _wrong, ("rule", "page")), *files_of("wrong", _sheet, "rule"))
