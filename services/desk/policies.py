"""What holds for the pages of the desk, which sends who is not signed in to the page to sign in."""

from services.chassis.api.policy import KIB, MIB, Policies, Policy, Who
from services.chassis.web.sign_in import SIGNING_IN

_PAGE = Policy(Who.OWN_ORDERS)
_FORM = Policy(Who.OWN_ORDERS, body=256 * KIB)
"""An event of 64 KiB, each byte of which a browser may write as three."""
POLICIES: Policies = {
    "GET /": _PAGE,
    "GET /today.csv": Policy(Who.OWN_ORDERS, answer=64 * MIB),
    "GET /today.xlsx": Policy(Who.OWN_ORDERS, answer=64 * MIB),
    "GET /orders": _PAGE,
    "GET /find": _PAGE,
    "GET /orders/{subject:path}": _PAGE,
    "GET /wrong": _PAGE,
    "GET /held": _PAGE,
    "GET /returns": _PAGE,
    "GET /returns/{name}.csv": Policy(Who.OWN_ORDERS, answer=64 * MIB),
    "GET /refusals": _PAGE,
    "GET /refusals/{service}/{offset}": _PAGE,
    "POST /refusals/{service}/{offset}": _FORM,
    "GET /check": _PAGE,
    "POST /check": _FORM,
    **SIGNING_IN,
}
