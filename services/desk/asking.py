"""The questions to both services for the first page and the e-mails."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from services.desk.model.duties import Duties, WorkItem
from services.desk.model.findings import FindingCounts
from services.desk.model.hours import AtRisk, LateForecast
from services.desk.model.numbers import Held
from services.desk.model.urgency import TO_DO, When
from services.desk.platform import Platform, Service
from services.desk.today import PAGE, Choice, Today, in_order, merged

MOST = 1000
"""How many rows to ask a service for at once if all are wanted."""


async def today_of(platform: Platform, token: str, choice: Choice, limit: int) -> Today:
    """Return how much must be done, and the first of it: `limit` of each urgency from each service. A limit of 0 reads no order."""
    asked = {**choice.asked, "limit": limit, "unrecorded": "false"}
    duties, at_risk = await asyncio.gather(
        asyncio.gather(*(_duties(platform, token, service, asked) for service in Service)),
        at_risk_of(platform, token, choice.caseload, limit=0),
    )
    return merged(duties, at_risk, choice)


async def _duties(platform: Platform, token: str, service: Service, asked: Mapping[str, str | int]) -> Duties:
    return await platform.ask(token, service, "duties", Duties, asked)


async def all_tasks(platform: Platform, token: str, choice: Choice) -> list[WorkItem]:
    """Return every chosen task, sorted as asked."""
    wanted = (choice.when,) if choice.when else TO_DO
    found = await asyncio.gather(*(_all(platform, token, s, choice, when) for s in Service for when in wanted))
    return in_order((task for each in found for task in each), choice.order)


async def _all(platform: Platform, token: str, service: Service, choice: Choice, when: When) -> list[WorkItem]:
    asked: dict[str, str | int] = {**replace(choice, when=when, after="").asked, "limit": MOST}
    page = await _duties(platform, token, service, asked)
    items = list(page.items)
    while page.next:
        page = await _duties(platform, token, service, {**asked, "after": page.next})
        items += page.items
    return items


async def at_risk_of(platform: Platform, token: str, caseload: str, after: str = "", limit: int = PAGE) -> AtRisk:
    """Return a page of the orders that will not be done in time at the pace so far."""
    asked: dict[str, str | int] = {"caseload": caseload, "limit": limit, **({"after": after} if after else {})}
    return await platform.ask(token, Service.UNPAID_WORK, "at-risk", AtRisk, asked)


async def all_at_risk(platform: Platform, token: str, caseload: str) -> list[LateForecast]:
    """Return all orders that will not be done in time at the pace so far."""
    page = await at_risk_of(platform, token, caseload, limit=MOST)
    found = list(page.items)
    while page.next:
        page = await at_risk_of(platform, token, caseload, page.next, MOST)
        found += page.items
    return found


class Data(NamedTuple):
    """How much is wrong with what the authority sends."""

    wrong: int
    newly: int
    refused: int


async def data_of(platform: Platform, token: str) -> Data:
    """Return the counts of both services."""
    counts, held = await asyncio.gather(
        asyncio.gather(*(platform.ask(token, s, "findings/counts", FindingCounts) for s in Service)),
        asyncio.gather(*(platform.ask(token, s, "held", Held) for s in Service)),
    )
    rules = [rule for each in counts for rule in each.rules]
    refused = sum(each.rejected_open for each in held)
    return Data(sum(rule.number for rule in rules), sum(rule.newly for rule in rules), refused)
