"""Ten Scotlands on this machine: `python -m tests.load.ten_scotlands [months]`, which prints what `payback demo` does.

Nine more authorities like each one that there is come from a list, as an operator would give it. Ends with the status of the demo, 0 if
every cell is right.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from contracts.authorities import AUTHORITIES

TIMES = 10
MONTHS = 4


def listed() -> Iterator[str]:
    """Yield a table of TOML for each authority more, of the same size and in the same health board."""
    for number in range(1, TIMES):
        for place, one in enumerate(AUTHORITIES.values()):
            yield "\n".join(
                [
                    "[[authority]]",
                    f'code = "S12{number}{place:02d}{one.code[-3:]}"',
                    f'name = "{one.first_name} {number + 1}"',
                    f'health_board = "{one.health_board}"',
                    f"population_thousands = {one.population_thousands}",
                ]
            )


def main(months: int) -> int:
    """Load them, and have every cell compared with the truth."""
    with TemporaryDirectory() as home:
        path = Path(home) / "authorities.toml"
        path.write_text("\n\n".join(listed()))
        began = time.monotonic()
        command = [str(Path(sys.executable).with_name("payback")), "demo", "--exit", "--months", str(months)]
        told = os.environ | {"PAYBACK_AUTHORITIES_PATH": str(path)}
        status = subprocess.run(command, env=told, check=False).returncode
    print(f"{TIMES * len(AUTHORITIES)} authorities, {months} months: {time.monotonic() - began:.0f} s")
    return status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else MONTHS))
