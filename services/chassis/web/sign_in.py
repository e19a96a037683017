"""Signing in to pages, signing out, and the list of one's own sessions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from msgspec import json

from services.chassis.api.auth import COOKIE, InvalidToken, ready_for, verify
from services.chassis.api.policy import KIB, MIB, Policies, Policy, Who
from services.chassis.api.problems import Problem
from services.chassis.api.query import Takes
from services.chassis.guarding.guessing import check_guesses, count_wrong
from services.chassis.settings import TokenSettings
from services.chassis.web.frame import Frame
from services.chassis.web.oidc import DONE, NotSignedIn
from services.chassis.web.sessions import NOT_FOR_PAGES, Sessions, session_of

SIGNING_IN: Policies = {
    "GET /sign-in": Policy(answer=64 * KIB),
    "POST /sign-in": Policy(body=8 * KIB, answer=64 * KIB),
    "GET /sign-in/begin": Policy(answer=4 * KIB),
    f"GET {DONE}": Policy(answer=64 * KIB),
    "POST /sign-out": Policy(answer=4 * KIB),
    "GET /sessions": Policy(answer=256 * KIB),
    "POST /sessions/{id}": Policy(answer=64 * KIB),
    "GET /static/{name}": Policy(answer=MIB),
}
"""The policies of these pages, and of the parts of every page."""
SIGNING_SECONDS = 600
"""How long a sign-in may take."""
SIGN_INS = "sign-ins"
"""Those that fail are counted: each asks the provider and is on record, and anybody can have one fail."""
LONG_OVER = "Thu, 01 Jan 1970 00:00:00 GMT"
ANSWERED = ("code", "state", "iss", "error", "error_description", "error_uri", "session_state")
"""Parameters that providers add to the address to which they return people."""


def add_sign_in(pages: APIRouter, site: Frame) -> None:
    """Add the page to sign in, the way out, and the list of sessions."""
    asked = _Asked(site)
    pages.add_api_route("/sign-in", asked.form, methods=["GET"])
    pages.add_api_route("/sign-in", asked.sign_in_for_development, methods=["POST"])
    pages.add_api_route("/sign-in/begin", asked.begin, methods=["GET"])
    pages.add_api_route(DONE, asked.done, methods=["GET"], dependencies=[Depends(Takes(*ANSWERED))])
    pages.add_api_route("/sign-out", asked.sign_out, methods=["POST"])
    pages.add_api_route("/sessions", asked.sessions, methods=["GET"])
    pages.add_api_route("/sessions/{id}", asked.end_session, methods=["POST"])


class _Asked:
    """The answers at these addresses."""

    def __init__(self, site: Frame) -> None:
        self._site = site
        self._secure = not site.settings.insecure_cookie
        self._attempt = "__Host-payback_signing_in" if self._secure else "payback_signing_in"

    def form(self, request: Request) -> Response:
        """Show how to sign in here."""
        return self._form(request, 200, "")

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider."""
        sessions = _sessions_of(request)
        if sessions is None or sessions.provider is None:
            raise Problem(404, "Not Found")
        address, secret = await sessions.provider.begin()
        answer = RedirectResponse(address, 303)
        answer.set_cookie(
            self._attempt, secret, max_age=SIGNING_SECONDS, httponly=True, samesite="lax", secure=self._secure
        )
        return answer

    async def done(self, request: Request) -> Response:
        """Begin a session for the person whom the provider sends back.

        Our own page then asks for the next one: for an address to which another site led, browsers withhold our cookie.
        """
        check_guesses(request.scope, SIGN_INS)
        try:
            sessions, secret = await self._begun(request)
        except (NotSignedIn, InvalidToken) as reason:
            count_wrong(request.scope, SIGN_INS)
            if asked := _sessions_of(request):
                await asked.refused(request.scope, type(reason).__name__)
            return self._without_attempt(self._form(request, 403, str(reason)))
        answer = self._site.page(request, "signed_in")
        answer.set_cookie(sessions.cookie, secret, httponly=True, samesite="strict", secure=self._secure)
        return self._without_attempt(answer)

    async def _begun(self, request: Request) -> tuple[Sessions, str]:
        """Return the sessions and the new one's secret. Raises NotSignedIn, InvalidToken, Away."""
        sessions = _sessions_of(request)
        if sessions is None or sessions.provider is None:
            raise NotSignedIn("You cannot sign in here that way.")
        token = await sessions.provider.finish(request.cookies.get(self._attempt, ""), request.query_params)
        return sessions, await sessions.begin(token, request.scope)

    async def sign_in_for_development(self, request: Request) -> Response:
        """Keep a token in the browser itself."""
        roles = _roles(self._site.settings.roles_path)
        try:
            token = _token_in(await _fields(request), roles)
            await ready_for(token, request.app.state.tokens)
            _check_for_development(token, request.app.state.tokens)
        except InvalidToken as reason:
            return self._form(request, 403, str(reason))
        answer = RedirectResponse("/", 303)
        seconds = self._site.settings.session_hours * 3600
        answer.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=self._secure)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session, on the server first. Raises Away if it cannot be ended now, so that nobody is told that it has ended."""
        answer = RedirectResponse("/", 303)
        if from_here(request):
            if sessions := _sessions_of(request):
                await sessions.end(request.scope)
            self._forget(answer, request)
        return answer

    async def sessions(self, request: Request) -> Response:
        """List all sessions of the person."""
        sessions, session = _sessions_of(request), session_of(request.scope)
        if sessions is None or session is None:
            return RedirectResponse("/sign-in", 303)
        return self._site.page(request, "sessions", listed=await sessions.store.listed(session), here=session.handle)

    async def end_session(self, request: Request, id: str) -> Response:  # noqa: A002 - as the address has it
        """End one of the person's own sessions."""
        sessions, session = _sessions_of(request), session_of(request.scope)
        if sessions is None or session is None:
            return RedirectResponse("/sign-in", 303)
        if from_here(request):
            await sessions.store.end_other(session, id)
        return RedirectResponse("/sessions", 303)

    def _form(self, request: Request, status: int, fault: str) -> Response:
        sessions, development = _sessions_of(request), request.app.state.tokens.development
        return self._site.page(
            request,
            "sign_in",
            status,
            fault=fault,
            roles=sorted(_roles(self._site.settings.roles_path)) if development else [],
            by_token=development,
            by_provider=sessions is not None and sessions.provider is not None,
        )

    def _without_attempt(self, answer: Response) -> Response:
        _take_back(answer, self._attempt, "lax", secure=self._secure)
        return answer

    def _forget(self, answer: Response, request: Request) -> None:
        sessions = _sessions_of(request)
        for cookie in {COOKIE, sessions.cookie if sessions else COOKIE}:
            _take_back(answer, cookie, "strict", secure=self._secure)


