"""Every deployed process starts: each is given the settings that it knows and all that it needs, on both platforms."""

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.plan import Ports, Surroundings, plan
from deploy.local.tokens import DevelopmentKey, identity_of
from services.chassis.api.auth import generate_keys, verify
from services.chassis.settings import DEVELOPMENT_ISSUER, Settings, SettingsError, TokenSettings
from services.desk import settings as desk
from services.operations import topics, watch
from services.operations.moving.copy import CopySettings
from services.operations.proof.settings import ProofSettings
from services.records.config import settings as records
from services.reporting import settings as reporting

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy" / "kubernetes"
PROCESSES: dict[tuple[str, str], type[Settings]] = {
    **{(service, "api"): records.ApiSettings for service in ("orders", "unpaid_work")},
    **{(service, "worker"): records.WorkerSettings for service in ("orders", "unpaid_work")},
    **{(service, "webhooks"): records.SenderSettings for service in ("orders", "unpaid_work")},
    **{(service, "migrate"): records.MigrateSettings for service in ("orders", "unpaid_work")},
    ("reporting", "api"): reporting.ApiSettings,
    ("reporting", "worker"): reporting.WorkerSettings,
    ("reporting", "migrate"): reporting.MigrateSettings,
    ("desk", "api"): desk.ApiSettings,
    ("payback", "topics"): topics.TopicsSettings,
    ("payback", "watch"): watch.WatchSettings,
    ("payback", "prove"): ProofSettings,
    ("payback", "copy"): CopySettings,
    ("deploy.kafka.access", "services"): topics.TopicsSettings,
}


def process_of(command: list[str]) -> tuple[str, str]:
    """Return (service, process) of `python -m services.orders api` or of `payback topics`."""
    if command[0] == "payback":
        return "payback", command[1]
    assert command[:2] == ["python", "-m"]
    return command[2].removeprefix("services."), command[3]


