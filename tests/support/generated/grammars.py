"""Grammars of Lark that are compiled when the first text is read by them.

Jsonschema imports rfc3987_syntax for its format `iri`, which compiles 38 grammars at once: 0.9 of a second of each worker's start
(measured), and hardly a text is read by any of them.
"""

from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from lark import Lark


class Late:
    """Behaves as lark.Lark does for who only parses."""

    def __init__(self, *grammar: Any, **options: Any) -> None:
        self._grammar, self._options = grammar, options

    @cached_property
    def _compiled(self) -> "Lark":
        from lark import Lark

        return Lark(*self._grammar, **self._options)

    def parse(self, *text: Any, **options: Any) -> Any:
        return self._compiled.parse(*text, **options)


def compile_late(package: str = "rfc3987_syntax") -> None:
    """Import the package, which takes its grammars from Lark, before anybody else does."""
    if find_spec(package) is not None:
        with patch("lark.Lark", Late):
            import_module(package)
