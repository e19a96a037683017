"""The direction of imports, and who may touch what: the architecture as a test."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from tomllib import loads

import pytest

from tests.load import bench_peers
from tests.support.source import FILES, OURS, ROOT, imported, module_of, nodes, tree

CHASSIS = {"contracts", "services.chassis"}
MAY_IMPORT = {
    "contracts": {"contracts"},
    "services.chassis": CHASSIS,
    "services.records": CHASSIS | {"services.records"},
    **{
        f"services.{service}": CHASSIS | {"services.records", f"services.{service}"}
        for service in ("orders", "unpaid_work")
    },
    "services.reporting": CHASSIS
    | {"services.records.model", "services.reporting"},  # its calendar, and nothing of its tables
    "services.desk": CHASSIS | {"services.desk"},  # it asks the other services over HTTP
    "services.simulate": {
        "contracts",
        "services.chassis.clock",
        "services.simulate",
    },  # so that what it counts is another count
    "services.connect": {"contracts", "services.connect"},  # it runs at the authority, without the platform
}
MAY_IMPORT_ALL = {"services", "services.cli", "services.operations", "deploy"}

ROOMS = {
    "contracts": ("listing", "decoding", "client", "receipts", "generate"),
    "services.simulate": ("lives", "telling"),
    "services.operations": ("moving", "rights", "proof"),
    "services.desk": ("model", "words", "report", "pages"),
    "services.records": ("model", "config", "ingest", "trees", "upkeep", "returns", "webhooks", "api"),
    "services.reporting": (
        "registry",
        "statistics",
        "read",
        "ingest",
        "disclosure",
        "releases",
        "figures",
        "formats",
        "files",
        "api",
        "pages",
    ),
}
"""The rooms of a package in their order: each may import itself and those before it."""
WITHIN_A_ROOM = {"services.chassis.streaming": ("fetching", "clients", "membership")}
"""The rooms of a room, in the same way."""

PURE_LIBRARIES = sys.stdlib_module_names | {"holidays", "msgspec", "numpy"}
"""Types, arithmetic, and a table of dates."""
IMPURE = {"os", "socket", "subprocess", "urllib", "http", "sqlite3", "random", "time"}
CLOCK_CALLS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def closure(path: Path) -> set[Path]:
    """Return the file and all files of services that it imports, directly or not."""
    found: set[Path] = set()
    waiting = {path}
    while waiting:
        found |= waiting
        waiting = {file for each in waiting for module in imported(each) for file in files_of(module)} - found
    return found


def files_of(module: str) -> list[Path]:
    """Return the file of a module or package, or of the module that a name belongs to, within services."""
    if not within(module, {"services"}):
        return []
    itself, around = (Path(*name.split(".")) for name in (module, module.rpartition(".")[0]))
    candidates = [itself.with_suffix(".py"), itself / "__init__.py", around.with_suffix(".py")]
    return [path for path in candidates if path in FILES][:1]


def region(module: str) -> str:
    """Return `contracts`, `deploy`, or the part of services that the module belongs to."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "services" else parts[0]


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for attributes of a name, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (start := dotted(node.value)):
        return f"{start}.{node.attr}"
    return ""


def test_there_is_something_to_look_at() -> None:
    assert {region(module_of(path)) for path in FILES} >= {"contracts", "deploy", "services.chassis", "services.orders"}


def test_every_place_may_import_something() -> None:
    places = {region(module_of(path)) for path in FILES}
    assert places <= {*MAY_IMPORT, *MAY_IMPORT_ALL}, "a place is new: say in this test what it may import"


def where(unwanted: Callable[[Path], Iterable[str]], paths: Iterable[Path] = FILES) -> dict[str, set[str]]:
    """Return files with what they should not have. One test looks at all files, since a test for each took longer than looking."""
    return {str(path): found for path in paths if (found := set(unwanted(path)))}


def test_imports_point_one_way() -> None:
    def against(path: Path) -> Iterator[str]:
        place = region(module_of(path))
        if place not in MAY_IMPORT_ALL:
            ours = (module for module in imported(path) if within(module, set(OURS)))
            yield from (module for module in ours if not within(module, MAY_IMPORT[place]))

    assert where(against) == {}


