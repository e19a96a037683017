"""`python -m contracts.receipts`: the commands about signed receipts, without the rest of the platform."""

import sys

from contracts.receipts.commands import Away, NotGiven, commands
from contracts.receipts.receipt import NotProven

if __name__ == "__main__":
    try:
        commands()
    except (NotProven, NotGiven, Away) as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(fault.exit_status)
