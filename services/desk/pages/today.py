"""The first page, orders at risk of being late, and the acknowledgement of missed duties."""

import asyncio

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from services.chassis.api.problems import Problem
from services.desk import files
from services.desk.asking import all_at_risk, all_tasks, at_risk_of, data_of, today_of
from services.desk.files import Sheet
from services.desk.model.duties import Acknowledged, Duties
from services.desk.model.hours import Capacity
from services.desk.model.urgency import When
from services.desk.pages.forms import fields_of
from services.desk.pages.site import Looker, Page, Route, Site
from services.desk.platform import Service
from services.desk.today import Choice, Order, sections
from services.desk.words.capacity import foreseen
from services.desk.words.never_recorded import never_recorded

REASONS = {
    "done_not_reported": "Done; our system will report it",
    "too_late": "Too late to do; noted for the next review",
    "back_at_court": "The order is back at court",
    "person_away": "The person is in custody, in hospital or abroad",
    "passed_on": "Passed on to the person responsible",
}
"""Why a missed duty needs nothing more, in the codes of the services."""
COMPLETION = "completion"
"""The standard whose due date is the deadline of an order's hours."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
_OF_TASKS = ("standard", "caseload", "when", "order", "after")


def choice_of(request: Request) -> Choice:
    """Return the choice in the request; unknown parts are left out."""
    asked = request.query_params
    return Choice(
        standard=asked.get("standard", ""),
        caseload=asked.get("caseload", ""),
        when=When(asked["when"]) if asked.get("when") in list(When) else None,
        order=Order(asked["order"]) if asked.get("order") in list(Order) else Order.DUE,
        after=asked.get("after", ""),
    )


def number_of_page(request: Request) -> int:
    """Return the page asked for; the first if that is not a number."""
    page = request.query_params.get("page", "1")
    return int(page) if page.isdecimal() and 0 < len(page) < 6 else 1


async def _today(site: Site, looker: Looker, request: Request) -> Response:
    choice = choice_of(request)
    today, data = await asyncio.gather(
        today_of(site.platform, looker.token, choice, choice.limit), data_of(site.platform, looker.token)
    )
    return site.page(
        request,
        "today",
        today=today,
        choice=choice,
        sections=sections(today, choice.standard) if choice.when is None else [],
        found=today.listed(choice.when, choice.standard),
        never_recorded=never_recorded,
        never=() if choice.standard else today.never,
        orders=Order,
        whens=When,
        reasons=REASONS,
        may_manage=looker.may_manage,
        said=_said(request),
        **data._asdict(),
    )


def _said(request: Request) -> str:
    done = request.query_params.get("done", "")
    return f"{done} acknowledged" if done.isdecimal() and len(done) < 4 else ""


async def _today_sheet(site: Site, looker: Looker, request: Request) -> Sheet:
    return files.duties(await all_tasks(site.platform, looker.token, choice_of(request)))


async def _hours(site: Site, looker: Looker, request: Request) -> Response:
    caseload, after = (request.query_params.get(name, "") for name in ("caseload", "after"))
    counts: dict[str, str | int] = {"standard": COMPLETION, "caseload": caseload, "limit": 0}
    at_risk, held, duties = await asyncio.gather(
        at_risk_of(site.platform, looker.token, caseload, after),
        site.platform.ask(looker.token, Service.UNPAID_WORK, "capacity", Capacity),
        site.platform.ask(looker.token, Service.UNPAID_WORK, "duties", Duties, counts),
    )
    late = sum(one.number for one in duties.counts if (one.standard, one.urgency) == (COMPLETION, When.OVERDUE))
    return site.page(
        request, "hours", at_risk=at_risk, caseload=caseload, after=after, capacity=foreseen(held), late=late
    )


async def _hours_sheet(site: Site, looker: Looker, request: Request) -> Sheet:
    return files.at_risk(await all_at_risk(site.platform, looker.token, request.query_params.get("caseload", "")))


async def _acknowledge(site: Site, looker: Looker, request: Request) -> Response:
    """Send each duty to the service to which it belongs, and show the duties that they do not know."""
    fields = await fields_of(request)
    reason = fields.get("reason", [""])[0] if fields.get("act") == ["acknowledge"] else None
    duties = [_duty(written) for written in fields.get("duty", [])]
    if not duties:
        raise Problem(422, "Nothing was ticked.")
    if reason == "":
        raise Problem(422, "No reason was chosen.")
    body = {"duties": duties, "reason": reason}
    told = await asyncio.gather(
        *(site.platform.tell(looker.token, s, "POST", "acknowledgements", body, Acknowledged) for s in Service)
    )
    done = sum(one.acknowledged for one in told) if reason else 0
    back = fields.get("back", ["/"])[0]
    return RedirectResponse(f"{back if back.startswith('/?') else '/?'}&done={done}", 303)


def _duty(written: str) -> dict[str, str]:
    match written.split(" ", 2):
        case [standard, due_on, subject]:
            return {"standard": standard, "due_on": due_on, "subject": subject}
        case _:
            raise Problem(422, "There is no such duty.")


def files_of(name: str, sheet: Page[Sheet], *takes: str) -> list[Route]:
    """Return a list as CSV and as a workbook. They are made beside the event loop: a large one takes seconds, in which nobody else's page
    would be shown.
    """

    async def as_csv(site: Site, looker: Looker, request: Request) -> Response:
        content = await run_in_threadpool(files.as_csv, await sheet(site, looker, request))
        return attachment(content, CSV, f"{name.replace('/', '-')}.csv")

    async def as_xlsx(site: Site, looker: Looker, request: Request) -> Response:
        content = await run_in_threadpool(files.as_xlsx, await sheet(site, looker, request))
        return attachment(content, XLSX, f"{name.replace('/', '-')}.xlsx")

    return [Route(f"/{name}.csv", as_csv, takes), Route(f"/{name}.xlsx", as_xlsx, takes)]


def attachment(content: bytes, media_type: str, name: str) -> Response:
    """Return a file to download."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


ROUTES = (
    Route("/", _today, (*_OF_TASKS, "done")),
    *files_of("today", _today_sheet, *_OF_TASKS),
    Route("/hours", _hours, ("caseload", "after")),
    *files_of("hours", _hours_sheet, "caseload"),
    Route("/acknowledge", _acknowledge, method="POST"),
)
