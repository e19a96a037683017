"""JavaScript programs of the tests: a folder with a package.json that names one package, which npm fetches the first time."""

import json
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

from tests.support.outside.lacking import cannot

OPTIONS = ("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def fetched(folder: Path, package: str) -> Path:
    """Return the folder, once it has the package in the version that it names. Skips if there is no npm, or fails in CI."""
    if which("npm") is None:
        cannot(f"needs Node.js and npm, for {package}: what it reads was NOT checked")
    wanted = json.loads((folder / "package.json").read_text())["dependencies"][package]
    installed = folder / "node_modules" / package / "package.json"
    if not installed.exists() or json.loads(installed.read_text())["version"] != wanted:
        subprocess.run(["npm", "install", *OPTIONS], cwd=folder, check=True)
    return folder


def asked(script: Path, document: Path) -> dict[str, Any]:
    """Return what the script prints of a document."""
    answer = subprocess.run(["node", script, document], capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found
