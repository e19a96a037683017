"""The performance report of a quarter or a year, to read, to edit and to print."""

from fastapi import Request, Response

from contracts.authorities import AUTHORITIES
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import attachment
from services.desk.report.gathering import Gathering, span_of
from services.desk.report.model import Report
from services.desk.report.sentences import report
from services.desk.report.writing import MEDIA_TYPE, as_docx


async def _made(site: Site, looker: Looker, request: Request) -> Report:
    code = looker.authority
    gathering = Gathering(site.platform, looker.token, code, AUTHORITIES[code].name)
    return report(await gathering.told(span_of(str(request.path_params["label"]))))


async def _read(site: Site, looker: Looker, request: Request) -> Response:
    made = await _made(site, looker, request)
    return site.page(request, "report", report=made, label=request.path_params["label"])


async def _edit(site: Site, looker: Looker, request: Request) -> Response:
    made = await _made(site, looker, request)
    return attachment(as_docx(made), MEDIA_TYPE, f"performance-{request.path_params['label']}.docx")


ROUTES = (Route("/reports/{label}.docx", _edit), Route("/reports/{label}", _read))