def of_the_image() -> dict[str, str]:
    return dict(re.findall(r"(PAYBACK_\w+)=(\S+)", (ROOT / "deploy" / "Dockerfile").read_text()))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout after `deploy/compose/prepare.sh`, run by a version that knew of no sign-in to Kafka, and twice by this one."""
    home = tmp_path_factory.mktemp("prepared")
    shutil.copytree(ROOT / "deploy" / "compose", home / "deploy" / "compose")
    script = ["sh", str(home / "deploy" / "compose" / "prepare.sh")]
    subprocess.run(script, check=True, capture_output=True)
    older = re.sub(r"\w+_(API|WORKER)_\w*PASSWORD=\w+\n", "", (home / ".env").read_text()).rstrip("\n")
    (home / ".env").write_text(older)
    subprocess.run(script, check=True, capture_output=True)
    assert (home / ".env").read_text().startswith(older)
    before = (home / ".env").read_bytes()
    subprocess.run(script, check=True, capture_output=True)
    assert (home / ".env").read_bytes() == before
    (home / "issuer.pub").write_text(generate_keys().public)
    told = {"TOKEN_PUBLIC_KEY=": "issuer.pub", "TOKEN_ISSUER=": "https://issuer.example"}
    lines = before.decode().splitlines()
    (home / ".env").write_text("\n".join(line + told.get(line, "") for line in lines) + "\n")
    return home


@pytest.fixture(scope="module")
def variables(prepared: Path) -> dict[str, str]:
    lines = [line for line in (prepared / ".env").read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """Interpolate as Compose does it, for the forms that are used here."""

    def value(found: re.Match[str]) -> str:
        name, how, alternative = found.groups()
        if how == ":-":
            return values.get(name) or alternative
        found_value = values[name] if isinstance(values, defaultdict) else values.get(name)
        assert found_value, f"{name} is not in example.env"
        return found_value

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text)


def compose(values: dict[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(interpolated((ROOT / "docker-compose.yml").read_text(), values))
    return document


def test_every_process_runs_in_compose_with_settings_it_accepts(
    variables: dict[str, str], prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = compose(variables)
    ours = {name: service for name, service in document["services"].items() if "payback:" in service["image"]}
    optional = {process for process in PROCESSES if process[1] in {"webhooks", "copy"}}
    assert {process_of(service["command"]) for service in ours.values()} == PROCESSES.keys() - optional
    for service in ours.values():
        environment = of_the_image() | service["environment"]
        if "token_public_key" in service.get("configs", ()):
            assert environment["PAYBACK_TOKENS_PUBLIC_KEY_PATH"] == "/token_public_key"
            path = prepared / document["configs"]["token_public_key"]["file"]
            environment["PAYBACK_TOKENS_PUBLIC_KEY_PATH"] = str(path)
        accepted(environment, PROCESSES[process_of(service["command"])], monkeypatch)


class Merged(yaml.SafeLoader):
    """As Compose reads a file that is laid over another."""


Merged.add_constructor("!reset", lambda _loader, _node: None)


def test_with_a_provider_for_people_every_api_still_starts(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {name: f"https://{name.lower()}.example" for name in variables if name.startswith(("OIDC", "FIG", "DESK_"))}
    values = variables | said | {"DESK_PORT": "8104"}
    over = (ROOT / "deploy" / "compose" / "sign-in.yml").read_text()
    laid = yaml.load(interpolated(over, values), Merged)["services"]
    for name, service in compose(values)["services"].items():
        if name in laid:
            environment = of_the_image() | service["environment"] | laid[name]["environment"]
            told = {key: value for key, value in environment.items() if value is not None}
            accepted(told, PROCESSES[process_of(service["command"])], monkeypatch)
    assert len(laid) == 4


def test_with_webhooks_the_apis_and_the_senders_start(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    over = (ROOT / "deploy" / "compose" / "webhooks.yml").read_text()
    laid = yaml.safe_load(interpolated(over, variables | {"WEBHOOKS_ALLOWED_NETWORKS": "10.20.0.0/16"}))
    below = compose(variables)["services"]
    for name, service in laid["services"].items():
        whole = {**below.get(name, {}), **service}
        environment = of_the_image() | below.get(name, {}).get("environment", {}) | service["environment"]
        environment.pop("PAYBACK_TOKENS_PUBLIC_KEY_PATH", None)
        told = (
            environment if "webhooks" in name else environment | {"PAYBACK_TOKENS_PUBLIC_KEY": generate_keys().public}
        )
        accepted(told, PROCESSES[process_of(whole["command"])], monkeypatch)
    senders = {name for name, service in laid["services"].items() if "receivers" in service.get("networks", ())}
    assert senders == {"orders-webhooks", "unpaid-work-webhooks"}
    assert all(laid["services"][name]["read_only"] for name in senders)


def test_a_copy_is_kept_in_compose_and_in_kubernetes_with_settings_it_accepts(
    variables: dict[str, str], secrets_: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"COPY_BOOTSTRAP": "elsewhere:9094", "COPY_PASSWORD": "secret"}
    over = (ROOT / "deploy" / "compose" / "copy.yml").read_text()
    laid = yaml.safe_load(interpolated(over, variables | told))["services"]["copy"]
    assert laid["environment"]["PAYBACK_KAFKA_SASL_PASSWORD"] == variables["KAFKA_COPY_PASSWORD"]
    accepted(of_the_image() | laid["environment"], PROCESSES[process_of(laid["command"])], monkeypatch)
    [container] = containers(KUBERNETES / "copy" / "copy.yaml")
    assert container["command"] == laid["command"]
    told = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    of_the_other = {"PAYBACK_TARGET_SASL_USERNAME": "copy", "PAYBACK_TARGET_SASL_PASSWORD": "secret"}
    environment = kubernetes_environment(container, KUBERNETES / "orders", secrets_ | of_the_other | told)
    accepted(environment, PROCESSES["payback", "copy"], monkeypatch)


def test_every_process_of_the_embedded_stack_has_settings_it_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = DevelopmentKey(tmp_path / "key.pem")
    around = Surroundings("localhost:1", "postgresql://nobody@localhost:1/nothing", key.public_path, tmp_path / "roles")
    planned = plan(Ports.from_numbers(range(1, 16)), around)
    for process in (*planned.migrations, *planned.services):
        kind = PROCESSES[process_of(["python", *process.command[1:]])]
        accepted(process.environment, kind, monkeypatch)


def accepted(environment: dict[str, str], settings: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings.load()


def documents(path: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(path.read_text())


def containers(path: Path) -> Iterator[dict[str, Any]]:
    for document in documents(path):
        if document["kind"] in {"Deployment", "Job"}:
            yield from document["spec"]["template"]["spec"]["containers"]


def kubernetes_environment(container: dict[str, Any], service: Path, secrets: dict[str, str]) -> dict[str, str]:
    literals = yaml.safe_load((service / "kustomization.yaml").read_text())["configMapGenerator"][0]["literals"]
    maps = {
        "settings": dict(line.split("=", 1) for line in (KUBERNETES / "settings.env").read_text().split()),
        "service": dict(line.split("=", 1) for line in literals),
    }
    environment = of_the_image()
    for source in container["envFrom"]:
        environment |= maps[source["configMapRef"]["name"]]
    return environment | {variable["name"]: secrets[variable["name"]] for variable in container["env"]}


@pytest.fixture(scope="module")
def secrets_(prepared: Path) -> dict[str, str]:
    return {
        "PAYBACK_TOKENS_PUBLIC_KEY": (prepared / "issuer.pub").read_text(),
        "PAYBACK_DATABASE_URL": "postgresql://user:secret@postgres.example/payback",
        "PAYBACK_KAFKA_SASL_USERNAME": "orders-worker",
        "PAYBACK_KAFKA_SASL_PASSWORD": "secret",
    }


@pytest.mark.parametrize("service", ["orders", "unpaid-work", "reporting"])
@pytest.mark.parametrize("process", ["api", "worker", "migrate"])
def test_every_process_runs_in_kubernetes_with_settings_it_accepts(
    service: str, process: str, secrets_: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [container] = containers(KUBERNETES / "service" / f"{process}.yaml")
    environment = kubernetes_environment(container, KUBERNETES / service, secrets_)
    command = [word.replace("$(SERVICE)", environment["SERVICE"]) for word in container["command"]]
    assert process_of(command) == (service.replace("-", "_"), process)
    assert environment["PAYBACK_DATABASE_SCHEMA_NAME"] == service.replace("-", "_")
    accepted(environment, PROCESSES[process_of(command)], monkeypatch)


def test_the_desk_runs_in_kubernetes_with_settings_it_accepts(
    secrets_: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an API like the others, but for what its kustomization takes away."""
    [container] = containers(KUBERNETES / "service" / "api.yaml")
    removed = re.findall(
        r"op: remove, path: /spec/template/spec/containers/0/env/(\d)",
        (KUBERNETES / "desk" / "kustomization.yaml").read_text(),
    )
    kept = [variable for at, variable in enumerate(container["env"]) if str(at) not in removed]
    assert [variable["name"] for variable in kept] == ["PAYBACK_TOKENS_PUBLIC_KEY"]
    environment = kubernetes_environment(container | {"env": kept}, KUBERNETES / "desk", secrets_)
    accepted(environment, PROCESSES["desk", "api"], monkeypatch)


