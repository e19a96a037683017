"""A form as it is shown: its fields with what they hold and may hold. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

OPEN = "?"
"""The value of a field that still asks."""


class Option(NamedTuple):
    """One value that a field may hold."""

    value: str
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field."""

    name: str
    label: str
    value: str
    options: tuple[Option, ...] = ()
    """None if any text may be written."""

    @property
    def key(self) -> str:
        """Return the part of the name that tells what it sets."""
        return self.name.rpartition(".")[2]

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        """Return the options by group, in order."""
        found: dict[str, list[Option]] = {}
        for option in self.options:
            found.setdefault(option.group, []).append(option)
        return list(found.items())


class Word(NamedTuple):
    """An office's own word, with the field that says what it means."""

    word: str
    rows: int
    field: Field
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One column, and one thing that it is taken for."""

    heading: str
    use: Field
    values: tuple[str, ...] = ()
    filled: int = 0
    rows: int = 0
    settings: tuple[Field, ...] = ()
    words: tuple[Word, ...] = ()
    reason: str = ""
    doubts: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """What only the text can change."""
    hidden: bool = False
    """Whether its values may tell of a person, so that they are not shown."""
    absent: bool = False
    """Whether the files have no such column."""
    now: Field | None = None
    """Which column of the files it is now, if it is absent; the likeliest first."""
    nearest: str = ""
    """The column that it most likely is now."""

    @property
    def set(self) -> bool:
        """Return whether any of its settings differs from what is usual."""
        return any(one.value != one.options[0].value for one in self.settings)


@dataclass(frozen=True, slots=True)
class Constant:
    """A member that no column holds."""

    use: str
    field: Field
    by_column: bool = False
    """Whether only a column can hold it."""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One table."""

    name: str
    title: str
    table: int | None
    """Its number in the mapping; None if it is left out of that."""
    lines: tuple[Line, ...]
    constants: tuple[Constant, ...] = ()
    general: tuple[Field, ...] = ()
    kept: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A mapping as a form."""

    general: tuple[Field, ...]
    parts: tuple[Part, ...]
    kept: tuple[str, ...] = ()

    def fields(self) -> Iterator[Field]:
        """Yield everything that can be answered."""
        yield from self.general
        for part in self.parts:
            yield from part.general
            for line in part.lines:
                yield from (line.use, *line.settings, *(word.field for word in line.words))
                yield from () if line.now is None else (line.now,)
            yield from (one.field for one in part.constants if not one.by_column)


class Fault(NamedTuple):
    """A reason why answers cannot be used, and the field where it can be mended."""

    name: str
    words: str


@dataclass(slots=True)
class Answered:
    """The mapping with answers in it, and what is left to ask."""

    tree: dict[str, Any]
    changed: bool = False
    look_again: list[str] = field(default_factory=list)
    """Headings that were taken for something else, which has settings of its own."""
    faults: list[Fault] = field(default_factory=list)
