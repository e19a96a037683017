"""Docker Compose takes our files: by its plugin where it is there, and by compose-go, the library that it is made of."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.process import tail

ROOT = Path(__file__).parents[3]
SPEC = Path(sys.executable).with_name("compose-spec")
SECRETS = dict.fromkeys(
    [
        line.removesuffix("=")
        for line in (ROOT / "deploy" / "compose" / "example.env").read_text().splitlines()
        if line.endswith("=")
    ],
    "https://filled-in.example",
)
OVER = {
    "alone": [],
    "direct-kafka": ["direct-kafka"],
    "sign-in": ["sign-in"],
    "both": ["direct-kafka", "sign-in"],
    "webhooks": ["webhooks"],
    "authorities": ["authorities"],
    "archive": ["archive"],
    "copy": ["copy"],
}


def has_plugin() -> bool:
    return (
        bool(shutil.which("docker"))
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    )


READERS = [
    pytest.param(
        "plugin",
        marks=pytest.mark.skipif(
            not has_plugin(), reason="docker has no plugin compose (Docker: docker-compose-plugin)"
        ),
    ),
    pytest.param(
        "library", marks=pytest.mark.skipif(not SPEC.exists(), reason="compose-go is not there (`make parts`, with Go)")
    ),
]


def read(reader: str, files: list[Path], log: Path) -> dict[str, Any] | None:
    """Read the files laid over one another and filled in; None where they are refused."""
    if reader == "plugin":
        laid = [word for file in files for word in ("--file", str(file))]
        command = ["docker", "compose", *laid, "config", "--format", "json"]
    else:
        command = [str(SPEC), *map(str, files)]
    places = {
        "KAFKA_PUBLIC_NAME": "kafka.example",
        "KAFKA_CERTIFICATE": "/kafka.pem",
        "COPY_BOOTSTRAP": "copy.example:9094",
        "COPY_PASSWORD": "secret",
    }
    variables = os.environ | SECRETS | places
    with log.open("wb") as errors:
        done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, stderr=errors, check=False, cwd=ROOT)
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("over", OVER)
def test_compose_takes_our_files(reader: str, over: str, tmp_path: Path) -> None:
    files = [ROOT / "docker-compose.yml", *(ROOT / "deploy" / "compose" / f"{name}.yml" for name in OVER[over])]
    loaded = read(reader, files, tmp_path / "log")
    assert loaded is not None, tail(tmp_path / "log")
    services = loaded["services"]
    assert ("AUTHORITIES" in services["kafka"]["environment"].get("KAFKA_LISTENERS", "")) == (
        "direct-kafka" in OVER[over]
    )
    by_key = {name for name, one in services.items() if "PAYBACK_TOKENS_PUBLIC_KEY_PATH" in one.get("environment", {})}
    assert by_key == (set() if "sign-in" in OVER[over] else {name for name in services if name.endswith("-api")})
    for one in services.values():
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one["logging"]["options"]["max-size"]


@pytest.mark.parametrize("reader", READERS)
def test_what_is_misspelt_would_be_found(reader: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text((ROOT / "docker-compose.yml").read_text().replace("restart: unless-stopped", "restarts: always", 1))
    assert read(reader, [file], tmp_path / "log") is None
    assert "restarts" in (tmp_path / "log").read_text()