@pytest.mark.parametrize("name", ["topics", "watch"])
def test_what_serves_all_runs_in_kubernetes(
    name: str, secrets_: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [container] = containers(KUBERNETES / f"{name}.yaml")
    assert process_of(container["command"]) == ("payback", name)
    environment = kubernetes_environment(container, KUBERNETES / "orders", secrets_)
    accepted(environment, PROCESSES[process_of(container["command"])], monkeypatch)


def test_what_nobody_knows_would_be_refused(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    environment = compose(variables)["services"]["topics"]["environment"]
    with pytest.raises(SettingsError, match="PAYBACK_KAFKA_BOOTSTRAPS"):
        accepted(environment | {"PAYBACK_KAFKA_BOOTSTRAPS": "x"}, topics.TopicsSettings, monkeypatch)


def test_there_is_no_key_or_issuer_by_default_and_those_for_development_are_refused(tmp_path: Path) -> None:
    example = (ROOT / "deploy" / "compose" / "example.env").read_text().splitlines()
    assert {"TOKEN_PUBLIC_KEY=", "TOKEN_ISSUER=", "TOKEN_DEVELOPMENT=false"} <= set(example)
    key = DevelopmentKey(tmp_path / "key.pem")
    token = key.mint(identity_of("national"))
    believed = TokenSettings(public_key_path=key.public_path, issuer=DEVELOPMENT_ISSUER, development=True)
    assert verify(token, believed).subject == "national"
    with pytest.raises(ValueError, match="for development only"):
        TokenSettings(public_key_path=key.public_path)
    with pytest.raises(ValueError, match="for development only"):
        TokenSettings(public_key=generate_keys().public, issuer=DEVELOPMENT_ISSUER)


def test_secrets_are_made_and_differ(variables: dict[str, str], prepared: Path) -> None:
    passwords = [value for name, value in variables.items() if name.endswith(("_PASSWORD", "_AGGREGATES_KEY"))]
    assert len(set(passwords)) == len(passwords) == 22
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in passwords)
    assert re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_-]{21}", variables["KAFKA_CLUSTER_ID"])
    assert (prepared / ".env").stat().st_mode & 0o077 == 0
    example = (ROOT / "deploy" / "compose" / "example.env").read_text()
    assert not re.search("(PASSWORD|AGGREGATES_KEY|CLUSTER_ID)=.", example)
    assert "/.env" in (ROOT / ".gitignore").read_text().split()