def test_rooms_are_in_order() -> None:
    def above(path: Path) -> Iterator[str]:
        for package, rooms in {**ROOMS, **WITHIN_A_ROOM}.items():
            room = module_of(path).removeprefix(f"{package}.").split(".")[0]
            if within(module_of(path), {package}) and room in rooms:
                later = {f"{package}.{each}" for each in rooms[rooms.index(room) + 1 :]}
                yield from (module for module in imported(path) if within(module, later))

    assert where(above) == {}


def test_the_page_on_architecture_gives_every_room_and_the_same_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `((?:services/)?\w+)/` \| ([^|]*\S) \|", page, re.MULTILINE)
    assert {package.replace("/", ".") for package, _ in rows} > ROOMS.keys()
    for package, cell in rows:
        rooms = tuple(re.findall(r"`(\w+)`", cell))
        ordered = ROOMS.get(package.replace("/", "."), ())
        assert cell.startswith("in order:") == bool(ordered), package
        assert rooms == ordered or not ordered, package
        assert set(rooms) == {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}, package


def test_no_modules_import_one_another_in_a_circle() -> None:
    """Whatever the order of rooms says, or where it says nothing: a circle cannot be understood piece by piece."""
    modules = {module_of(path) for path in FILES}
    imports = {
        module_of(path): {name if name in modules else name.rpartition(".")[0] for name in imported(path)} & modules
        for path in FILES
    }
    while leaves := {module for module, used in imports.items() if not used & imports.keys() - {module}}:
        imports = {module: used for module, used in imports.items() if module not in leaves}
    assert imports.keys() == set(), "these import one another, or what does"


def says_pure(path: Path) -> bool:
    return re.search(r"\b[Pp]ure\b", ast.get_docstring(tree(path)) or "") is not None


def test_what_must_be_pure_says_so() -> None:
    silent = {path for path in FILES if path.stem in {"rules", "contributions", "fold"} and not says_pure(path)}
    assert silent == set()


def test_what_says_pure_is_pure() -> None:
    """It, and all of services that it rests on, imports the standard library, types and contracts only."""

    def impure(path: Path) -> Iterator[str]:
        for module in imported(path):
            if within(module, {"services.chassis"}):
                allowed = within(module, {"services.chassis.streaming.batches", "services.chassis.web.categories"})
            else:
                allowed = within(module, set(OURS)) or module.split(".")[0] in PURE_LIBRARIES
            if not allowed or within(module, IMPURE):
                yield module

    pure = {path for path in FILES if says_pure(path)}
    assert len(pure) > 50
    assert where(impure, {used for path in pure for used in closure(path)}) == {}


SQL = {f"sqlalchemy.{name}" for name in ("delete", "exists", "func", "insert", "select", "text", "union_all", "update")}


def test_what_answers_and_what_takes_events_has_no_sql() -> None:
    """Routes, pages and workers call stores and query modules, where whoever looks for a statement finds all of them."""
    answering = [path for path in FILES if any(within(module, {"fastapi"}) for module in imported(path))]
    taking = [path for path in FILES if path.stem in {"worker", "fold", "publisher"}]
    assert len(answering) > 50
    assert len(taking) >= 4
    assert where(lambda path: SQL.intersection(imported(path)), [*answering, *taking]) == {}


def test_only_one_room_imports_faust() -> None:
    found = where(lambda path: (module for module in imported(path) if within(module, {"faust", "mode"})))
    assert {str(Path(path).parent) for path in found} == {"services/chassis/streaming/membership"}


def test_only_settings_read_the_environment() -> None:
    environment = {"os.environ", "os.environb", "os.getenv"}

    def read(path: Path) -> set[str]:
        return environment & {*imported(path), *(dotted(each) for each in nodes(path, ast.Attribute))}

    assert where(read, [path for path in FILES if path.name != "settings.py"]) == {}


def test_only_the_clock_asks_the_time() -> None:
    def asked(path: Path) -> Iterator[str]:
        calls = {dotted(call.func) for call in nodes(path, ast.Call)}
        yield from (call for call in calls if any(call == name or call.endswith(f".{name}") for name in CLOCK_CALLS))
        yield from {"time.time", "time.time_ns"}.intersection(imported(path))

    assert set(where(asked)) == {"contracts/clock.py"}


def test_only_the_contract_names_the_time_zone() -> None:
    """A day is the same day for the connector at an authority, for services, and for readers."""
    assert set(where(lambda path: {"zoneinfo.ZoneInfo"}.intersection(imported(path)))) == {"contracts/periods.py"}


