"""`python -m contracts.generate` writes the documents; with --check it only tells which differ, and fails if any does."""

import sys
from pathlib import Path

from contracts.generate.documents import documents, stale

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        differing = stale(ROOT)
        sys.stdout.writelines(f"{path} is not what the types say\n" for path in differing)
        return 1 if differing else 0
    for path in stale(ROOT):
        content = documents().get(path)
        if content is None:
            (ROOT / path).unlink()
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_bytes(content)
        sys.stdout.write(f"{path}\n")
    return 0


sys.exit(main(sys.argv[1:]))
