"""The settings of an authority's managers: closed days, targets and aims, each with its history."""

import asyncio
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.chassis.api.problems import Problem
from services.desk.model.decisions import Change, Decided
from services.desk.pages.forms import field, fields_of
from services.desk.pages.site import Looker, Route, Site
from services.desk.platform import Platform, Service

STANDARDS = {
    "first_contact": "First contact",
    "case_meeting": "First case management meeting",
    "plan": "Case management plan",
    "induction": "Induction to unpaid work",
    "placement": "First placement",
}
OF_WORK = {"induction", "placement"}
UNITS = ("working days", "days", "months")


class Setting(NamedTuple):
    """A kind of setting: the services that keep it, its fields, and those of them that make up its key."""

    services: tuple[Service, ...]
    fields: tuple[str, ...]
    key: tuple[str, ...]


SETTINGS = {
    "closed-days": Setting(tuple(Service), ("day", "name"), ("day",)),
    "targets": Setting(tuple(Service), ("standard", "since", "limit", "unit", "source"), ("standard", "since")),
    "feeds": Setting(tuple(Service), ("hash",), ("hash",)),
    "feed-references": Setting(tuple(Service), ("source",), ()),
    "aims": Setting((Service.ORDERS,), ("standard", "since", "target", "change"), ("standard", "since")),
}
_NUMBERS = {"limit", "target"}


class Shown(NamedTuple):
    """The present settings of one kind."""

    closed_days: Decided
    targets: Decided
    feeds: Decided
    feed_references: Decided
    aims: Decided
    apart: bool
    """Whether the two services hold different closed days, targets or calendars, for example after one was away."""


async def shown_to(site: Site, looker: Looker) -> Shown:
    """Return the settings as both services hold them."""
    asks = [(service, name) for name, setting in SETTINGS.items() for service in setting.services]
    found = await asyncio.gather(*(site.platform.ask(looker.token, s, f"own/{name}", Decided) for s, name in asks))
    held = dict(zip(asks, found, strict=True))
    shared = [name for name, setting in SETTINGS.items() if len(setting.services) == len(Service)]
    both = [[_held(held[service, name]) for service in Service] for name in shared]
    closed_days, targets, feeds, feed_references, aims = (held[Service.ORDERS, name] for name in SETTINGS)
    return Shown(closed_days, targets, feeds, feed_references, aims, any(one != other for one, other in both))


def _held(decided: Decided) -> list[tuple[str, object]]:
    return [(change.key, change.content) for change in decided.now]


def history_of(shown: Shown) -> list[tuple[str, Change]]:
    """Return all changes, the latest first."""
    named = [("Closed day", shown.closed_days), ("Target", shown.targets), ("Aim", shown.aims)]
    named += [("Calendar address", shown.feeds), ("Order references in calendars", shown.feed_references)]
    changes = [(name, change) for name, decided in named for change in decided.changes]
    return sorted(changes, key=lambda one: one[1].at, reverse=True)


async def _settings(site: Site, looker: Looker, request: Request) -> Response:
    shown = await shown_to(site, looker)
    return site.page(
        request,
        "settings",
        shown=shown,
        history=history_of(shown)[:100],
        standards=STANDARDS,
        units=UNITS,
        may_manage=looker.may_manage,
    )


async def _set(site: Site, looker: Looker, request: Request) -> Response:
    """Set it, or take it back, at every service that keeps it. Repeating this does no harm."""
    name, fields = str(request.path_params["name"]), await fields_of(request)
    setting = SETTINGS.get(name)
    if setting is None:
        raise Problem(404, "There is no such setting.")
    asked = {one: field(fields, one) for one in setting.fields if one in fields}
    if fields.get("act") == ["take_back"]:
        await take_back(site.platform, looker.token, name, {one: asked.get(one, "") for one in setting.key})
    else:
        body = {one: _typed(one, value) for one, value in asked.items()}
        for service in setting.services:
            await site.platform.tell(looker.token, service, "PUT", f"own/{name}", body, Decided)
    return RedirectResponse("/settings", 303)


async def take_back(platform: Platform, token: str, name: str, key: dict[str, str]) -> None:
    """Take a setting back at every service that answers, whatever another one does, so that it ends at once. Raises what `tell` raises."""
    path = f"own/{name}" + (f"?{urlencode(key)}" if key else "")
    told = [platform.tell(token, service, "DELETE", path, None, Decided) for service in SETTINGS[name].services]
    for failure in await asyncio.gather(*told, return_exceptions=True):
        if isinstance(failure, BaseException):
            raise failure


def _typed(name: str, value: str) -> str | int:
    if name not in _NUMBERS:
        return value
    if not value.isdecimal() or len(value) > 4:
        raise Problem(422, f"{value or 'Nothing'} is not a number.")
    return int(value)


ROUTES = (Route("/settings", _settings), Route("/settings/{name}", _set, method="POST"))