def laid_over(values: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each service of each file of Compose, by itself."""
    for file in (ROOT / "docker-compose.yml", *sorted((ROOT / "deploy" / "compose").glob("*.yml"))):
        told = defaultdict(lambda: "https://filled-in.example", {name: each for name, each in values.items() if each})
        services = yaml.load(interpolated(file.read_text(), told), Merged).get("services", {})
        yield from ((f"{file.stem}: {name}", service) for name, service in services.items())


def test_no_secret_is_on_a_command_line(variables: dict[str, str]) -> None:
    """Where everybody on the host can read it."""
    secrets = [value for name, value in variables.items() if name.endswith(("_PASSWORD", "_KEY")) and value]
    services = list(laid_over(variables))
    assert len(secrets) > 20
    assert any(secret in str(service) for _, service in services for secret in secrets)
    for name, service in services:
        words = str([service.get(part) for part in ("command", "entrypoint", "healthcheck")])
        assert not any(secret in words for secret in secrets), name


def test_whoever_uses_postgresql_believes_only_its_own_certificate(variables: dict[str, str], prepared: Path) -> None:
    using = [
        (name, service)
        for name, service in laid_over(variables)
        if "@postgres/payback" in str(service.get("environment")) or name == "docker-compose: access"
    ]
    assert len(using) == 14
    for name, service in using:
        told = service["environment"]
        assert "postgres_certificate" in service["configs"], name
        if "DATA_SOURCE_NAME" in told:
            assert told["DATA_SOURCE_NAME"].endswith("?sslmode=verify-full&sslrootcert=/postgres_certificate")
        else:
            assert (told["PGSSLMODE"], told["PGSSLROOTCERT"]) == ("verify-full", "/postgres_certificate"), name
    own = prepared / "var" / "postgres"
    assert compose(variables)["configs"]["postgres_certificate"]["file"] == "./var/postgres/server.crt"
    assert (own / "server.key").stat().st_mode & 0o077 == 0
    assert (own / "server.crt").stat().st_mode & 0o004


def test_only_the_apis_and_the_operators_pages_can_be_reached(variables: dict[str, str]) -> None:
    document = compose(variables)
    published = {name for name, service in document["services"].items() if service.get("ports")}
    assert published == {
        "orders-api",
        "unpaid-work-api",
        "reporting-api",
        "desk-api",
        "prometheus",
        "alertmanager",
        "grafana",
    }
    for name in published:
        for port in document["services"][name]["ports"]:
            address, _, inner = port.split(":")
            assert address == "127.0.0.1"
            assert inner != "9100"
    assert document["networks"]["inside"]["internal"]
    assert document["networks"]["watch"]["internal"]
    for name in ("kafka", "postgres"):
        assert document["services"][name]["networks"] == ["inside"]
    for name in ("prometheus", "alertmanager", "grafana"):
        assert "inside" not in document["services"][name]["networks"]


def test_our_containers_may_do_little(variables: dict[str, str]) -> None:
    for service in compose(variables)["services"].values():
        if "payback:" in service["image"]:
            assert service["read_only"]
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
