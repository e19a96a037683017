"""Every route and page, by every role: the table of policies says who may, the answers say the same, and so do the documents."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from services.chassis.api.auth import COOKIE, PUBLIC, Identity, mint
from services.chassis.api.policy import Policy, Role, Who
from services.chassis.clock import system_clock
from tests.support.asking import InThisThread
from tests.support.reports import access
from tests.unit.test_routes import APPLICATIONS, KEYS

AUTHORITY = "S12000033"
HOMELESS = Identity("of no authority", frozenset({"orders:read", "events:write"}))
CALLERS = {role.title: role.identity(AUTHORITY) for role in Role} | {"of no authority": HOMELESS}


def headers(caller: Identity, page: bool) -> dict[str, str]:
    if caller is PUBLIC:
        return {}
    token = mint(KEYS.private, caller, timedelta(hours=1), system_clock)
    return {"Cookie": f"{COOKIE}={token}"} if page else {"Authorization": f"Bearer {token}"}


def lets_in(policy: Policy, status: int, location: str) -> bool:
    """Return whether the answer lets the caller in. PostgreSQL and Kafka are away, so whoever is let in gets another error."""
    if policy.page:
        return status != 403 and location != "/sign-in"
    return status not in {401, 403}


@pytest.mark.parametrize("service", APPLICATIONS)
def test_each_role_gets_in_where_the_table_says_so_and_nowhere_else(service: str) -> None:
    app = APPLICATIONS[service]
    client = InThisThread(app, raise_server_exceptions=False, follow_redirects=False)
    for name, policy in app.state.policies.items():
        method, path = name.split(" ")
        if policy.listens or path.startswith("/sign"):
            continue
        for who, caller in CALLERS.items():
            given = headers(caller, policy.page)
            answer = client.request(method, re.sub("{.*?}", "1", path), headers=given)
            told = lets_in(policy, answer.status_code, answer.headers.get("location", ""))
            assert told == policy.who.lets_in(caller), (name, who, answer.status_code)
            if not policy.page and not told:
                assert answer.status_code == (401 if caller is PUBLIC else 403), (name, who)


def test_no_route_about_orders_is_open() -> None:
    """Whatever the tables are made to say: rows about people are for their authority. A feed proves by its address who may read it."""
    for service in ("orders", "unpaid_work", "desk"):
        for name, policy in APPLICATIONS[service].state.policies.items():
            if name not in access.OPEN_TO_ALL and name not in {
                "GET /v1/transfers",
                "GET /v1/feed",
                "GET /v1/evidence/keys",
                "GET /calendar/{secret}.ics",
            }:
                assert policy.who in {Who.OWN_ORDERS, Who.OWN_EVENTS, Who.SENDER, Who.MANAGER}, (service, name)
                assert not any(policy.who.lets_in(who) for who in (PUBLIC, HOMELESS)), (service, name)


def test_documents_say_who_may() -> None:
    for app in APPLICATIONS.values():
        policies = {name.replace(":path}", "}"): policy for name, policy in app.state.policies.items()}
        for path, operations in app.openapi()["paths"].items():
            for method, operation in operations.items():
                policy = policies[f"{method.upper()} {path}"]
                scopes = {scope for one in operation.get("security", ()) for named in one.values() for scope in named}
                assert scopes == policy.who.scopes, (method, path)


def test_a_vendors_machine_signs_in_to_no_page_and_sees_no_more_than_the_public() -> None:
    machine = Role.VENDOR_MACHINE.identity(AUTHORITY)
    assert machine.audience == "public"
    assert not any(
        policy.who.lets_in(machine) for policy in APPLICATIONS["desk"].state.policies.values() if policy.page
    )


def test_the_page_of_the_table_is_as_the_table() -> None:
    """Written by `python -m tests.support.reports.access`."""
    assert Path("docs/access.md").read_text() == access.page(APPLICATIONS)


def test_each_test_that_the_threat_model_names_is_there() -> None:
    model = Path("docs/security.md").read_text()
    threats = re.findall(r"^\| [STRIDE, ]+ \|.*", model, re.MULTILINE)
    assert len(threats) > 50
    assert [threat for threat in threats if not re.search(r"`(test_|tests/)", threat)] == []
    named = set(re.findall(r"`(test_\w+|tests/[\w/.]+)`", model))
    source = "".join(path.read_text() for path in Path("tests").rglob("test_*.py"))
    assert len(named) > 15
    assert [name for name in named if name.startswith("tests/") and not Path(name).exists()] == []
    assert [name for name in named if name.startswith("test_") and f"def {name}(" not in source] == []
