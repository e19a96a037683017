"""Refused events, corrected and sent again; and files that are checked before they are sent."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from contracts.events import Topic
from services.chassis.api.problems import Problem
from services.desk.lines import by_topic, foreign, together
from services.desk.model.numbers import Held
from services.desk.model.origin import id_of
from services.desk.model.sent import EventStory, Refusal, RefusalPage, Told
from services.desk.pages.forms import fields_of, parts_of
from services.desk.pages.site import Looker, Route, Site
from services.desk.platform import Service, place

ONE = "application/cloudevents+json"
_SHOWN = 50
"""How many refused events of each service a page shows."""
_DIGITS = 18
"""Most digits of an offset."""


class Listed(NamedTuple):
    """A refused event, and the service that holds it."""

    service: Service
    refusal: Refusal


async def _refusals(site: Site, looker: Looker, request: Request) -> Response:
    state, reason = request.query_params.get("state", "open"), request.query_params.get("reason", "")
    asked: dict[str, str | int] = {"limit": _SHOWN} | ({"reason": reason} if reason else {})
    asked |= {"open": "true" if state == "open" else "false"} if state in {"open", "mended"} else {}
    pages, held = await asyncio.gather(
        asyncio.gather(*(_page(site, looker, request, service, asked) for service in Service)),
        asyncio.gather(*(site.platform.ask(looker.token, service, "held", Held) for service in Service)),
    )
    listed = [Listed(service, one) for service, page in zip(Service, pages, strict=True) for one in page.rejections]
    listed.sort(key=_arrival, reverse=True)
    return site.page(
        request,
        "refusals",
        listed=listed,
        has_rows=any(one.refusal.row for one in listed),
        has_subjects=any(one.refusal.subject for one in listed),
        older=_older(state, reason, pages) if any(page.next for page in pages) else "",
        reasons=sorted({reason for one in held for reason in one.rejected}),
        reason=reason,
        state=state,
        counted=sum(one.rejected_counted for one in held),
    )


async def _page(
    site: Site, looker: Looker, request: Request, service: Service, asked: Mapping[str, str | int]
) -> RefusalPage:
    """Return a service's refused events, from where the previous page ended."""
    after = request.query_params.get(service.value, "")
    begin = {"after": int(after)} if after.isdecimal() and len(after) <= _DIGITS else {}
    return await site.platform.ask(looker.token, service, "rejections", RefusalPage, {**asked, **begin})


def _older(state: str, reason: str, pages: Iterable[RefusalPage]) -> str:
    """Return the address of older ones. A service that has no more continues at offset 0, before which nothing is refused."""
    ends = {service.value: page.next or "0" for service, page in zip(Service, pages, strict=True)}
    return f"/refusals?{urlencode({'state': state, 'reason': reason, **ends})}"


def _arrival(listed: Listed) -> datetime:
    return listed.refusal.arrived_at


async def _refusal(site: Site, looker: Looker, request: Request) -> Response:
    found = await _found(site, looker, request)
    if found.refusal.mended_by is not None:
        return await _corrected(site, looker, request, found)
    return _mending(request, site, looker, found, spread_out(found.refusal.event or ""))


def spread_out(event: str) -> str:
    """Return an event with a line for each member, so that it can be corrected by eye; as it came where that could change what it says."""
    try:
        read = json.loads(event, object_pairs_hook=_once_each, parse_float=_as_it_is, parse_constant=_as_it_is)
    except ValueError:
        return event
    return (
        json.dumps(read, indent=2, ensure_ascii=False) if isinstance(read, dict) and "signature" not in read else event
    )


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _as_it_is(_text: str) -> NoReturn:
    raise ValueError


async def _send_again(site: Site, looker: Looker, request: Request) -> Response:
    """Check the corrected event, or check and send it, as the button says. An event that was already corrected is not sent again."""
    fields = await fields_of(request)
    found = await _found(site, looker, request)
    if found.refusal.mended_by is not None:
        return await _corrected(site, looker, request, found)
    event = fields.get("event", [""])[0]
    sends = fields.get("act") == ["send"] and looker.may_send
    told = await site.platform.hand_over(
        looker.token, found.service, "events" if sends else "validate", event.encode(), ONE
    )
    if sends and told.accepted:
        closes = id_of(event) == found.refusal.id
        return site.page(request, "corrected", refusal=found.refusal, told=told, event=event, closes=closes)
    return _mending(request, site, looker, found, event, told)


async def _corrected(site: Site, looker: Looker, request: Request, found: Listed) -> Response:
    """Show the fault, the event as it came, and when the event that corrects it arrived, if that is among its latest arrivals."""
    refusal = found.refusal
    path = f"events/{place(refusal.id or '')}"
    story = await site.platform.ask_if_there(looker.token, found.service, path, EventStory)
    at = story.at(refusal.mended_by) if story else None
    return site.page(request, "corrected", refusal=refusal, told=None, event=refusal.event or "", at=at)


async def _found(site: Site, looker: Looker, request: Request) -> Listed:
    """Return the refused event that the address names. Raises Problem 404."""
    name, offset = str(request.path_params["service"]), str(request.path_params["offset"])
    if name not in list(Service) or not offset.isdecimal() or len(offset) > _DIGITS:
        raise Problem(404, "There is no such refused event.")
    asked: dict[str, str | int] = {"after": int(offset) + 1, "limit": 1}
    page = await site.platform.ask(looker.token, Service(name), "rejections", RefusalPage, asked)
    if not page.rejections or page.rejections[0].offset != int(offset):
        raise Problem(404, "There is no such refused event.")
    return Listed(Service(name), page.rejections[0])


def _mending(
    request: Request, site: Site, looker: Looker, found: Listed, event: str, told: Told | None = None
) -> Response:
    return site.page(
        request,
        "refusal",
        service=found.service,
        refusal=found.refusal,
        event=event,
        may_send=looker.may_send,
        told=told,
    )


SERVICE_OF = {Topic.ORDERS: Service.ORDERS, Topic.UNPAID_WORK: Service.UNPAID_WORK}


async def _check_form(site: Site, looker: Looker, request: Request) -> Response:
    return site.page(request, "check", outcome=None, lines="", kind=None, sent=False, may_send=looker.may_send)


async def _check(site: Site, looker: Looker, request: Request) -> Response:
    """Check lines against the contract, and send what is acceptable if that was asked for."""
    parts = await parts_of(request)
    content = parts.get("file") or parts.get("lines", b"")
    sends = parts.get("act") == b"send" and looker.may_send
    kind = foreign(content)
    found = {} if kind else await run_in_threadpool(by_topic, content)
    path = "events" if sends else "validate"
    told = await asyncio.gather(
        *(
            site.platform.hand_over(looker.token, SERVICE_OF[topic], path, lines.body, "application/x-ndjson")
            for topic, lines in found.items()
        )
    )
    return site.page(
        request,
        "check",
        outcome=together(list(zip(found.values(), told, strict=True))) if found else None,
        lines="" if parts.get("file") else content.decode("utf-8", "replace"),
        kind=kind,
        sent=sends,
        may_send=looker.may_send,
    )


ROUTES = (
    Route("/refusals", _refusals, ("reason", "state", *(service.value for service in Service))),
    Route("/refusals/{service}/{offset}", _refusal),
    Route("/refusals/{service}/{offset}", _send_again, method="POST"),
    Route("/check", _check_form),
    Route("/check", _check, method="POST"),
)
