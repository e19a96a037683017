"""How tests are shared among workers: whole files, some of them together, and on if a worker dies."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

TOGETHER = (
    ("tests/e2e/stack/",),
    ("tests/faults/test_parts_away.py", "tests/faults/test_killed_workers.py"),
    (
        *("tests/faults/test_alerts.py", "tests/faults/test_parked.py", "tests/faults/test_chaos.py"),
        "tests/faults/test_attacks.py",
    ),
)
"""Files that share a platform, which takes some 20 seconds of processor time to start: two of them, so that two workers have some."""


class Together(LoadFileScheduling):  # type: ignore[misc]
    """Whole files go to a worker, and of files that share something dear, all.

    pytest-xdist 3.8.0 ends the run with a KeyError, or waits for ever, after a worker has died (its issues 1362 and 1323, not mended in any
    version of it), and gives the test in which it died to the next. Here that one has failed, and its worker is forgotten.
    """

    def remove_node(self, node: WorkerController) -> str | None:
        """Let others do what a worker left, and return the test in which it died, if it did."""
        if not self._pending_of(self.assigned_work[node]):
            return super().remove_node(node)  # type: ignore[no-any-return]
        self.registered_collections.pop(node, None)
        left = [(scope, unit) for scope, unit in self.assigned_work.pop(node).items() if not all(unit.values())]
        died_in: str = next(test for test, done in left[0][1].items() if not done)
        left[0][1][died_in] = True
        self.workqueue.update((scope, unit) for scope, unit in left if not all(unit.values()))
        for other in self.nodes:
            self._reschedule(other)
        return died_in

    def _reschedule(self, node: WorkerController) -> None:
        """Give nothing to a worker that has not yet said which tests it has found."""
        if node in self.registered_collections:
            super()._reschedule(node)

    def _split_scope(self, nodeid: str) -> str:
        return next(
            (first for first, *rest in TOGETHER if nodeid.startswith((first, *rest))), super()._split_scope(nodeid)
        )
