"""A mapping as it is written: its tree of names, lists and words, the remarks in it, and which column a part of it names. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.connect.extracts.cells import plain
from services.connect.extracts.fitting import Place, Sought, fitting
from services.connect.mapping.model import Heading

Node = str | list[str] | dict[str, Any]
"""What a mapping says of one value: a heading, several that it may have, or more."""
Table = dict[str, Any]
Tree = dict[str, Any]
Path = tuple[str, ...]
"""Names and numbers that lead to a part of the tree."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """The remarks that people or the proposal wrote beside the lines of a mapping."""

    beside: dict[Path, str] = field(default_factory=dict)
    """At the end of the line where this part begins."""
    above: dict[Path, list[str]] = field(default_factory=dict)
    """On lines of their own, above this part; the empty path is the end of the text."""

    def still(self, before: Tree, after: Tree) -> "Remarks":
        """Return the remarks without those beside a value that was changed: what was doubted is answered."""
        kept = {at: text for at, text in self.beside.items() if _leaf(before, at) == _leaf(after, at)}
        return Remarks(kept, self.above)

    def at(self, path: Path) -> list[str]:
        """Return the remark beside a part, if there is one."""
        return [self.beside[path]] if path in self.beside else []

    def under(self, path: Path) -> Iterator[tuple[Path, str]]:
        """Yield the remarks beside a part and all that it holds, with their places."""
        return ((at, text) for at, text in self.beside.items() if at[: len(path)] == path)


_SOURCES = ("column", "always", "joined", "born", "ended")


def _leaf(part: Any, path: Path) -> Any:
    """Return the word at a place in a tree, or where its value comes from; None if there is none, or more than that."""
    for name in path:
        if isinstance(part, dict):
            part = part.get(name)
        elif isinstance(part, list):
            part = part[int(name)] if int(name) < len(part) else None
    if isinstance(part, dict) and path[-1:] != ("codes",):
        return [(name, part[name]) for name in _SOURCES if name in part]
    return part if isinstance(part, str) else None


def as_value(node: Node) -> dict[str, Any]:
    """Return it in its long form."""
    return dict(node) if isinstance(node, dict) else {"column": node}


def shortest(value: dict[str, Any]) -> Node:
    """Return it as a bare heading, if it says nothing else."""
    return value["column"] if set(value) == {"column"} else value


def heading_of(node: Node) -> str:
    """Return the heading of the column that it names, the first if there may be several; empty if it names none."""
    value = as_value(node)
    headings = names(value.get("column") or value.get("born") or "")
    return "" if headings == ["?"] else headings[0]


def named(node: Node, heading: str) -> bool:
    """Return whether it names the column with this heading."""
    value = as_value(node)
    found = names(value.get("column") or value.get("born") or "")
    return plain(heading) in {plain(one) for one in found}


def names(heading: str | Sequence[str]) -> list[str]:
    return [heading] if isinstance(heading, str) else list(heading) or [""]


def held_by(tables: Sequence[Table], place: Place, share: Callable[[int], float]) -> list[int]:
    """Return the numbers of the tables that a sheet holds. `share` tells how many of a table's headings are there, by its number."""
    asked = [number for number, table in enumerate(tables) if "query" not in table]
    found = fitting([sought(tables[number]) for number in asked], place, lambda at: share(asked[at]))
    return [asked[at] for at in found]


def sought(table: Table) -> Sought:
    """Return how a table is found."""
    across = table.get("across")
    made = set(across.values()) if isinstance(across, dict) else set()
    headings = tuple(dict.fromkeys(one for one in _wanted(table) if one not in made))
    return Sought(table.get("file"), tuple(names(table["sheet"])) if "sheet" in table else (), headings)


