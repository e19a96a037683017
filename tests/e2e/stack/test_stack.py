"""`payback stack`, as somebody from outside uses it. That it leaves nothing, the fixture sees to."""

import json
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest

from contracts.authorities import AUTHORITIES
from deploy.local.plan import SERVICES
from deploy.local.process import asking
from tests.e2e.stack.conftest import Stack
from tests.support.processes import until

LOTHIAN = "S12000040"
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": f"/authorities/{LOTHIAN}",
    "type": "scot.payback.order.received.v1",
    "subject": "WEST/1",
    "time": "2026-03-03T10:00:00Z",
    "data": {"received_on": "2026-03-02"},
}


def events_of(stack: Stack, authority: str) -> list[tuple[str, int]]:
    answer = asking().get(
        f"{stack['reporting']}/v1/cells",
        params={"measure": "events", "authority": authority},
        headers={"Authorization": f"Bearer {stack['tokens']['national']}"},
    )
    cells: list[dict[str, Any]] = answer.raise_for_status().json()["cells"]
    return [(cell["category"], cell["value"]) for cell in cells]


@pytest.mark.timeout(290)
@pytest.mark.faults
def test_the_stack_says_one_line_and_works(stack: Stack) -> None:
    assert stack.keys() == {"orders", "unpaid_work", "reporting", "desk", "metrics", "kafka", "postgres", "tokens"}
    assert stack["tokens"].keys() == {"national", "inspector", "operator", *AUTHORITIES}
    for address in stack["metrics"]:
        assert "payback_" in asking().get(address).raise_for_status().text

    sent = asking().post(
        f"{stack['orders']}/v1/events",
        content=json.dumps(EVENT),
        headers={
            "Authorization": f"Bearer {stack['tokens'][LOTHIAN]}",
            "Content-Type": "application/cloudevents+json",
        },
    )
    assert sent.status_code == httpx.codes.ACCEPTED
    deadline = time.monotonic() + 60
    while not (events := events_of(stack, LOTHIAN)):
        assert time.monotonic() < deadline, "the event was not counted in time"
        time.sleep(0.1)
    assert events == [("outcome=applied", 1)]


def signed_in(stack: Stack) -> dict[str, set[str]]:
    """Return the roles as which each process is signed in to PostgreSQL."""
    with psycopg.connect(stack["postgres"]) as connection:
        sessions = "SELECT client_port, usename FROM pg_stat_activity WHERE client_port > 0 AND pid <> pg_backend_pid()"
        users: dict[int, str] = dict(connection.execute(sessions).fetchall())
    found, server = defaultdict[str, set[str]](set), urlsplit(stack["postgres"]).port
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            ports = {
                each.laddr.port
                for each in process.net_connections("tcp")
                if each.status == psutil.CONN_ESTABLISHED and each.raddr.port == server
            }
            if mine := {users[port] for port in ports & users.keys()}:
                found[" ".join(process.cmdline()[2:4])] |= mine
    return found


@pytest.mark.faults
def test_no_process_that_stays_signs_in_as_an_owner_or_superuser(stack: Stack) -> None:
    asking().get(stack["reporting"]).raise_for_status()  # the process beside begins with the first visitor
    until(lambda: "services.reporting beside" in signed_in(stack), "the process beside is signed in")
    assert signed_in(stack) == {
        f"services.{service} {process}": {f"{service}_{process.replace('webhooks', 'worker').replace('beside', 'api')}"}
        for service in SERVICES
        for process in ("api", "worker", "beside" if service == "reporting" else "webhooks")
    }
