"""Everything handed to Kubernetes is accepted, by its own schemas and its operators', misspelt names included."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from contracts.topics import NATIONAL_AGGREGATES
from deploy.kafka import rights, strimzi
from deploy.prometheus import operator
from services.operations.topics import topic_specs
from tests.support.outside import crds

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy" / "kubernetes"
VERSION = "1.33"
FOLDERS = (
    KUBERNETES,
    *(KUBERNETES / name for name in ("strimzi", "monitoring", "cloudnative-pg", "host", "alertmanager")),
)
"""What is applied, each by one command."""
WITH_PODS = {"Deployment", "DaemonSet", "Job", "CronJob"}


def template_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the template of the pods of a resource that has some."""
    template: dict[str, Any] = document["spec"].get("jobTemplate", document)["spec"]["template"]
    return template


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.load_all(path.read_text(), yaml.CSafeLoader))


FILES = [path for path in sorted(KUBERNETES.rglob("*.yaml")) if path.name != "kustomization.yaml"]


def fault(document: dict[str, Any]) -> str | None:
    """Say in words which fault a resource has."""
    if document["kind"] in crds.kinds():
        return crds.fault(document)
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(KUBERNETES)))
def test_a_manifest_is_as_kubernetes_has_it(path: Path) -> None:
    assert [found for found in map(fault, documents(path)) if found] == []


def made_of(folder: Path) -> list[dict[str, Any]]:
    made = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=True).stdout
    return list(yaml.load_all(made, yaml.CSafeLoader))


def made_with(folder: Path, *components: str) -> list[dict[str, Any]]:
    """Return everything that Kustomize makes where an operator turns these components on, each as Kubernetes has it."""
    shutil.copytree(KUBERNETES, folder / "kubernetes")
    with (folder / "kubernetes" / "kustomization.yaml").open("a") as whole:
        whole.write(f"components: [{', '.join(components)}]\n")
    resources = made_of(folder / "kubernetes")
    assert [found for found in map(fault, resources) if found] == []
    return resources


wants_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


@wants_kubectl
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_kustomize_makes_of_a_folder_is_as_kubernetes_has_it(folder: Path) -> None:
    resources = made_of(folder)
    assert [found for found in map(fault, resources) if found] == []
    identities = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in resources]
    assert len(set(identities)) == len(identities)


@wants_kubectl
def test_whoever_signs_in_to_kafka_can_be_given_its_authority(tmp_path: Path) -> None:
    resources = made_with(tmp_path, "copy", "kafka-ca")
    pods_ = {one["metadata"]["name"]: template_of(one)["spec"] for one in resources if one["kind"] in WITH_PODS}
    sign_in = {name for name, pod in pods_.items() if "-kafka" in str(pod["containers"])}
    assert "copy" in sign_in
    assert {name for name, pod in pods_.items() if "/kafka-ca/ca.crt" in str(pod["containers"])} == sign_in
    assert {name for name, pod in pods_.items() if "kafka-ca" in str(pod.get("volumes"))} == sign_in


@wants_kubectl
def test_webhooks_a_copy_and_an_own_list_of_authorities_can_be_had(tmp_path: Path) -> None:
    """Every part that counts authorities reads the operator's list, and only the senders may reach the world."""
    resources = made_with(tmp_path, "webhooks", "copy", "authorities")
    pods_ = {one["metadata"]["name"]: template_of(one) for one in resources if one["kind"] in WITH_PODS}
    ours = {name for name, pod in pods_.items() if "payback:" in pod["spec"]["containers"][0]["image"]}
    listed = {name for name, pod in pods_.items() if "/authorities/authorities.toml" in str(pod["spec"]["containers"])}
    assert {name for name in ours - listed if not name.endswith("-migrate")} == set()
    assert "copy" in listed
    assert {name for name, pod in pods_.items() if "PAYBACK_WEBHOOKS_KEY" in str(pod["spec"]["containers"])} == {
        f"{service}-{role}" for service in ("orders", "unpaid-work") for role in ("api", "webhooks")
    }
    world = next(one for one in resources if one["metadata"]["name"] == "receivers-of-webhooks")["spec"]
    chosen = world["podSelector"]["matchLabels"].items()
    assert {name for name, pod in pods_.items() if chosen <= pod["metadata"]["labels"].items()} == {
        "orders-webhooks",
        "unpaid-work-webhooks",
    }


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Service", {"selectors": {}}),
        ("KafkaTopic", {"replica": 3}),
        ("KafkaUser", {"authorization": {"type": "simple", "acls": [{"resource": {"type": "topics"}}]}}),
        ("PrometheusRule", {"group": []}),
        ("PodMonitor", {"selector": {}, "podMetricsEndpoints": [{"port": 9100}]}),
        ("Cluster", {"instances": "three"}),
    ],
)
def test_what_is_misspelt_would_be_found(kind: str, spec: dict[str, Any]) -> None:
    versions = {one["kind"]: one["apiVersion"] for path in FILES for one in documents(path)}
    assert fault({"apiVersion": versions[kind], "kind": kind, "metadata": {"name": "a"}, "spec": spec})


