"""The frame around every page: the viewer, the navigation and the templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from contracts.authorities import AUTHORITIES
from services.chassis.api.auth import COOKIE, PUBLIC, Identity, InvalidToken, verify
from services.chassis.api.policy import Who
from services.chassis.failures import Away
from services.chassis.settings import SiteSettings, TokenSettings
from services.chassis.web import assets
from services.chassis.web.sessions import SCOPE_KEY, Session, session_of

POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The content security policy of pages: no scripts, and nothing from elsewhere."""


class Link(NamedTuple):
    """An entry of the navigation or of the footer."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """The look of one service's pages."""

    subtitle: str
    navigation: tuple[Link, ...]
    footer: tuple[Link, ...] = ()
    footnote: str = ""
    """The publisher, and the licence."""
    search: str = ""
    """The address of the search box in the header; empty if there is none."""
    feed: str = ""
    """The address of the feed with news."""
    sign_in: str = ""
    """What somebody sees who signs in, and who does not."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts that every page of a service needs."""

    settings: SiteSettings
    look: Look
    templates: Environment

    def viewer(self, request: Request) -> Identity:
        """Return the viewer. An invalid token counts as none. Raises Away if the viewer cannot be determined."""
        try:
            token = self.token(request)
            identity = verify(token, request.app.state.tokens) if token else PUBLIC
        except InvalidToken:
            return PUBLIC
        return identity if Who.PERSON.lets_in(identity) else PUBLIC

    def token(self, request: Request) -> str | None:
        """Return the token of the viewer: of their session, or with development tokens the one that the browser keeps. Raises Away."""
        if session := session_of(request.scope):
            return session.token
        tokens: TokenSettings = request.app.state.tokens
        return request.cookies.get(COOKIE) if tokens.development else None

    def page(self, request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """Return a page. It is never cached, since who is signed in decides what it shows."""
        viewer = self._viewer_if_told(request)
        authority = AUTHORITIES.get(viewer.authority or "")
        values = {"to": _unchanged, "canonical": "", "about_data": "", "sought": ""} | values
        here = self.templates.get_template(f"{template}.html")
        return HTMLResponse(
            here.render(
                site=self.settings,
                look=self.look,
                viewer=viewer,
                viewer_name=authority.name if authority else "",
                has_session=isinstance(request.scope.get(SCOPE_KEY), Session),
                path=request.url.path,
                **values,
            ),
            status,
        )

    def _viewer_if_told(self, request: Request) -> Identity:
        try:
            return self.viewer(request)
        except Away:
            return PUBLIC


def _unchanged(path: str) -> str:
    """Return the target of a link in the navigation unchanged. A service may add to it, such as which release is being read."""
    return path


def templates(package: str, names: Mapping[str, Any]) -> Environment:
    """Return the templates of a package, over the shared ones. Everything is escaped; an unknown name is an error."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(__package__)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup  # charts escape their input themselves
    environment.globals |= {"asset": assets.address, **names}
    return environment