def _wanted(table: Table) -> Iterator[Heading]:
    for name in ("order", "caseload", "recorded"):
        yield from _headings_in(table.get(name))
    yield from _of_conditions(table)
    for stated in table.get("states", {}).values():
        for form in stated if is_list_of_forms(stated) else [stated]:
            yield from _of_conditions(form)
            for member, node in form.items():
                for one in node if member == "requirements" else [{"": node}]:
                    yield from _of_conditions(one)
                    yield from (heading for name in one if name in _NODES for heading in _headings_in(one[name]))


def _of_conditions(part: Table) -> Iterator[Heading]:
    return (heading for name in ("when", "unless") for heading in part.get(name, ()))


def _headings_in(node: Any) -> Iterator[Heading]:
    """Yield the headings that a value needs; several that one column may have are one of them."""
    if isinstance(node, str):
        yield from () if node == "?" else (node,)
    elif isinstance(node, list):
        yield tuple(node)
    elif isinstance(node, dict):
        yield from (heading for name in ("column", "born") for heading in _headings_in(node.get(name)))
        yield from node.get("joined", ())


_NODES = ("", "hours", "months", "complete_by")


def headings_named(part: Any) -> list[str]:
    """Return the headings that a part of a mapping names, and perhaps some that are none."""
    if isinstance(part, str):
        return [part]
    if isinstance(part, list):
        return [heading for one in part for heading in headings_named(one)]
    if not isinstance(part, dict):
        return []
    conditions = [heading for name in ("when", "unless") for heading in part.get(name, ())]
    return conditions + [
        heading for name, one in part.items() if name not in _NO_HEADINGS for heading in headings_named(one)
    ]


_NO_HEADINGS = {
    *(
        "when",
        "unless",
        "codes",
        "always",
        "blank",
        "otherwise",
        "times",
        "dates",
        "decimal",
        "keyed",
        "kind",
        "sheet",
        "file",
    ),
    *("name", "query", "across", "heading_rows", "full", "vanished", "cleared", "history"),
}


def rows_of_headings(table: Table) -> int:
    """Return the number of rows that headings take."""
    said = str(table.get("heading_rows", "1"))
    return int(said) if said in {"1", "2", "3"} else 1


def is_list_of_forms(stated: Any) -> bool:
    """Return whether a table states one event in several forms, which only the text can carry."""
    return isinstance(stated, list)


def renamed(part: Any, old: str, new: str) -> Any:
    """Return a part of a mapping with another heading in place of one, wherever it names that."""
    if isinstance(part, str):
        return new if plain(part) == plain(old) else part
    if isinstance(part, list):
        return [renamed(one, old, new) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: _renamed_in(name, one, old, new) for name, one in part.items()}


def _renamed_in(name: str, part: Any, old: str, new: str) -> Any:
    if name in {"when", "unless"} and isinstance(part, dict):
        return {renamed(heading, old, new): words for heading, words in part.items()}
    return part if name in _NO_HEADINGS else renamed(part, old, new)


_ON_A_PAGE = (
    (re.compile(r"you give `dates: mdy`"), "you choose month, day, year"),
    (re.compile(r"; \{always: .*"), ""),
)
"""What a doubt says to those who write YAML, and what to those who fill in a form, where codes have lists to choose from."""


def told_in(remarks: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Return the reasons in remarks, and the doubts."""
    reasons, doubts = [], []
    for remark in remarks:
        reason, *rest = remark.split("DOUBT: ")
        reasons += [reason.strip(" ;")] if reason.strip(" ;") else []
        doubts += [_on_a_page(doubt.strip(" ;")) for doubt in rest]
    return "; ".join(dict.fromkeys(reasons)), tuple(dict.fromkeys(doubts))


def _on_a_page(doubt: str) -> str:
    for written, said in _ON_A_PAGE:
        doubt = written.sub(said, doubt)
    return doubt


def in_words(value: Any) -> str:
    """Return a part of a mapping as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} is {in_words(one)}" for name, one in value.items())
    return " or ".join(map(in_words, value)) if isinstance(value, list) else str(value)


def beginning_small(text: str) -> str:
    """Return a text as it continues a sentence."""
    return text[:1].lower() + text[1:]
