"""How tests are shared among workers: whole files, some of them together, and on if a worker dies."""

import os

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

TOGETHER = (
    ("tests/e2e/stack/",),
    (
        *("tests/e2e/test_pages.py", "tests/e2e/test_publications.py"),
        *("tests/e2e/test_stories.py", "tests/e2e/test_three_clicks.py"),
    ),
    ("tests/faults/test_",),
)
"""Files that share a platform or a site, dear to start and to release on."""

QUIET = (
    *(
        "tests/properties/",
        "tests/unit/",
        "tests/contract/",
        "tests/integration/connect/",
        "tests/integration/contracts/",
    ),
    *(f"tests/integration/reporting/{of}/" for of in ("api", "disclosure", "figures", "formats", "pages", "releases")),
)
"""Files that want a processor and wait for nobody, where the others wait much: they start nothing, or PostgreSQL alone."""

WAITING = ("tests/faults/test_", "tests/faults/chassis/")
"""Files that take minutes of which they wait for most: first of all, the others keep the cores busy meanwhile."""

SLEEPING = ("tests/unit/support/",)
"""Quiet files that come early, since they sleep and start pytest: last of all, they left cores idle for half a minute (measured)."""


def turn_of(test: str, *, long: bool) -> tuple[bool, bool, bool]:
    """Return by what tests are sorted: those that wait come first, then those that take long, then those that sleep."""
    return not test.startswith(WAITING), not long, not test.startswith(SLEEPING)


def cores() -> int:
    """Return how many workers keep the cores busy that wait for nobody."""
    return os.cpu_count() or 1


def beside_cores() -> int:
    """Return how many workers with parts of their own keep the cores busy, since tests of real parts wait much.

    They may all wait at once: so there are as many more as there are cores that wait for nobody, and start less.
    """
    return cores() + 1


def fills(number: int, workers: int) -> bool:
    """Return whether this worker is one more than those with parts: it fills the gaps while they wait, with files that start none."""
    return beside_cores() <= number < workers


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

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a worker that fills gaps quiet files only, and end it when there is none; the others take them last."""
        filling = self._fills(node)
        wanted = next((scope for scope in self.workqueue if scope.startswith(QUIET) is filling), None)
        if filling and wanted is None and not all(map(self._fills, self.nodes)):
            node.shutdown()
            return
        if wanted is not None:
            self.workqueue.move_to_end(wanted, last=False)
        super()._assign_work_unit(node)

    def _fills(self, node: WorkerController) -> bool:
        return fills(number_of(node.gateway.id), self.numnodes)

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """Return what goes to a worker as a whole: the file of a test, or the first of those that stay together."""
    file = nodeid.partition("::")[0]
    return next((first for first, *rest in TOGETHER if nodeid.startswith((first, *rest))), file)


def number_of(worker: str) -> int:
    """Return which worker it is: gw0 is the first."""
    return int(worker.removeprefix("gw"))
