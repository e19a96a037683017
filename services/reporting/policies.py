"""What holds for the routes of the API and for the pages. Anybody may look; how much one sees, the gate decides."""

from services.chassis.api.policy import KIB, MIB, OPEN, Policies, Policy, Who
from services.chassis.web.sign_in import SIGNING_IN

_PAGE = Policy(answer=4 * MIB)
POLICIES: Policies = {
    "GET /v1/cells": Policy(Who.NATIONAL),
    "GET /v1/positions": Policy(Who.MEMBER, answer=MIB),
    "GET /v1/indicators": OPEN,
    "GET /v1/indicators/{id}": Policy(answer=256 * KIB),
    "GET /v1/indicators/{id}/data": Policy(answer=64 * MIB),
    "GET /v1/indicators/{id}/data.{extension}": Policy(answer=64 * MIB),
    "GET /v1/indicators/{id}/difference": Policy(answer=MIB),
    "GET /v1/authorities/{code}/profile": OPEN,
    "GET /v1/compare/{id}": Policy(answer=MIB),
    "GET /v1/quality": Policy(answer=MIB),
    "GET /v1/releases": OPEN,
    "GET /v1/releases/{id}/changes": OPEN,
    "GET /v1/stream": Policy(listens=True),
    "GET /": _PAGE,
    "GET /indicators": _PAGE,
    "GET /indicators/{id}": _PAGE,
    "GET /indicators/{id}/figures.{extension}": Policy(answer=64 * MIB),
    "GET /compare": _PAGE,
    "GET /compare/{id}": _PAGE,
    "GET /authorities": _PAGE,
    "GET /authorities/{code}": _PAGE,
    "GET /quality": _PAGE,
    "GET /releases": _PAGE,
    "GET /releases/{id}": _PAGE,
    "GET /about": _PAGE,
    **SIGNING_IN,
}
