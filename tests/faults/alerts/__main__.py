"""`make alerts`: does every fault of the table to everything running, and prints how long its alert took. Exit status 1 if one failed."""

import sys
import time

from kafka.errors import KafkaError

from tests.faults.alerts.prove import NotProved, prove
from tests.faults.alerts.scene import running
from tests.faults.alerts.table import FAULTS

LINE = "| {:45} | {:18} | {:>8} | {:>8} | {:>8} | {}"


def main(wanted: list[str]) -> int:
    """Proves the faults whose alert or name holds one of these words; all, if there are none."""
    chosen = [fault for fault in FAULTS if not wanted or any(word in f"{fault.alert} {fault.name}" for word in wanted)]
    print(LINE.format("fault", "alert", "here", "deployed", "clears", "also told"))
    failed = 0
    with running() as scene:
        for fault in chosen:
            try:
                proof = prove(scene, fault)
            except (NotProved, KafkaError, AssertionError) as fault_of_proof:
                failed += 1
                print(f"| {fault.name:45} | {fault.alert:18} | NOT PROVED: {fault_of_proof}", flush=True)
                continue
            failed += not proof.others <= fault.also
            clears = "stays" if proof.cleared is None else f"{proof.cleared:.0f} s"
            deployed = f"{proof.deployed(fault.alert):.0f} s"
            others = ", ".join(sorted(proof.others)) or "-"
            print(LINE.format(fault.name, fault.alert, f"{proof.arrived:.0f} s", deployed, clears, others), flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} as they must be, on {time.strftime('%d %B %Y')}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
