"""The addresses of the page, and the server behind them."""

import re
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import uvicorn
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from services.connect.faults import CannotGoOn, NoColumn, NoTable
from services.connect.form.answering import open_in
from services.connect.form.uses import GROUPS
from services.connect.mapping.model import Platform
from services.connect.page.dropped import Dropped
from services.connect.page.guard import Guard
from services.connect.page.importer import Asked, Importer
from services.connect.result import ALL_WELL, number_of

_HERE = Path(__file__).parent
_PACKED = _HERE / "web"
WEB = _PACKED if _PACKED.exists() else _HERE.parents[1] / "chassis" / "web"
"""The design system: packed with the connector, or in the whole project."""
LARGEST = 256 * 1024 * 1024
"""Largest file, in bytes."""
MOST_FILES = 20
"""Most files of one day."""
MOST_FIELDS = 20_000
"""Most fields of the form of a mapping: several for each column, and one for each word that is asked about."""
_LOOK = SimpleNamespace(
    subtitle="Your tables, on this machine alone",
    navigation=(("/", "Send a table"), ("/mapping", "The mapping")),
    footer=(),
    footnote="",
    feed="",
    search="",
)
_SHEET = re.compile(r"s\d+")
"""The name of a field that asks what a whole sheet is."""
_SITE = SimpleNamespace(title="Payback", simulated=False)

Handler = Callable[["Page", Request, FormData], Awaitable[Response]]


