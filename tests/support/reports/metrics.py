"""How large and how tangled the source is: `make metrics` prints what docs/architecture.md quotes."""

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

from tests.support.source import FILES, ROOT, imported, module_of, tree

BRANCHES = (
    *(ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert),
    *(ast.comprehension, ast.match_case, ast.BoolOp),
)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Row = tuple[str, str, str]


def functions() -> Iterator[tuple[Path, Function]]:
    for path in FILES:
        yield from ((path, node) for node in ast.walk(tree(path)) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    """Count lines from the signature to the last line."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def complexity(function: Function) -> int:
    """Count the ways through a function: one, and one more for each branch."""
    return 1 + sum(isinstance(node, BRANCHES) for node in ast.walk(function))


def folders() -> Counter[str]:
    """Count the Python files directly in each folder. The history of a schema only grows, so it is left out."""
    return Counter(str(path.parent) for path in FILES if path.parent.name != "versions")


def fan_in() -> Counter[str]:
    """Count how many files import each of our modules."""
    modules = {module_of(path) for path in FILES}
    found: Counter[str] = Counter()
    for path in FILES:
        names = {name for one in imported(path) for name in (one, one.rpartition(".")[0])}
        found.update(names & modules)
    return found


def rows() -> Iterator[Row]:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in FILES}
    found = list(functions())
    yield "files", f"{len(FILES)}", f"{sum(lengths.values()):,} lines"
    yield "lines of a file", spread(lengths.values()), largest(lengths)
    yield "lines of a function", spread([lines_of(one) for _, one in found]), longest(found, lines_of)
    yield "complexity of a function", spread([complexity(one) for _, one in found]), longest(found, complexity)
    yield "Python files of a folder", spread(folders().values()), largest(folders())
    yield "importers of a module", spread(fan_in().values()), largest(fan_in())


def spread(numbers: Iterable[int]) -> str:
    values = sorted(numbers)
    return f"median {median(values):.0f}, nine in ten up to {quantiles(values, n=10)[-1]:.0f}"


def largest(numbers: "Counter[str] | dict[str, int]") -> str:
    return ", ".join(f"`{name}` {number}" for name, number in Counter(numbers).most_common(3))


def longest(found: Sequence[tuple[Path, Function]], measure: Callable[[Function], int]) -> str:
    return largest({f"{path.stem}.{function.name}": measure(function) for path, function in found})


def main() -> None:
    print("| what | how much | most |\n|---|---|---|")
    for row in rows():
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
