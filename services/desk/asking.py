"""What the first page and the morning e-mail ask both services."""

import asyncio
from typing import NamedTuple

from services.desk.model import FindingCounts, Held, Worklist
from services.desk.platform import Platform, Service
from services.desk.today import Today, merged

MOST = 1000
"""How many tasks each service is asked for at once."""


async def all_tasks(platform: Platform, token: str, service: Service) -> Worklist:
    """Return the whole worklist of a service, asked for page by page."""
    asked: dict[str, str | int] = {"within": 5, "limit": MOST, "acknowledged": "true"}
    first = await platform.ask(token, service, "worklist", Worklist, asked)
    items, after = list(first.items), first.next
    while after:
        page = await platform.ask(token, service, "worklist", Worklist, {**asked, "after": after})
        items += page.items
        after = page.next
    return Worklist(first.today, first.until, items, None, first.will_be_late)


async def today_of(platform: Platform, token: str) -> Today:
    """Return what needs doing, from both services at once."""
    return merged(await asyncio.gather(*(all_tasks(platform, token, service) for service in Service)))


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
