"""Grammars that are compiled late judge as those that are compiled at once."""

from importlib import import_module
from unittest.mock import patch

import lark
import pytest
from jsonschema import FormatChecker

from tests.support.generated.grammars import Late


@pytest.mark.parametrize(
    ("text", "holds"), [("https://example.org/ä?b#c", True), ("/only/a/path", False), ("https://a b", False)]
)
def test_addresses_are_judged_as_ever(text: str, holds: bool) -> None:
    assert FormatChecker(["iri"]).conforms(text, "iri") is holds


def test_no_grammar_of_the_package_was_compiled_with_it() -> None:
    assert import_module("rfc3987_syntax.syntax_helpers").Lark is Late


def test_a_grammar_is_compiled_once_something_is_read_by_it_and_only_once() -> None:
    with patch("lark.Lark", wraps=lark.Lark) as compiling:
        late = Late('start: "a"')
        assert compiling.call_count == 0
        late.parse("a")
        late.parse("a")
        assert compiling.call_count == 1
        with pytest.raises(lark.exceptions.LarkError):
            late.parse("b")
