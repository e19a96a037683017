"""Pages are answered on one event loop: what takes long for a large authority is done beside it, or nobody else would be answered."""

import ast
import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.desk import files
from services.desk.pages import routes as desk
from services.desk.pages import today
from services.desk.pages.site import Route

TAKE_LONG = {"as_csv", "as_xlsx", "as_docx", "by_topic"}
"""They make files, and read one: 130,000 lines fit into a form."""
PAGES = Path(desk.__file__).parent


def is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_lists_are_made_into_files_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, bool] = {}

    def noting(name: str) -> Any:
        def make(*_: object) -> bytes:
            found[name] = is_on_a_loop()
            return b""

        return make

    async def sheet(*_: object) -> files.Sheet:
        assert is_on_a_loop()
        return files.Sheet("Orders", ("Order",), [])

    for name in ("as_csv", "as_xlsx"):
        monkeypatch.setattr(files, name, noting(name))

    async def ask(route: Route) -> None:
        nothing: Any = None
        await route.page(nothing, nothing, nothing)

    for route in today.files_of("orders", sheet):
        asyncio.run(ask(route))
    assert found == {"as_csv": False, "as_xlsx": False}


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.py")), ids=lambda path: path.stem)
def test_no_page_does_by_itself_what_takes_long(path: Path) -> None:
    """A page may only hand the function to a thread."""
    pages = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.AsyncFunctionDef)]
    calls = [node for page in pages for node in ast.walk(page) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if ast.unparse(call.func).rpartition(".")[2] in TAKE_LONG] == []


def test_the_pages_that_do_it_are_looked_at() -> None:
    written = "".join(path.read_text() for path in PAGES.glob("*.py"))
    assert all(f"run_in_threadpool({name}" in written.replace("files.", "") for name in TAKE_LONG)
