"""Schemas of resources that operators bring to Kubernetes, strict: an unknown member is a fault, as it is to `kubectl apply`.

`python -m tests.support.outside.crds WHENCE FILE...` makes smaller ones for tests/reference/kubernetes from the operators' own definitions:
without descriptions, status, and parts about pods, which our resources do not set.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "reference" / "kubernetes"
_KEPT = {"type", "enum", "pattern", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
_OF_PODS = {"status", "template", "affinity", "tolerations", "topologySpreadConstraints", "projectedVolumeTemplate"}


def kinds() -> set[str]:
    """Return the kinds for which there are schemas."""
    return {path.stem for path in FOLDER.glob("*.json")}


def fault(document: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a resource in the words of the validator; None if nothing is."""
    from jsonschema.exceptions import best_match

    error = best_match(_validator(document["kind"]).iter_errors(document))
    return None if error is None else f"{error.json_path}: {error.message}"


@cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads((FOLDER / f"{kind}.json").read_text()))


def _smaller(definition: Mapping[str, Any], whence: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    kind, group = definition["spec"]["names"]["kind"], definition["spec"]["group"]
    [version] = [one for one in definition["spec"]["versions"] if one["storage"]]
    schema = _strict(version["schema"]["openAPIV3Schema"])
    schema["properties"] |= {
        "apiVersion": {"const": f"{group}/{version['name']}"},
        "kind": {"const": kind},
        "metadata": {"type": "object"},
    }
    yield kind, {"$comment": whence} | schema | {"required": ["apiVersion", "kind", "metadata", "spec"]}


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    small = {name: value for name, value in schema.items() if name in _KEPT}
    if schema.get("x-kubernetes-int-or-string"):
        return small | {"type": ["integer", "string"]}
    if "items" in schema:
        small["items"] = _strict(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        small["additionalProperties"] = _strict(schema["additionalProperties"])
    if properties := schema.get("properties"):
        small["properties"] = {name: _strict(each) for name, each in properties.items() if name not in _OF_PODS}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            small["additionalProperties"] = False
    return small


def main(whence: str, *paths: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in paths:
        for definition in yaml.safe_load_all(Path(path).read_text()):
            for kind, schema in _smaller(definition, whence):
                (FOLDER / f"{kind}.json").write_text(json.dumps(schema, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
