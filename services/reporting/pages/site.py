"""What every page needs: who looks, in one transaction, and the templates."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Engine

from services.chassis.auth import PUBLIC, Identity, InvalidToken, verify
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.reporting.figures.answers import Desk
from services.reporting.pages import views, words
from services.reporting.pages.views import Reader
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND
from services.reporting.settings import SiteSettings

COOKIE = "payback_token"


@dataclass(frozen=True, slots=True)
class Site:
    """What every page needs."""

    database: Engine
    clock: Clock
    settings: SiteSettings
    templates: Environment

    def viewer(self, request: Request) -> Identity:
        """Who looks. A token that proves nothing any more is as good as none."""
        token = request.cookies.get(COOKIE)
        if not token:
            return PUBLIC
        try:
            return verify(token, request.app.state.tokens)
        except InvalidToken:
            return PUBLIC

    @contextmanager
    def reading(self, request: Request, definition: int | None = None, *, many: bool = False) -> Iterator[Reader]:
        """Asks for the one who looks, in one transaction. `many` as a Desk has it."""
        release = request.query_params.get("release") or None
        with transaction(self.database) as connection:
            yield Reader(Desk(connection, self.viewer(request), self.clock().date(), many), release, definition)

    def page(self, request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """A page. `no-store`, since who is signed in decides what it shows."""
        viewer = self.viewer(request)
        here = self.templates.get_template(f"{template}.html")
        return HTMLResponse(
            here.render(
                site=self.settings,
                viewer=viewer,
                viewer_name=AREA_NAMES.get(viewer.authority or "", ""),
                path=request.url.path,
                **values,
            ),
            status,
        )


def templates() -> Environment:
    """Everything is escaped; a name that is not there is an error."""
    environment = Environment(
        loader=PackageLoader("services.reporting.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup  # charts escape what they are given
    environment.globals |= {
        "words": words,
        "area_names": AREA_NAMES,
        "scotland": SCOTLAND,
        "direction": views.direction,
    }
    return environment