class Page:
    """The state that all addresses share."""

    def __init__(self, importer: Importer, key: str) -> None:
        self.importer, self._key = importer, key
        self._templates = Environment(
            loader=ChoiceLoader([PackageLoader("services.connect.page"), FileSystemLoader(WEB / "templates")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"asset": "/static/{}".format, "number_of": number_of, "site": _SITE, "look": _LOOK}
        self._templates.globals |= {
            "groups": {**GROUPS, "fact.withdrawn": "Taken back"},
            "to": str,
            "canonical": "",
            "about_data": "",
            "sought": "",
        }

    def show(self, request: Request, name: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        found = self._templates.get_template(f"{name}.html")
        mapping = self.importer.mapping
        common = {
            "path": request.url.path,
            "key": self._key,
            "mapping": mapping,
            "fault": "",
            "faults": (),
            "look_again": (),
            "kept": False,
            "known": mapping.exists(),
        }
        return HTMLResponse(found.render(common | values), status)

    def handle(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Return a handler that requires the key in forms, and shows faults in words."""

        async def answer(request: Request) -> Response:
            async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=1 << 20) as form:
                if request.method == "POST" and not secrets.compare_digest(_text(form, "key"), self._key):
                    return self.show(request, "page", 403, fault="The form did not come from this page. Open it again.")
                try:
                    return await handler(self, request, form)
                except CannotGoOn as fault:
                    return self.show(request, "page", 422, fault=str(fault))

        return answer


async def _begin(page: Page, request: Request, _form: FormData) -> Response:
    return page.show(request, "page")


async def _look(page: Page, request: Request, form: FormData) -> Response:
    files = [file for file in form.getlist("file") if isinstance(file, UploadFile) and file.filename]
    if not files:
        raise CannotGoOn("Choose a file first.")
    dropped = page.importer.dropped
    digests = [await run_in_threadpool(dropped.keep, file.filename or "", file.file) for file in files]
    return await _looked(page, request, Asked(dropped.together(digests), _text(form, "taken")))


async def _looked(page: Page, request: Request, asked: Asked) -> Response:
    """Show what a file would lead to, or propose a mapping if there is none yet for its columns."""
    if page.importer.needs_mapping(asked.digest):
        text = await run_in_threadpool(page.importer.proposal, asked.digest)
        return await _columns(page, request, text, asked, proposed=True)
    try:
        result = await run_in_threadpool(page.importer.check, asked)
    except NoTable as fault:
        questions = await run_in_threadpool(page.importer.unplaced, page.importer.text(), asked.digest)
        return page.show(
            request, "tables", 422, asked=asked, text=page.importer.text(), questions=questions, fault=str(fault)
        )
    except NoColumn as fault:
        if page.importer.is_own(asked.digest):
            raise
        return await _columns(page, request, page.importer.text(), asked, 422, fault=str(fault))
    columns = page.importer.columns(asked.digest)
    name = " and ".join(file.name for file in page.importer.dropped.files(asked.digest))
    own = page.importer.is_own(asked.digest)
    left_out = [] if own else await run_in_threadpool(page.importer.unplaced, page.importer.text(), asked.digest)
    return page.show(
        request, "looked", outcome=result, columns=columns, asked=asked, name=name, own=own, left_out=left_out
    )


async def _columns(
    page: Page, request: Request, text: str, asked: Asked, status: int = 200, *, proposed: bool = False, **more: Any
) -> Response:
    """Show a mapping as a form, or as its text if that is no mapping at all."""
    try:
        form = await run_in_threadpool(page.importer.form, text, asked.digest)
    except CannotGoOn as fault:
        return page.show(request, "mapping", 422, text=text, asked=asked, proposed=proposed, fault=str(fault))
    others = await run_in_threadpool(page.importer.others, text, asked.digest)
    left_out = await run_in_threadpool(page.importer.left_out, text, asked.digest)
    more = {"by_hand": [], "others": others, "left_out": left_out} | more
    return page.show(request, "columns", status, text=text, asked=asked, form=form, proposed=proposed, **more)


async def _check(page: Page, request: Request, form: FormData) -> Response:
    return await _looked(page, request, _asked(form))


async def _mapping(page: Page, request: Request, _form: FormData) -> Response:
    text = page.importer.text()
    if text.strip():
        return await _columns(page, request, text, Asked(""))
    return page.show(request, "mapping", text=text, asked=Asked(""), proposed=False)


async def _as_form(page: Page, request: Request, form: FormData) -> Response:
    text = _text(form, "text") or page.importer.text()
    return await _columns(page, request, text, _asked(form), proposed=not page.importer.mapping.exists())


async def _tables(page: Page, request: Request, form: FormData) -> Response:
    """Ask what the sheets are that no table fits, and those that may have been taken for another table."""
    asked, text = _asked(form), _text(form, "text") or page.importer.text()
    of_none = await run_in_threadpool(page.importer.unplaced, text, asked.digest)
    questions = [*of_none, *await run_in_threadpool(page.importer.others, text, asked.digest)]
    return page.show(request, "tables", asked=asked, text=text, questions=questions)


async def _place(page: Page, request: Request, form: FormData) -> Response:
    """Let sheets be tables of the mapping, and show them in its form. Nothing is saved yet."""
    asked, base = _asked(form), _text(form, "text").replace("\r\n", "\n")
    answers = {name: value for name, value in form.items() if isinstance(value, str)}
    text, by_hand = await run_in_threadpool(page.importer.place, base, asked.digest, answers)
    return await _columns(page, request, text, asked, proposed=text != base, by_hand=by_hand)


async def _keep_columns(page: Page, request: Request, form: FormData) -> Response:
    """Take the answers to the form; keep the mapping and check the table once nothing is open."""
    asked, proposed = _asked(form), _text(form, "proposed") == "yes"
    answers = {name: value for name, value in form.items() if isinstance(value, str)}
    base = _text(form, "text").replace("\r\n", "\n")
    text, found = await run_in_threadpool(page.importer.answer, base, asked.digest, answers)
    if _text(form, "show") == "text":
        return page.show(request, "mapping", text=text, asked=asked, proposed=proposed)
    taken_in = [name for name, value in answers.items() if value and _SHEET.fullmatch(name)]
    if taken_in or _text(form, "show") == "again":
        text, by_hand = await run_in_threadpool(page.importer.place, text, asked.digest, answers)
        return await _columns(page, request, text, asked, proposed=proposed, by_hand=by_hand, faults=found.faults)
    shown = await run_in_threadpool(page.importer.form, text, asked.digest)
    faults = [*found.faults, *open_in(shown)]
    if faults or found.look_again:
        status = 422 if faults else 200
        return await _columns(
            page, request, text, asked, status, proposed=proposed, faults=faults, look_again=found.look_again
        )
    try:
        page.importer.keep_mapping(text)
        if asked.digest:
            return await _looked(page, request, asked)
    except CannotGoOn as fault:
        return await _columns(page, request, text, asked, 422, proposed=proposed, fault=str(fault))
    return await _columns(page, request, text, asked, kept=True)


async def _keep_mapping(page: Page, request: Request, form: FormData) -> Response:
    asked, text = _asked(form), _text(form, "text").replace("\r\n", "\n")
    try:
        page.importer.keep_mapping(text)
        if asked.digest:
            return await _looked(page, request, asked)
    except CannotGoOn as fault:
        return page.show(request, "mapping", 422, text=text, asked=asked, proposed=bool(asked.digest), fault=str(fault))
    return page.show(request, "mapping", text=text, asked=asked, proposed=False, kept=True)


async def _send(page: Page, request: Request, form: FormData) -> Response:
    asked = _asked(form)
    report = await run_in_threadpool(page.importer.send, asked)
    well = report.status == ALL_WELL
    return page.show(request, "sent", report=report, asked=asked, well=well)


def _asked(form: FormData) -> Asked:
    return Asked(_text(form, "digest"), _text(form, "taken"), _text(form, "let_vanish") == "yes")


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def application(importer: Importer, port: int, key: str) -> Starlette:
    """Return the application of the page, for that port and for whoever knows the key."""
    page = Page(importer, key)
    return Starlette(
        routes=[
            Route("/", page.handle(_begin)),
            Route("/look", page.handle(_look), methods=["POST"]),
            Route("/check", page.handle(_check), methods=["POST"]),
            Route("/mapping", page.handle(_mapping)),
            Route("/mapping", page.handle(_keep_mapping), methods=["POST"]),
            Route("/form", page.handle(_as_form), methods=["POST"]),
            Route("/tables", page.handle(_tables), methods=["POST"]),
            Route("/place", page.handle(_place), methods=["POST"]),
            Route("/columns", page.handle(_keep_columns), methods=["POST"]),
            Route("/send", page.handle(_send), methods=["POST"]),
            Mount("/static", StaticFiles(directory=WEB / "static")),
        ],
        middleware=[Middleware(Guard, port=port, key=key)],
    )


def serve(mapping: Path, platform: Platform | None, port: int, say: Callable[[str], object]) -> None:
    """Serve the page until interrupted. Dropped files are deleted when it ends."""
    key = secrets.token_urlsafe(24)
    with socket.create_server(("127.0.0.1", port)) as listening, TemporaryDirectory(prefix="payback-") as folder:
        (port,) = listening.getsockname()[1:2]
        importer = Importer(mapping, platform, Dropped(Path(folder)))
        say(f"Open http://127.0.0.1:{port}/?key={key}\nIt answers on this machine alone. Ctrl+C ends it.")
        config = uvicorn.Config(application(importer, port, key), log_config=None, server_header=False)
        _run(uvicorn.Server(config), listening)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Run until told to end. Signals are handled, since a closed terminal or a shutdown would end the process before dropped files are
    deleted.
    """

    def end(*_: object) -> None:
        server.should_exit = True

    for told in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):  # Windows has no SIGHUP
        signal.signal(told, end)
    server.run(sockets=[listening])
