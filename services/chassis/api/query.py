"""Refuses query parameters that no route reads: a misspelt filter would look like one that was applied."""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from services.chassis.api.problems import MOST_ERRORS, Problem


class Takes:
    """Depend on query parameters that a route reads by itself: declares their names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self) -> None:
        """Do nothing: `refuse_unknown` reads the names."""


async def refuse_unknown(request: Request) -> None:
    """Depend on known query parameters, in every route. Raises Problem 422 for one that the route does not take."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = names_of(route)
    unknown = (name for name in dict.fromkeys(request.query_params) if name not in known)
    errors = [
        {"in": "query", "path": f"/{name}", "message": _message(name, known)} for name in islice(unknown, MOST_ERRORS)
    ]
    if errors:
        raise Problem(422, f"{errors[0]['path'][1:]}: {errors[0]['message']}", errors=errors)


def _message(name: str, known: frozenset[str]) -> str:
    if not known:
        return "There is no such query parameter; this route has none"
    near = get_close_matches(name, sorted(known), 1, 0.5)
    return "There is no such query parameter" + (f": did you mean {near[0]}?" if near else f": {_listed(known)}")


def _listed(known: frozenset[str]) -> str:
    return f"there {'is' if len(known) == 1 else 'are'} {', '.join(sorted(known))}"


def names_of(route: APIRoute) -> frozenset[str]:
    """Return the query parameters of a route, including those of its dependencies."""
    return frozenset(_names(route.dependant))


def _names(dependant: Dependant) -> Iterator[str]:
    if isinstance(dependant.call, Takes):
        yield from dependant.call.names
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (one.alias or name for name, one in model.model_fields.items())
        else:
            yield field.alias
    for each in dependant.dependencies:
        yield from _names(each)
