"""Signing in to pages with a token, and out again."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from msgspec import json

from services.chassis.api.auth import COOKIE, InvalidToken, verify
from services.chassis.api.policy import KIB, MIB, Policies, Policy
from services.chassis.api.query import Takes
from services.chassis.web.frame import Frame

SIGNING_IN: Policies = {
    "GET /sign-in": Policy(answer=64 * KIB),
    "POST /sign-in": Policy(body=8 * KIB, answer=64 * KIB),
    "POST /sign-out": Policy(answer=4 * KIB),
    "GET /static/{name}": Policy(answer=MIB),
}
"""What holds for these pages, and for what every page is made of."""


def add_sign_in(pages: APIRouter, site: Frame) -> None:
    """Add the page to sign in, and the way out."""

    @pages.get("/sign-in", dependencies=[Depends(Takes("token"))])
    def form(request: Request) -> Response:
        return site.page(request, "sign_in", fault="", roles=list(_roles(site.settings.roles_path)))

    @pages.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        roles = _roles(site.settings.roles_path)
        token = _token_in(await _fields(request), roles)
        try:
            verify(token, request.app.state.tokens)
        except InvalidToken as reason:
            return site.page(request, "sign_in", 403, fault=str(reason), roles=list(roles))
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=site.settings.session_hours * 3600,
            httponly=True,
            samesite="strict",
            secure=not site.settings.insecure_cookie,
        )
        return answer

    @pages.post("/sign-out")
    def sign_out(request: Request) -> Response:
        answer = RedirectResponse("/", 303)
        if from_here(request):
            answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=not site.settings.insecure_cookie)
        return answer


def _roles(path: Path | None) -> Mapping[str, str]:
    """The tokens by role of a demonstration."""
    return json.decode(path.read_bytes(), type=dict[str, str]) if path else {}


async def _fields(request: Request) -> dict[str, list[str]]:
    """What the form sent; nothing where another site sent it."""
    return parse_qs((await request.body()).decode("ascii", "replace")) if from_here(request) else {}


def _token_in(fields: Mapping[str, list[str]], roles: Mapping[str, str]) -> str:
    """The token that was given, or that of the role that was chosen."""
    if "role" in fields:
        return roles.get(fields["role"][0], "")
    return fields.get("token", [""])[0].strip()


def from_here(request: Request) -> bool:
    """Return whether the form came from this site.

    Browsers say which site sent a form, and another site cannot forge that. One that does not say must name this origin.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site == "same-origin":
        return True  # with an origin of `null`, since our pages send no referrer
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return site in {None, "none"} and origin in ({None, own} if site is None else {None, own, "null"})
