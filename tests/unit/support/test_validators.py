"""Tests of validators that are made late, as in all applications of tests."""

from typing import Annotated, Any

import pydantic.type_adapter
import pytest
from fastapi import Depends, FastAPI, Query

from tests.support import validators
from tests.support.asking import InThisThread


def named(name: Annotated[str, Query(min_length=2)]) -> str:
    return name


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/asked")
    def asked(number: int, name: Annotated[str, Depends(named)]) -> dict[str, int]:
        return {name: number}

    @app.get("/never")
    def never(number: int) -> list[int]:
        return [number]

    return app


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what a validator was made of, each time that one is."""
    of: list[Any] = []
    at_once = pydantic.type_adapter.TypeAdapter.__init__

    def noted(adapter: Any, kind: Any, **options: Any) -> None:
        of.append(kind)
        at_once(adapter, kind, **options)

    monkeypatch.setattr(pydantic.type_adapter.TypeAdapter, "__init__", noted)
    return of


def test_only_routes_that_are_asked_make_theirs(made: list[Any]) -> None:
    app = application()
    assert not made
    asked = InThisThread(app)
    assert asked.get("/asked", params={"number": "7", "name": "ann"}).json() == {"ann": 7}
    once = len(made)
    assert once == 3
    assert asked.get("/asked", params={"number": "8", "name": "bob"}).json() == {"bob": 8}
    assert len(made) == once


def test_they_refuse_as_ever() -> None:
    asked = InThisThread(application())
    answer = asked.get("/asked", params={"number": "seven", "name": "a"})
    assert answer.status_code == 422
    assert [fault["type"] for fault in answer.json()["detail"]] == ["string_too_short", "int_parsing"]


def test_the_document_tells_of_all() -> None:
    document = application().openapi()
    assert document["paths"]["/never"]["get"]["parameters"][0]["schema"] == {"type": "integer", "title": "Number"}


def test_a_signature_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    monkeypatch.setattr(
        validators, "_read", lambda call, read=validators._read, to=read: (to.append(call), read(call))[1]
    )
    application()
    application()
    assert read.count(named) <= 1
    assert [call.__name__ for call in read if call is not named] == ["asked", "never"] * 2  # type: ignore[attr-defined]
