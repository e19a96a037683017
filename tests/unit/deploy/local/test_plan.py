"""The plan of the embedded stack."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.plan import ROLES, SENDERS, SERVICES, Ports, PortsTaken, ProcessSpec, Surroundings, plan
from deploy.local.process import free_ports

PORTS = Ports.from_numbers(range(9000, 9015))
AROUND = Surroundings(
    kafka="127.0.0.1:9092",
    postgres="postgresql://payback:secret@127.0.0.1/payback",
    public_key=Path("/keys/development.pub"),
    roles=Path("/keys/roles.json"),
)
PLAN = plan(PORTS, AROUND)


def process(name: str) -> ProcessSpec:
    return next(spec for spec in (*PLAN.migrations, *PLAN.services) if spec.name == name)


def test_the_apis_take_the_first_ports_and_metrics_follow() -> None:
    assert PORTS.apis == {"orders": 9000, "unpaid_work": 9001, "reporting": 9002}
    assert sorted(PORTS.metrics.values()) == list(range(9003, 9009))


def test_every_service_migrates_serves_and_works() -> None:
    assert [spec.name for spec in PLAN.migrations] == ["orders-migrate", "unpaid_work-migrate", "reporting-migrate"]
    assert {spec.name for spec in PLAN.services} == {
        *(f"{service}-{role}" for service in ("orders", "unpaid_work", "reporting") for role in ("api", "worker")),
        "desk-api",
    }
    assert process("orders-worker").command[1:] == ("-m", "services.orders", "worker")


def test_with_a_key_webhooks_are_sent_and_the_apis_know_it() -> None:
    around = replace(AROUND, webhooks_key="sealed")
    told = {spec.name: spec.environment for spec in plan(PORTS, around).services}
    assert {name for name in told if name.endswith("-webhooks")} == {"orders-webhooks", "unpaid_work-webhooks"}
    assert {name for name, environment in told.items() if "PAYBACK_WEBHOOKS_KEY" in environment} == {
        f"{service}-{role}" for service in ("orders", "unpaid_work") for role in ("api", "webhooks")
    }
    assert [told[f"{name}-webhooks"]["PAYBACK_METRICS_PORT"] for name in ("orders", "unpaid_work")] == ["9013", "9014"]


def test_each_process_has_its_own_metrics_and_each_api_its_own_port() -> None:
    metrics = [spec.environment["PAYBACK_METRICS_PORT"] for spec in PLAN.services]
    assert len(set(metrics)) == len(PLAN.services)
    assert process("reporting-api").environment["PAYBACK_HTTP_PORT"] == "9002"
    assert "PAYBACK_HTTP_PORT" not in process("reporting-worker").environment


def test_the_desk_knows_where_the_services_are_and_no_database() -> None:
    told = process("desk-api").environment
    assert told["PAYBACK_PLATFORM_ORDERS_URL"] == "http://127.0.0.1:9000"
    assert not [name for name in told if "DATABASE" in name or "KAFKA" in name]


def test_each_process_signs_in_as_itself_and_migrations_as_the_owner() -> None:
    signed_in = {f"{service}_{role}": f"postgresql://{service}_{role}@x/y" for service in SERVICES for role in ROLES}
    planned = plan(PORTS, replace(AROUND, sign_in=signed_in, webhooks_key="sealed"))
    told = {one.name: one.environment.get("PAYBACK_DATABASE_URL") for one in (*planned.migrations, *planned.services)}
    assert {name: url for name, url in told.items() if url in signed_in.values()} == {
        **{f"{service}-{role}": signed_in[f"{service}_{role}"] for service in SERVICES for role in ROLES},
        **{f"{service}-webhooks": signed_in[f"{service}_worker"] for service in SENDERS},
    }
    assert {told[f"{service}-migrate"] for service in SERVICES} == {AROUND.postgres}


def test_the_password_is_not_shown() -> None:
    assert process("orders-api").environment["PAYBACK_DATABASE_URL"] == AROUND.postgres
    assert "secret" not in repr(process("orders-api"))


def test_a_taken_port_is_named() -> None:
    (base,) = free_ports(1)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", base))
        listening.listen()
        with pytest.raises(PortsTaken, match=str(base)):
            Ports.choose(base)
