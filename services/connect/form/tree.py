"""A mapping's text as a tree of names, lists and words, with the remarks beside its lines, and back to text."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from services.connect.faults import CannotGoOn
from services.connect.form.tables import Path, Remarks, Tree
from services.connect.mapping.loading import not_yaml

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
_WIDE = 110
_OF_PROPOSALS = ("# Proposed from", "# Not used:")
"""Remarks that are no longer true once somebody has answered."""


def tree_of(text: str, name: str) -> Tree:
    """Return the tree of a mapping. Raises CannotGoOn if it is not YAML with names at its top."""
    try:
        found = yaml.load(text, yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as fault:
        raise CannotGoOn(not_yaml(name, fault)) from None
    if not isinstance(found, dict):
        raise CannotGoOn(f"{name} is not a mapping: it needs lines such as `authority: S12000027`")
    return found


def remarks_in(text: str) -> Remarks:
    """Return the remarks in a text that is YAML."""
    begins: dict[int, Path] = {}
    for line, path in _places(yaml.compose(text, yaml.BaseLoader), ()):
        begins.setdefault(line, path)
    found, waiting = Remarks(), list[str]()
    for number, alone, remark in _written_remarks(text):
        if number in begins and waiting:
            found.above[begins[number]], waiting = waiting, []
        if remark and number in begins:
            found.beside[begins[number]] = remark.lstrip("# ")
        elif remark and alone:
            waiting.append(remark)
    if waiting:
        found.above[()] = waiting
    return found


def _written_remarks(text: str) -> Iterator[tuple[int, bool, str]]:
    """Yield each line with whether nothing else is on it, and its remark."""
    ends: dict[int, int] = {}
    for token in yaml.scan(text, yaml.BaseLoader):
        at = token.end_mark
        ends[at.line] = max(ends.get(at.line, 0), at.column)
    for number, line in enumerate(text.splitlines()):
        rest = line[ends.get(number, 0) :].strip()
        yield number, not line[: ends.get(number, 0)].strip(), rest if rest.startswith("#") else ""


def _places(node: Any, path: Path) -> Iterator[tuple[int, Path]]:
    """Yield each part with the line on which it begins, the outer before the inner."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield key.start_mark.line, inner
            yield from _places(value, inner)
    if isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            inner = (*path, str(number))
            yield value.start_mark.line, inner
            yield from _places(value, inner)


def written(tree: Tree, remarks: Remarks) -> str:
    """Return the text of a mapping, with the remarks on those parts that it still has."""
    lines = list(_mapping(tree, (), "", remarks))
    return "\n".join([*lines, *_kept(remarks.above.get((), []))]) + "\n"


def _mapping(tree: Tree, path: Path, indent: str, remarks: Remarks) -> Iterator[str]:
    for name, value in tree.items():
        inner = (*path, name)
        yield from (indent + line for line in _kept(remarks.above.get(inner, [])))
        yield from _entry(f"{indent}{_scalar(name)}:", value, inner, indent, remarks)


def _entry(start: str, value: Any, path: Path, indent: str, remarks: Remarks) -> Iterator[str]:
    beside = remarks.beside.get(path)
    remark = f"  # {beside}" if beside else ""
    short = _flow(value)
    noted = any(at[: len(path)] == path and at != path for at in (*remarks.beside, *remarks.above))
    if (
        not isinstance(value, dict | list)
        or not value
        or (not noted and len(start) + len(short) < _WIDE and _flat(value))
    ):
        yield f"{start} {short}{remark}"
    elif isinstance(value, dict):
        yield start + remark
        yield from _mapping(value, path, f"{indent}  ", remarks)
    else:
        yield start + remark
        yield from _items(value, path, f"{indent}  ", remarks)


def _items(values: Sequence[Any], path: Path, indent: str, remarks: Remarks) -> Iterator[str]:
    for number, value in enumerate(values):
        inner = (*path, str(number))
        yield from (indent + line for line in _kept(remarks.above.get(inner, [])))
        if isinstance(value, dict) and value and not (_flat(value) and len(_flow(value)) < _WIDE):
            first, *rest = _mapping(value, inner, f"{indent}  ", remarks)
            own = remarks.beside.get(inner)
            yield f"{indent}- {first.strip()}" + (f"  # {own}" if own and "  # " not in first else "")
            yield from rest
        else:
            yield from _entry(f"{indent}-", value, inner, indent, remarks)


def _flat(value: Any) -> bool:
    """Return whether it holds nothing that holds something itself."""
    inner = value.values() if isinstance(value, dict) else value
    return not any(isinstance(one, dict | list) and one for one in inner)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(name)}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(str(value))


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return yaml.dump(text, default_style='"', width=float("inf"), allow_unicode=True).rstrip("\n")


def _kept(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not line.startswith(_OF_PROPOSALS)]
