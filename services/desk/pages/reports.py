"""The performance report and the evidence for self-evaluation, of a quarter or a year, to read, to edit and to print."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from contracts.authorities import AUTHORITIES
from services.chassis.web import charts
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import attachment
from services.desk.report.evidence import evidence
from services.desk.report.gathering import Gathering, span_of
from services.desk.report.model import Chart, Report, Span, Told
from services.desk.report.sentences import report


class _Kind(NamedTuple):
    """A kind of report to read, edit and print."""

    folder: str
    file: str
    gather: Callable[[Gathering, Span], Awaitable[Told]]
    write: Callable[[Told], Report]


_KINDS = (
    _Kind("reports", "performance", Gathering.told, report),
    _Kind("evidence", "evidence", Gathering.evidence, evidence),
)


async def _made(kind: _Kind, site: Site, looker: Looker, request: Request) -> Report:
    code = looker.authority
    gathering = Gathering(site.platform, looker.token, code, AUTHORITIES[code].name)
    told = await kind.gather(gathering, span_of(str(request.path_params["label"])))
    return await run_in_threadpool(kind.write, told)


async def _read(kind: _Kind, site: Site, looker: Looker, request: Request) -> Response:
    made = await _made(kind, site, looker, request)
    label = request.path_params["label"]
    return site.page(request, "report", report=made, folder=kind.folder, label=label, drawn=drawn)


def drawn(chart: Chart) -> str:
    """Return the chart as SVG."""
    points = [charts.Point(name, value, hollow=provisional) for name, value, provisional in chart.months]
    return charts.at_both_widths(
        lambda width: charts.line(
            f"{chart.title}. {chart.lines}",
            points,
            "percent",
            marks=charts.Marks(chart.target, chart.since),
            width=width,
        )
    )


async def _edit(kind: _Kind, site: Site, looker: Looker, request: Request) -> Response:
    from services.desk.report.writing import MEDIA_TYPE, as_docx  # noqa: PLC0415 - 7 MB that are seldom needed

    content = await run_in_threadpool(as_docx, await _made(kind, site, looker, request))
    return attachment(content, MEDIA_TYPE, f"{kind.file}-{request.path_params['label']}.docx")


ROUTES = tuple(
    Route(f"/{kind.folder}/{{label}}{extension}", partial(page, kind))
    for kind in _KINDS
    for extension, page in ((".docx", _edit), ("", _read))
)
