"""An authority that installs the library gets no Kafka and no SQL."""

import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from contracts.version import VERSION

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT / "contracts", check=True, capture_output=True)
    (found,) = target.glob("*.whl")
    return found


def test_it_requires_msgspec_and_httpx_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = message_from_bytes(archive.read(name))
    needed = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert {one.split(">")[0].split(";")[0].strip() for one in needed} == {"httpx", "msgspec", "tzdata"}
    assert metadata["Version"] == VERSION


def test_it_holds_the_library_and_works_by_itself(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        names = set(archive.namelist())
    assert "contracts/client/__init__.py" in names
    assert not [name for name in names if name.startswith(("contracts/generate", "contracts/releases", "services"))]
    code = "import contracts.client; print(contracts.client.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(tmp_path / "installed"))
