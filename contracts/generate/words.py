"""The plain words about each member of a type, from its source, where they were written."""

import ast
import inspect
from functools import cache
from types import ModuleType
from typing import Any

import msgspec

from contracts import cells, events
from contracts.decoding import envelope

_MODULES = (events, envelope, cells)


def members(kind: type[Any]) -> dict[str, str]:
    """Return the meaning of each member, by its name in JSON. Members without a text are left out."""
    written = _written_in(inspect.getmodule(kind) or events)
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        found |= written.get(base.__name__, {})
    return {
        field.encode_name: found[field.name]
        for field in msgspec.structs.fields(kind)
        if field.name in found
    }  # fmt: skip


def types() -> dict[str, type[Any]]:
    """Return all types of the contract, by name."""
    return {
        name: value
        for module in _MODULES
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
    }


def aggregates() -> tuple[type[Any], ...]:
    """Return the types that are published to `national.aggregates`."""
    return cells.Cell, cells.Position


def summary(kind: type[Any]) -> str:
    """Return a sentence that says what the type is."""
    meaning: str = kind.MEANING
    return meaning


@cache
def _written_in(module: ModuleType) -> dict[str, dict[str, str]]:
    tree = ast.parse(inspect.getsource(module))
    return {node.name: _beside(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _beside(node: ast.ClassDef) -> dict[str, str]:
    """Return the text under each member."""
    return {
        member.target.id: inspect.cleandoc(text.value.value)
        for member, text in zip(node.body, node.body[1:], strict=False)
        if isinstance(member, ast.AnnAssign)
        and isinstance(member.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
