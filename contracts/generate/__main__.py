"""`python -m contracts.generate` writes the documents. With --check it only prints which differ, and fails if any does; with --release it
keeps the present contract as a release.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from contracts.generate.documents import documents, stale
from contracts.generate.release import RELEASES, broken_promises, files, released
from contracts.version import VERSION

ROOT = Path(__file__).parents[2]


def check() -> int:
    differing = stale(ROOT)
    _say(f"{path} is not what the types say" for path in differing)
    return 1 if differing else 0


def write() -> int:
    for path in stale(ROOT):
        content = documents().get(path)
        if content is None:
            (ROOT / path).unlink()
        else:
            _write(path, content)
    return 0


def release() -> int:
    if (ROOT / RELEASES / VERSION).exists():
        _say([f"{VERSION} is released already; raise the version in contracts/version.py"])
        return 1
    broken = [promise for one in released(ROOT) for promise in broken_promises(one)]
    _say(broken)
    if not broken:
        for path, content in files(VERSION).items():
            _write(path, content)
    return 1 if broken else 0


def _write(path: str, content: bytes) -> None:
    (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / path).write_bytes(content)
    _say([path])


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


ACTIONS = {"": write, "--check": check, "--release": release}

sys.exit(ACTIONS[sys.argv[1] if len(sys.argv) > 1 else ""]())
