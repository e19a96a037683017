"""Validators of FastAPI's that are made when something is first validated by them, and signatures that are read once.

FastAPI makes a validator for each parameter, body and answer of every route when an application is made. Tests make hundreds of
applications and ask few routes of each: more than half of what an application took was this (measured). Processes of the platform make
theirs at their start.
"""

from functools import cached_property
from inspect import Signature
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from fastapi._compat.v2 import ModelField
from fastapi.dependencies import utils

_at_once, _read = ModelField.__post_init__, utils.get_typed_signature
_ALONE = Lock()
"""FastAPI changes the filters of warnings meanwhile, which are those of all threads."""
_signatures: WeakKeyDictionary[Any, Signature] = WeakKeyDictionary()


def _made(field: ModelField) -> Any:
    with _ALONE:
        _at_once(field)
    return vars(field)["_type_adapter"]


def _later(_: ModelField) -> None:
    """Leave it to who validates."""


def _read_once(call: Any) -> Signature:
    try:
        return _signatures[call]
    except KeyError:
        return _signatures.setdefault(call, _read(call))
    except TypeError:  # it cannot be a key
        return _read(call)


def make_late() -> None:
    """Have fields make their validators late, from now on."""
    late = cached_property(_made)
    late.__set_name__(ModelField, "_type_adapter")
    ModelField._type_adapter = late  # type: ignore[assignment]
    ModelField.__post_init__ = _later  # type: ignore[method-assign, assignment]
    utils.get_typed_signature = _read_once
