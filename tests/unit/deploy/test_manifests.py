"""What is handed to Kubernetes is what it takes, by its own schemas, misspelt names included."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

KUBERNETES = Path(__file__).parents[3] / "deploy" / "kubernetes"
VERSION = "1.33"
DOCUMENTS = [
    pytest.param(document, id=f"{path.parent.name}/{path.stem}-{document['kind']}")
    for path in sorted(KUBERNETES.rglob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document["kind"] != "Kustomization"
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_manifest_is_as_kubernetes_has_it(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_what_is_misspelt_would_be_found() -> None:
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"selectors": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_every_file_is_part_of_the_whole() -> None:
    """What no kustomization names is never applied."""
    for kustomization in KUBERNETES.rglob("kustomization.yaml"):
        named = set(yaml.safe_load(kustomization.read_text())["resources"])
        for name in named:
            assert (kustomization.parent / name).exists(), name
        beside = {path.name for path in kustomization.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert beside <= named
