"""Every command in a block of a page is one that the real command line takes, and stands on a line of its own."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from services.cli import command_line

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "deploy").rglob("*.md"))]
BLOCK = re.compile(r"^ *```(?:sh|bash|console)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"(?:\S*/)?payback")
ENDS = {"|", ">", ">>", "<", "&&", ";", "&"}


class Command(NamedTuple):
    """One command line of a page."""

    page: str
    line: str

    def __str__(self) -> str:
        return f"{self.page}: {self.line[:70]}"

    @property
    def words(self) -> list[str]:
        found = shlex.split(self.line, comments=True)
        start = next(at for at, word in enumerate(found) if PROGRAM.fullmatch(word))
        return found[start + 1 :]


def commands(text: str, page: str) -> Iterator[Command]:
    for block in BLOCK.findall(text):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if re.match(r"\s*(\$ )?(\S*/)?payback \S", line):
                yield Command(page, line.strip())


def taken(arguments: list[str]) -> None:
    """Parse the arguments as the program does, and run nothing. Raises TyperException."""
    command: Any = get_command(command_line())
    context: Any = None
    while isinstance(command, TyperGroup):
        context = command.make_context(command.name or "payback", arguments, parent=context)
        _, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
    command.make_context(command.name, arguments, parent=context)


ALL = [command for page in PAGES for command in commands(page.read_text(), str(page.relative_to(ROOT)))]


def test_there_are_commands_of_connect() -> None:
    assert sum("payback connect" in one.line for one in ALL) > 5


@pytest.mark.parametrize("command", ALL, ids=str)
def test_the_command_line_takes_it(command: Command) -> None:
    assert not any(map(PROGRAM.fullmatch, command.words)), "two commands on one line"
    taken(list(takewhile(lambda word: word not in ENDS, command.words)))


def test_commands_that_ran_together_would_be_noticed() -> None:
    (one,) = commands("```sh\npayback connect send a.yaml b.xlsx payback connect watch a.yaml c\n```\n", "page")
    assert any(map(PROGRAM.fullmatch, one.words))
    with pytest.raises(TyperException):
        taken(["connect", "check", "a.yaml", "--orders", "address"])
