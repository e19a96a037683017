"""All generated documents, by path. It only makes them; the caller writes or compares."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from contracts.events import TYPES
from contracts.generate import asyncapi, datacontract, examples, reference, schemas

GENERATED = ("contracts/schemas", "contracts/examples", "docs/reference")
"""Directories that hold only generated files."""


@cache
def documents() -> dict[str, bytes]:
    """Return the content of each document, by its path below the project's root."""
    return {
        **{f"contracts/schemas/{name}.json": _json(schemas.of_event(name)) for name in TYPES},
        "contracts/schemas/national.aggregates.json": _json(schemas.of_aggregates()),
        "contracts/asyncapi.yaml": _yaml(asyncapi.document()),
        "contracts/national.aggregates.odcs.yaml": _yaml(datacontract.document()),
        **{f"contracts/examples/{path}": content for path, content in examples.files().items()},
        **{f"docs/reference/{path}": text.encode() for path, text in reference.pages().items()},
    }


def stale(root: Path) -> list[str]:
    """Return the paths that are missing, differ, or should not exist."""
    wanted = documents()
    there = {
        path.relative_to(root).as_posix()
        for directory in GENERATED
        for path in (root / directory).rglob("*")
        if path.is_file()
    }
    return sorted(
        (there - wanted.keys())
        | {path for path, content in wanted.items() if not _holds(root / path, content)}
    )  # fmt: skip


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


class _Dumper(yaml.SafeDumper):
    """Writes repeated values in full, without anchors, and indents lists."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _yaml(document: Any) -> bytes:
    head = "# Generated from the types by `make documents`. Do not edit.\n"
    return (head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)).encode()