def test_the_desk_has_no_database_and_no_kafka() -> None:
    desk = [path for path in FILES if within(module_of(path), {"services.desk"})]
    unwanted = {"sqlalchemy", "psycopg", "kafka", "services.chassis.database", "services.chassis.streaming"}
    assert len(desk) > 30
    assert where(lambda path: (module for module in imported(path) if within(module, unwanted)), desk) == {}


CONNECT_LIBRARIES = {"msgspec", "openpyxl", "python_calamine", "sqlalchemy", "typer", "yaml"}
PLATFORM_LIBRARIES = (
    "kafka",
    "aiokafka",
    "faust",
    "psycopg",
    "fastapi",
    "uvicorn",
    "alembic",
    "services.chassis",
    "services.records",
)


def test_the_connector_needs_little() -> None:
    """It runs at an authority, where nothing of the platform is. Only its page needs more, which is an extra."""
    paths = {path for path in FILES if within(module_of(path), {"services.connect"})}
    page = {path for path in paths if within(module_of(path), {"services.connect.page"})}
    assert len(paths - page) > 10
    assert _libraries(paths - page) <= CONNECT_LIBRARIES
    assert _libraries(page) <= CONNECT_LIBRARIES | {"jinja2", "starlette", "uvicorn"}


def _libraries(paths: Iterable[Path]) -> set[str]:
    found = {module.split(".")[0] for path in paths for module in imported(path) if not within(module, set(OURS))}
    return found - sys.stdlib_module_names


def test_the_connector_starts_without_the_platform() -> None:
    code = "import sys, services.connect.commands; sys.stdout.writelines(f'{name}\\n' for name in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "services.connect.comparing.compare" in loaded
    assert {name for name in loaded if within(name, set(PLATFORM_LIBRARIES))} == set()


def test_reporting_starts_without_what_only_files_of_releases_need() -> None:
    """`making` is imported where files are made, which the file of a module does not tell."""
    code = "import sys, services.reporting.app; sys.stdout.writelines(f'{name}\\n' for name in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "services.reporting.files.store" in loaded
    assert not loaded & {"pyarrow", "odf", "services.reporting.files.making"}


def undeclared(paths: Iterable[Path], requirements: Iterable[str]) -> set[tuple[str, str]]:
    """Return the modules of libraries that none of the requirements brings, with the file that imports them."""
    declared = {normal(re.split(r"[\[<>=~!; ]", requirement)[0]) for requirement in requirements}
    providers = packages_distributions()
    return {
        (str(path), module)
        for path in paths
        for module in imported(path)
        if (top := module.split(".")[0]) not in {*sys.stdlib_module_names, *OURS, "tests"}
        and not declared & {normal(name) for name in providers.get(top, ())}
    }


def test_every_library_is_declared() -> None:
    """So that what works in a developer's environment works from a clean clone. What the worker is compared with has its own."""
    project = loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    libraries, tools = project["dependencies"], extras["dev"]
    optional = {"analyst": Path("contracts/analyst.py"), "operations": Path("services/operations/proof/recount.py")}
    assert undeclared([path for path in FILES if path not in optional.values()], libraries) == set()
    for extra, path in optional.items():
        assert undeclared([path], [*libraries, *extras[extra]]) == set()
    tests = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py")]
    compared = {requirement.partition("=")[0].partition("[")[0] for requirement in bench_peers.RELEASES}
    peers = Path("tests/load/peers")
    found = undeclared(tests, [*libraries, *tools])
    assert {module.partition(".")[0] for path, module in found if Path(path).parent == peers} == compared
    assert {(path, module) for path, module in found if Path(path).parent != peers} == set()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("reporting/app", {"faust", "aiokafka", "kafka", "alembic"}),
        ("orders/api", {"faust", "aiokafka", "openpyxl", "alembic"}),
        ("records/ingest/run_worker", {"fastapi", "openpyxl", "alembic"}),
        ("reporting/ingest/run_worker", {"fastapi", "openpyxl", "pyarrow", "alembic"}),
    ],
)
def test_a_process_starts_without_what_it_does_not_run(module: str, unwanted: set[str]) -> None:
    """Each of these takes a tenth of its start or more."""
    loaded = closure(Path("services", module).with_suffix(".py"))
    assert len(loaded) > 20
    assert not unwanted & _libraries(loaded)
