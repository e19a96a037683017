"""Signing in to pages with a token, and out again."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.chassis.auth import InvalidToken, verify
from services.chassis.web.frame import COOKIE, Frame

LONGEST_TOKEN = 4096


def add_sign_in(pages: APIRouter, site: Frame) -> None:
    """Add the page to sign in, and the way out."""

    @pages.get("/sign-in")
    def form(request: Request) -> Response:
        return site.page(request, "sign_in", token=request.query_params.get("token", ""), fault="")

    @pages.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        token = await _token_in(request)
        try:
            verify(token, request.app.state.tokens)
        except InvalidToken as reason:
            return site.page(request, "sign_in", 403, token="", fault=str(reason))
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
        if _from_here(request):
            answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=not site.settings.insecure_cookie)
        return answer


async def _token_in(request: Request) -> str:
    """What the form sent; nothing where another site sent it."""
    if not _from_here(request):
        return ""
    fields = parse_qs((await request.body())[:LONGEST_TOKEN].decode("ascii", "replace"))
    return fields.get("token", [""])[0].strip()


def _from_here(request: Request) -> bool:
    """Browsers say which site sent a form; it cannot be forged from another site. (Origin is `null` under no-referrer.)"""
    return request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