def _take_back(answer: Response, cookie: str, samesite: Literal["lax", "strict"], *, secure: bool) -> None:
    """Have the browser forget a cookie, whatever its clock says: the framework would name the present second, so that no two answers are
    alike.
    """
    answer.set_cookie(cookie, "", max_age=0, expires=LONG_OVER, httponly=True, samesite=samesite, secure=secure)


def _sessions_of(request: Request) -> Sessions | None:
    found: Sessions | None = request.app.state.sessions
    return found


def _check_for_development(token: str, tokens: TokenSettings) -> None:
    """Raise InvalidToken for a token that signs nobody in to pages."""
    if not tokens.development:
        raise InvalidToken("Tokens sign in to pages for development only")
    if not Who.PERSON.lets_in(verify(token, tokens)):
        raise InvalidToken(NOT_FOR_PAGES)


def _roles(path: Path | None) -> Mapping[str, str]:
    """Return the tokens of a demonstration, by role."""
    return json.decode(path.read_bytes(), type=dict[str, str]) if path else {}


async def _fields(request: Request) -> dict[str, list[str]]:
    """Return the fields of the form; none if another site sent it."""
    return parse_qs((await request.body()).decode("ascii", "replace")) if from_here(request) else {}


def _token_in(fields: Mapping[str, list[str]], roles: Mapping[str, str]) -> str:
    """Return the token that was given, or that of the chosen role."""
    if "role" in fields:
        return roles.get(fields["role"][0], "")
    return fields.get("token", [""])[0].strip()


def from_here(request: Request) -> bool:
    """Return whether the form came from this site.

    Browsers say which site sent a form, and another site cannot forge that. A browser that does not must name this origin.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site == "same-origin":
        return True  # the origin is `null`, since our pages send no referrer
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return site in {None, "none"} and origin in ({None, own} if site is None else {None, own, "null"})
