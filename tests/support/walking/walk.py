"""A walk of one authority over every route of an application, each asked so that it is answered and not only refused.

The routes come from the application's own table. One that needs more than its address has a row here: without it, the walk is told no.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from contracts.decoding.codec import encode
from contracts.events import Topic
from contracts.generate.samples import EVENTS
from contracts.receipts.keys import public_key
from tests.support.lives import event, imposed

SUBJECTS = ("X/1", "X/2", "X/3")
"""The references that it asks for: few, so that guesses often hit."""
NDJSON = {"Content-Type": "application/x-ndjson"}
OTHER = "S12000049"
RECORDED = datetime(2025, 6, 1, tzinfo=UTC)


class Asked(NamedTuple):
    """One request."""

    route: str
    """As in the table of policies."""
    path: str
    given: Mapping[str, Any] = {}
    """The body and headers, as a client takes them."""

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def name(self) -> str:
        """Return a name that no other request of a walk has."""
        return f"{self.method} {self.path} {self.given}"


def secret_of(authority: str) -> str:
    """Return the secret of its calendar."""
    return f"{authority}-{'calendar-' * 4}"


def webhook_of(authority: str) -> str:
    """Return the name of its first receiver, as `Making` makes it."""
    return f"wh_{authority}"


def signing_key_of(authority: str) -> str:
    """Return the public key with which it signs its events."""
    return urlsafe_b64encode(sha256(authority.encode()).digest()).decode().rstrip("=")


def told_by(topic: Topic, authority: str) -> bytes:
    """Return lines to send: an event that is accepted, one of another authority, and one that nobody can read."""
    own = imposed(date(2025, 3, 3)) if topic is Topic.ORDERS else FIRST_OF[topic]
    events = [encode(event(own, SUBJECTS[0], code, 900, RECORDED)) for code in (authority, OTHER)]
    return b"\n".join([*events, b"nothing that can be read"])


FIRST_OF = {topic: next(one.data for one in EVENTS if type(one.data).TOPICS[0] is topic) for topic in Topic}


def of_records(routes: Iterable[str], topic: Topic, authority: str) -> list[Asked]:
    """Return a walk over the API of a service of records: what it makes, all that it reads, and what it takes back."""
    rows = _rows_of_records(topic, authority)
    walk = [one for route in routes for one in rows.get(route, _by_address)(route)]
    again = [one for one in walk if one.route == "GET /v1/audit"]
    return [*sorted(walk, key=_turn), *(one._replace(path=f"{one.path}?limit=500") for one in again)]


_METHODS = ("PUT", "POST", "GET", "DELETE")


def _turn(one: Asked) -> tuple[int, bool, str]:
    """Sort what makes something first, in the order in which it is possible, and what takes it away last."""
    return _METHODS.index(one.method), "references" not in one.path, one.path


Row = Callable[[str], list[Asked]]


def _by_address(route: str) -> list[Asked]:
    """Ask for the address alone, and for each order that it may name. Any other name in it needs a row: it is a KeyError."""
    path = route.partition(" ")[2].replace(":path", "")
    subjects = SUBJECTS if "{subject}" in path else SUBJECTS[:1]
    return [Asked(route, path.format(subject=subject)) for subject in subjects]


def _at(*paths: str, **given: Any) -> Row:
    return lambda route: [Asked(route, path, given) for path in paths]


def _with(*bodies: object, at: str = "") -> Row:
    return lambda route: [Asked(route, at or route.partition(" ")[2], {"json": body}) for body in bodies]


def _rows_of_records(topic: Topic, authority: str) -> Mapping[str, Row]:
    own, webhook, x = "/v1/own", f"/v1/webhooks/{webhook_of(authority)}", signing_key_of(authority)
    lines: dict[str, Any] = {"content": told_by(topic, authority), "headers": NDJSON}
    hashed = sha256(secret_of(authority).encode()).hexdigest()
    duties = [{"subject": subject, "standard": "first_contact", "due_on": "2025-03-05"} for subject in SUBJECTS]
    of_the_year = {
        f"GET /v1/returns/{name}": _at(f"/v1/returns/{name}?year=2024-25")
        for name in ("annual-report", "reconciliation", "whole", "cpo", "unpaid-work")
    }
    return of_the_year | {
        "POST /v1/events": _at("/v1/events", **lines),
        "POST /v1/validate": _at("/v1/validate", **lines),
        "POST /v1/acknowledgements": _with(
            {"duties": duties, "reason": "too_late"}, {"duties": duties[:1], "reason": None}
        ),
        f"PUT {own}/closed-days": _with({"day": "2025-04-21", "name": "Fair"}),
        f"PUT {own}/targets": _with(
            {"standard": "plan", "since": "2025-01-01", "limit": 9, "unit": "days", "source": "We"}
        ),
        f"PUT {own}/aims": _with({"standard": "plan", "since": "2025-01-01", "target": 90, "change": "More"}),
        f"PUT {own}/feeds": _with({"hash": hashed, "name": "Team", "references": True}),
        f"PUT {own}/feed-references": _with({"source": "We"}),
        f"PUT {own}/signing-keys": _with({"x": x}),
        f"DELETE {own}/closed-days": _at(f"{own}/closed-days?day=2025-04-21"),
        f"DELETE {own}/targets": _at(f"{own}/targets?standard=plan&since=2025-01-01"),
        f"DELETE {own}/aims": _at(f"{own}/aims?standard=plan&since=2025-01-01"),
        f"DELETE {own}/feeds": _at(f"{own}/feeds?hash={hashed}"),
        f"DELETE {own}/signing-keys": _at(f"{own}/signing-keys?kid={public_key(x)['kid']}"),
        "POST /v1/webhooks": _with({"name": "Ours", "url": "https://receiver.example/", "after": ""}),
        "POST /v1/webhooks/{webhook}/secret": _with({}, at=f"{webhook}/secret"),
        "POST /v1/webhooks/{webhook}/resume": _with({}, at=f"{webhook}/resume"),
        "DELETE /v1/webhooks/{webhook}": _at(webhook),
        "GET /v1/feed": _at("/v1/feed", headers={"Payback-Feed": secret_of(authority)}),
        "GET /v1/worklist": _at("/v1/worklist", "/v1/worklist?within=250"),
        "GET /v1/findings": _at("/v1/findings", "/v1/findings?limit=1"),
        "GET /v1/counted": _at("/v1/counted?month=2025-03", "/v1/counted?month=2025-04"),
        "GET /v1/explain": _at("/v1/explain?measure=orders_imposed&period=2025-03"),
        "GET /v1/events/{event_id:path}": _at("/v1/events/1", "/v1/events/2"),
        "GET /v1/evidence/receipts/{event_id:path}": _at("/v1/evidence/receipts/1"),
        "GET /v1/evidence/consistency": _at("/v1/evidence/consistency?old=1&new=1"),
    }


REASONS = {"act": "acknowledge", "reason": "too_late"}
CALENDAR = {"feed": "Team", "shows": "references"}
SERVICES = ("orders", "unpaid-work")
SETTINGS: Mapping[str, dict[str, str]] = {
    "closed-days": {"day": "2025-04-22", "name": "Fair"},
    "targets": {"standard": "plan", "since": "2025-01-02", "limit": "9", "unit": "days", "source": "We"},
    "aims": {"standard": "plan", "since": "2025-01-02", "target": "90", "change": "More"},
    "feed-references": {"source": "We"},
}


def of_desk(routes: Iterable[str], authority: str) -> list[Asked]:
    """Return a walk over the desk: forms that make something, all pages, and forms that take it back."""
    rows = _rows_of_desk(authority)
    walk = [one for route in routes for one in rows.get(route, _by_address)(route)]
    return sorted(walk, key=_turn_at_the_desk)


def _turn_at_the_desk(one: Asked) -> tuple[int, bool]:
    fields = one.given.get("data", {})
    ends = fields.get("act") in {"take_back", "remove"} or one.path == "/sign-out"
    return 2 if ends else one.method == "GET", "references" not in one.path


def _form(path: str, *forms: Mapping[str, Any]) -> Row:
    return lambda route: [Asked(route, path, {"data": form}) for form in forms]


def _rows_of_desk(authority: str) -> Mapping[str, Row]:
    lines = b"\n".join(told_by(topic, authority) for topic in Topic).decode()
    back = {"act": "take_back"}
    hashed = sha256(secret_of(authority).encode()).hexdigest()
    told = {"event": encode(event(imposed(date(2025, 3, 3)), SUBJECTS[0], authority, 901, RECORDED)).decode()}
    return {
        "POST /acknowledge": _form("/acknowledge", {**REASONS, "duty": [f"first_contact 2025-03-05 {SUBJECTS[0]}"]}),
        "POST /refusals/{service}/{offset}": _form("/refusals/orders/0", told, {**told, "act": "send"}),
        "POST /check": _at("/check", files={"lines": (None, lines), "act": (None, "send")}),
        "POST /settings/{name}": lambda route: [
            *(Asked(route, f"/settings/{name}", {"data": fields}) for name, fields in SETTINGS.items()),
            Asked(route, "/settings/feeds", {"data": {"hash": hashed, **back}}),
            *(Asked(route, f"/settings/{name}", {"data": fields | back}) for name, fields in SETTINGS.items()),
        ],
        "POST /webhooks": _form("/webhooks", {"of": "both", "name": "Ours", "url": "https://receiver.example/"}),
        "POST /webhooks/{service}/{webhook}": lambda route: [
            Asked(route, f"/webhooks/{service}/{webhook_of(authority)}", {"data": {"act": act}})
            for service in SERVICES
            for act in ("secret", "resume", "remove")
        ],
        "POST /feeds": _form("/feeds", CALENDAR),
        "GET /refusals/{service}/{offset}": _at(*(f"/refusals/{service}/0" for service in SERVICES)),
        "GET /calendar/{secret}.ics": _at(f"/calendar/{secret_of(authority)}.ics"),
        "GET /figures": _at("/figures?service=orders&measure=orders_imposed&period=2025-03-01&category="),
        "GET /held": _at("/held", "/held?month=2025-03"),
        "GET /find": _at("/find?reference=X/1"),
        "GET /returns/all.xlsx": _at("/returns/all.xlsx?year=2024-25"),
        "GET /returns/{name}.csv": _at("/returns/cpo.csv?year=2024-25", "/returns/unpaid-work.csv?year=2024-25"),
        **{f"GET /{kind}/{{label}}{end}": _at(f"/{kind}/2024-25{end}") for kind, end in _REPORTS},
    }


_REPORTS = [(kind, end) for kind in ("reports", "evidence") for end in ("", ".docx")]


class Making:
    """Makes what the services would choose at random, for one authority at a time."""

    def __init__(self, authority: str = "") -> None:
        self.authority = authority

    def webhook(self, _size: int) -> str:
        return webhook_of(self.authority).removeprefix("wh_")

    def secret(self) -> str:
        return f"whsec_{self.authority}"

    def calendar(self, _size: int) -> str:
        return secret_of(self.authority)
