"""A docstring is for those who read the code: what users read in OpenAPI, help and schemas was written for them."""

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import typer
from fastapi import FastAPI
from typer.core import TyperCommand, TyperGroup

from contracts.events import FACTS
from contracts.generate import schemas, words
from deploy.kafka.access import commands as access
from services.chassis.schema import Schema
from services.cli import command_line
from services.connect.mapping.model import schema as mapping_schema
from tests.unit.test_routes import APPLICATIONS, routes_of


def written_for_readers(app: FastAPI) -> set[str]:
    found = {each._description for each in _below(Schema)}
    return found | set(app.state.described.values())


def _below(kind: type[Schema]) -> Iterator[type[Schema]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_openapi_describes_parts_in_words_written_for_its_readers(name: str) -> None:
    app = APPLICATIONS[name]
    parts = app.openapi()["components"]["schemas"]
    said = {title: part["description"] for title, part in parts.items() if "description" in part and title != "Problem"}
    assert said
    assert set(said.values()) <= written_for_readers(app)
    assert not [title for title, part in parts.items() if "description" not in part and "enum" not in part]
    assert not [title for title in parts if "__" in title], "two types of one name show their modules"


@pytest.mark.parametrize("name", APPLICATIONS)
def test_no_route_serves_its_docstring(name: str) -> None:
    for route in routes_of(APPLICATIONS[name]):
        told = inspect.getdoc(route.endpoint) if route.include_in_schema else None
        assert told is None or not route.description, f"{route.path} serves the docstring of {route.endpoint.__name__}"


def commands_of(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from commands_of(each, f"{path} {name}")


COMMANDS = [
    *commands_of(typer.main.get_command(command_line()), "payback"),
    *commands_of(typer.main.get_command(access), "access"),
]


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_no_command_serves_its_docstring(path: str, command: Any) -> None:
    assert isinstance(command, TyperCommand | TyperGroup)
    assert command.help or path == "access"
    assert command.callback is None or not inspect.getdoc(command.callback)


def test_schemas_of_events_and_mappings_say_what_was_written_for_them() -> None:
    kinds = [*FACTS.values(), *words.aggregates()]
    parts = schemas.components(kinds, "")
    assert all(parts[kind.__name__]["description"] == kind.MEANING for kind in kinds)
    everything = msgspec.json.encode([parts, mapping_schema()]).decode()
    docstrings = {inspect.cleandoc(kind.__doc__) for kind in words.types().values() if kind.__doc__}
    assert docstrings
    assert not [each for each in docstrings if each in everything]