def test_every_file_is_part_of_the_whole() -> None:
    """What no kustomization names is never applied."""
    for kustomization in KUBERNETES.rglob("kustomization.yaml"):
        named = set(yaml.safe_load(kustomization.read_text()).get("resources", ()))
        for name in named:
            assert (kustomization.parent / name).exists(), name
        beside = {path.name for path in kustomization.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert beside <= named


def test_topics_users_and_rules_are_those_of_their_lists() -> None:
    for name, text in strimzi.documents().items():
        assert (strimzi.FOLDER / name).read_text() == text, "run `make documents`"
    assert operator.PATH.read_text() == operator.document(), "run `make documents`"


def test_strimzi_makes_the_topics_that_we_would_make() -> None:
    made = {one["spec"]["topicName"]: one["spec"] for one in documents(strimzi.FOLDER / "topics.yaml")}
    assert made.keys() == {spec.name for spec in topic_specs()}
    assert len(made) == 65
    assert made[NATIONAL_AGGREGATES]["config"] == {"cleanup.policy": "compact"}
    for spec in topic_specs():
        assert made[spec.name]["config"] == spec.configs
        assert (made[spec.name]["partitions"], made[spec.name]["replicas"]) == (1, 3)


def test_strimzi_gives_everybody_the_rights_and_quotas_that_we_would_give() -> None:
    made = {one["metadata"]["name"]: one["spec"] for one in documents(strimzi.FOLDER / "users.yaml")}
    assert made.keys() == {holder.user for holder in rights.known()}
    for holder in rights.known():
        assert made[holder.user]["quotas"] == {
            "producerByteRate": holder.quota.write,
            "consumerByteRate": holder.quota.read,
            "requestPercentage": holder.quota.time,
        }
        given = {
            (acl["resource"]["type"], acl["resource"].get("name", "kafka-cluster"), operation.upper())
            for acl in made[holder.user]["authorization"]["acls"]
            for operation in acl["operations"]
        }
        assert given == {
            (right.kind.replace("al id", "alId"), right.name, operation.replace("_", ""))
            for right in holder.rights
            for operation in right.operations
        }


def test_names_are_such_as_kubernetes_takes() -> None:
    for path in FILES:
        for document in documents(path):
            assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", document["metadata"]["name"])


def test_a_cluster_on_kubernetes_is_set_up_as_one_elsewhere() -> None:
    lines = (ROOT / "deploy" / "kafka" / "server.properties").read_text().splitlines()
    elsewhere = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    [cluster] = [one for one in documents(strimzi.FOLDER / "cluster.yaml") if one["kind"] == "Kafka"]
    config = {name: str(value).lower() for name, value in cluster["spec"]["kafka"]["config"].items()}
    of_copies = {name for name in config if re.search(r"replica|isr", name)}
    assert config.keys() <= elsewhere.keys()
    differing = {name for name, value in config.items() if elsewhere[name].lower() != value}
    assert differing == of_copies
    of_the_machine = (
        r"listener|sasl|inter\.broker|process|node|controller|advertised|log\.dirs|authorizer|super|allow\.everyone"
    )
    assert {name for name in elsewhere if not re.match(of_the_machine, name)} == config.keys()


def test_what_others_made_is_known_by_its_digest() -> None:
    files = [ROOT / "docker-compose.yml", ROOT / "deploy" / "Dockerfile", *FILES]
    named = r"(?:\bimage(?:Name)?: |ARG PYTHON=)([^\s{}$]+)"
    images = {name for path in files for name in re.findall(named, path.read_text())} - {"payback", "payback:"}
    assert len(images) > 8
    assert {one for one in images if not re.search("@sha256:[0-9a-f]{64}$", one)} == set()


def test_no_secret_is_on_a_command_line() -> None:
    """Where everybody on the machine can read it: Kubernetes fills `$(NAME)` in, a shell within a container does not."""
    for _, pod in pods():
        for container in pod["containers"]:
            words = str([container.get(part) for part in ("command", "args", "livenessProbe", "lifecycle")])
            secret = [each["name"] for each in container.get("env", ()) if "secretKeyRef" in each.get("valueFrom", {})]
            assert not any(f"$({name})" in words for name in secret), words


def pods() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return every kind of pod that is applied: its labels and its description."""
    specs = [template_of(one) for path in FILES for one in documents(path) if one["kind"] in WITH_PODS]
    return [(spec["metadata"]["labels"], spec["spec"]) for spec in specs]


def test_every_pod_may_do_little_and_takes_no_more_than_it_says() -> None:
    assert len(pods()) == 14
    for _, pod in pods():
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_machines_are_watched_as_on_one_host() -> None:
    """So that alerts have the series that they look at, under the same job."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["host"]
    [daemon] = [one for one in documents(KUBERNETES / "host" / "host.yaml") if one["kind"] == "DaemonSet"]
    [container] = template_of(daemon)["spec"]["containers"]
    assert container["args"] == compose["command"]
    assert container["image"].removeprefix("docker.io/") == compose["image"]
    assert template_of(daemon)["metadata"]["labels"]["app.kubernetes.io/name"] == "host"


def test_alerts_are_told_as_on_one_host() -> None:
    """By the same version, that reads its routes and receivers from a file of the same name, at the port that Prometheus is told."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["alertmanager"]
    found = {one["kind"]: one for one in documents(KUBERNETES / "alertmanager" / "alertmanager.yaml")}
    [container] = template_of(found["Deployment"])["spec"]["containers"]
    assert container["args"] == compose["command"]
    assert container["image"].removeprefix("docker.io/") == compose["image"]
    address = f"{found['Service']['metadata']['name']}:{found['Service']['spec']['ports'][0]['port']}"
    assert address in (ROOT / "deploy" / "prometheus" / "kubernetes.yml").read_text()


def test_whoever_answers_requests_is_let_go_before_it_stops() -> None:
    """No pod is sent requests before it is ready, and none stops while it is still sent some."""
    for labels, pod in pods():
        [container] = pod["containers"]
        if labels.get("app.kubernetes.io/component") == "api":
            pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
            assert pod["terminationGracePeriodSeconds"] > pause
        if "ports" in container:
            assert container["livenessProbe"]
