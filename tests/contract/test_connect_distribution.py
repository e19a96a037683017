"""An authority that installs the connector gets no Kafka, no PostgreSQL and no web server, and it works by itself."""

import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT / "services" / "connect", check=True, capture_output=True)
    (found,) = target.glob("*.whl")
    return found


def test_it_requires_little(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = message_from_bytes(archive.read(name))
    needed = {one: one.split(">")[0].split(";")[0].strip() for one in metadata.get_all("Requires-Dist", [])}
    for_page = {name for one, name in needed.items() if "extra == 'page'" in one}
    assert for_page == {"jinja2", "python-multipart", "starlette", "uvicorn"}
    for_databases = {name for one, name in needed.items() if "extra ==" in one} - for_page
    assert for_databases == {"pymssql", "pymysql", "oracledb", "psycopg[binary]"}
    assert set(needed.values()) - for_page - for_databases == {
        "httpx",
        "msgspec",
        "openpyxl",
        "python-calamine",
        "pyyaml",
        "sqlalchemy",
        "typer",
        "tzdata",
    }


def test_it_works_by_itself(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        names = set(archive.namelist())
    assert not [
        name
        for name in names
        if name.startswith("services/") and not name.startswith(("services/connect/", "services/__init__"))
    ]
    assert {"design-system.css", "base.html"} <= {Path(name).name for name in names if "connect/page/web/" in name}
    for arguments, said in (
        (["template", "orders.xlsx", "--authority", "Shetland Islands"], "orders.xlsx is ready"),
        (["check", "orders.xlsx"], "0 events would be sent"),
        (["page", "--help"], "Serve a page, to this machine only"),
        (["suggest", str(ROOT / "docs/examples/connect/one-row-per-order/orders 2026-03-02.xlsx")], "order.imposed:"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "services.connect", "connect", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path / "installed")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said in done.stdout
