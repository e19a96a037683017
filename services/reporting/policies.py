"""The policies of the API's routes and of the pages. Anybody may view them; the gate decides how much they see."""

from services.chassis.api.policy import KIB, MIB, OPEN, Policies, Policy, Who
from services.chassis.web.sign_in import SIGNING_IN
from services.reporting.pages.addresses import within_release

_PAGE = Policy(answer=4 * MIB)
_FILE = Policy(answer=64 * MIB)


def _pages(*paths: str) -> Policies:
    """Return policies of pages that show the present state, and of the same pages within every release."""
    whole = (path for each in paths for path in (each, within_release(each)))
    return {f"GET {path}": _PAGE for path in whole}


POLICIES: Policies = {
    "GET /v1/cells": Policy(Who.NATIONAL),
    "GET /v1/positions": Policy(Who.MEMBER, answer=MIB),
    "GET /v1/indicators": OPEN,
    "GET /v1/indicators/{id}": Policy(answer=256 * KIB),
    "GET /v1/indicators/{id}/data": Policy(answer=64 * MIB),
    "GET /v1/indicators/{id}/data.{extension}": Policy(answer=64 * MIB),
    "GET /v1/data": Policy(answer=64 * MIB),
    "GET /v1/data.{extension}": Policy(answer=64 * MIB),
    "GET /v1/indicators/{id}/difference": Policy(answer=MIB),
    "GET /v1/authorities/{code}/profile": OPEN,
    "GET /v1/compare": Policy(answer=8 * MIB),
    "GET /v1/compare/{id}": Policy(answer=MIB),
    "GET /v1/quality": Policy(answer=MIB),
    "GET /v1/releases": OPEN,
    "GET /v1/releases/calendar": OPEN,
    "GET /v1/releases/{id}/changes": OPEN,
    "GET /v1/releases/{id}/changes/cells": OPEN,
    "GET /v1/stream": Policy(listens=True),
    "GET /v1/releases/{id}/files": OPEN,
    "GET /v1/releases/{id}/data": _FILE,
    "GET /v1/codes": OPEN,
    "POST /v1/sessions": Policy(Who.PERSON, body=32 * KIB, answer=KIB),
    "GET /v1/sessions": Policy(Who.PERSON, answer=64 * KIB),
    "DELETE /v1/sessions/{id}": Policy(Who.PERSON, answer=KIB),
    "GET /v1/session": Policy(answer=32 * KIB, apart=True),
    "DELETE /v1/session": Policy(answer=KIB),
    **_pages(
        "/", "/indicators", "/indicators/{id}", "/compare", "/compare/{id}", "/authorities", "/authorities/{code}"
    ),
    **_pages("/quality"),
    "GET /indicators/{id}/figures.{extension}": _FILE,
    "GET /releases/{release}/indicators/{id}/figures.{extension}": _FILE,
    **_pages("/indicators/{id}/chart.{extension}", "/compare/{id}/chart.{extension}"),
    "GET /releases": _PAGE,
    "GET /releases/{release}": _PAGE,
    "GET /releases/{release}/files/{name:path}": _FILE,
    "GET /releases/feed.atom": _PAGE,
    "GET /releases/calendar.ics": _PAGE,
    "GET /about": _PAGE,
    "GET /search": _PAGE,
    "GET /data": _PAGE,
    "GET /data/catalogue.jsonld": _PAGE,
    "GET /docs": _PAGE,
    "GET /sitemap.xml": _PAGE,
    "GET /robots.txt": _PAGE,
    **SIGNING_IN,
}
