"""Policies of the desk's pages. A viewer who is not signed in is sent to the sign-in page."""

from services.chassis.api.policy import KIB, MIB, Policies, Policy, Who
from services.chassis.web.sign_in import SIGNING_IN

_PAGE = Policy(Who.OWN_ORDERS, page=True)
_FORM = Policy(Who.OWN_ORDERS, page=True, body=256 * KIB)
"""An event of 64 KiB, each byte of which a browser may write as three."""
_FILE = Policy(Who.OWN_ORDERS, page=True, answer=64 * MIB)
POLICIES: Policies = {
    "GET /": _PAGE,
    **{
        f"GET /{name}.{extension}": _FILE
        for name in ("today", "hours", "orders", "wrong", "held")
        for extension in ("csv", "xlsx")
    },
    "GET /hours": _PAGE,
    "POST /acknowledge": Policy(Who.MANAGER, page=True, body=256 * KIB),
    "GET /orders": _PAGE,
    "GET /find": _PAGE,
    "GET /orders/{subject:path}": _PAGE,
    "GET /counted/{subject:path}": _PAGE,
    "GET /figures": _PAGE,
    "GET /wrong": _PAGE,
    "GET /held": _PAGE,
    "GET /returns": _PAGE,
    "GET /returns/all.xlsx": _FILE,
    "GET /returns/{name}.csv": _FILE,
    "GET /reports/{label}": _PAGE,
    "GET /reports/{label}.docx": _FILE,
    "GET /evidence/{label}": _PAGE,
    "GET /evidence/{label}.docx": _FILE,
    "GET /refusals": _PAGE,
    "GET /refusals/{service}/{offset}": _PAGE,
    "POST /refusals/{service}/{offset}": _FORM,
    "GET /check": _PAGE,
    "POST /check": _FORM,
    "GET /settings": _PAGE,
    "POST /settings/{name}": Policy(Who.MANAGER, page=True),
    "GET /webhooks": _PAGE,
    "POST /webhooks": Policy(Who.MANAGER, page=True),
    "POST /webhooks/{service}/{webhook}": Policy(Who.MANAGER, page=True),
    "POST /feeds": Policy(Who.MANAGER, page=True),
    "GET /calendar/{secret}.ics": Policy(answer=MIB),
    **SIGNING_IN,
}
