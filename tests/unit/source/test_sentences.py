"""A docstring is a sentence with a subject: what a function returns or does, in the imperative.

Tests are held by it too. The name of a test says what it shows, so it needs no docstring; one that it has may begin with any word.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.support.source import FILES, ROOT

WRITTEN = [*FILES, *(path.relative_to(ROOT) for path in sorted((ROOT / "tests").rglob("*.py")))]
DRAWN = {
    "contracts/client/__init__.py",
    "services/chassis/failures.py",
    "tests/conftest.py",
    "tests/support/running/unlucky.py",
}
"""These end in an example or a drawing."""
NO_VERB = {
    *("a", "all", "alone", "also", "an", "and", "another", "any", "anything", "as", "at", "both", "by", "each", "else"),
    *("every", "everybody", "everything", "for", "from", "half", "how", "if", "in", "it", "its", "just", "meanwhile"),
    *("more", "mostly", "none", "nothing", "nobody", "of", "on", "once", "one", "only", "so", "some", "somebody"),
    *("something", "such", "that", "the", "these", "this", "those", "three", "to", "two", "until", "up", "what"),
    *("whatever", "when", "where", "whether", "which", "whichever", "while", "who", "whom", "whose", "why", "with"),
    *("without",),
}
"""How a fragment begins, such as `Whether it is there` or `By authority`. Ruff (D401) finds some nouns, and `Returns`."""
THIRD_PERSON = {"asks", "gives", "has", "lets", "proves", "runs", "says", "sends", "takes", "tells"}
"""Verbs that Ruff does not know, as in `Lets time pass`."""
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


def docstrings(source: str) -> Iterator[tuple[Documented, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield node, text


def faults(source: str) -> list[str]:
    return [fault for node, text in docstrings(source) if (fault := fault_of(node, text))]


def fault_of(node: Documented, text: str) -> str:
    first = text.split(maxsplit=1)[0].strip(".,:;`").lower()
    if not text.rstrip("`").endswith("."):
        return f"does not end with a full stop: {text}"
    if text[0].islower():
        return f"does not begin with a capital: {text}"
    if isinstance(node, ast.ClassDef | ast.Module):
        return f"has no subject: {text}" if first == "what" else ""
    if node.name.startswith("test_"):
        return ""
    if first in NO_VERB | THIRD_PERSON or first.endswith("'s") or text[0] == "`":
        return f"does not begin with a verb: {text}"
    return ""


def test_every_docstring_is_a_sentence() -> None:
    assert len(WRITTEN) > 900
    found = {str(path): faults((ROOT / path).read_text()) for path in WRITTEN if str(path) not in DRAWN}
    assert {path: each for path, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "text",
    [
        "Whether it is there.",
        "None where it is not there.",
        "By authority, the months.",
        "`first` is the day.",
        "Return the months",
        "return the months.",
        "Lets months pass.",
        "Somebody's months.",
    ],
)
def test_a_fragment_is_found(text: str) -> None:
    assert faults(f'def months():\n    """{text}"""\n')


def test_a_class_may_be_a_thing_but_not_what_it_is() -> None:
    assert faults('class Heard:\n    """The months."""\n') == []
    assert faults('class Heard:\n    """What was heard."""\n')


def test_a_sentence_passes() -> None:
    assert faults('def months():\n    """Return the months on which an authority reported."""\n') == []


def test_a_test_is_named_and_may_say_more_in_any_sentence() -> None:
    assert faults('def test_months():\n    """Whatever the year."""\n') == []
    assert faults('def test_months():\n    """whatever the year"""\n')
