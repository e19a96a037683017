"""The latest event of each authority that has had its effect and that nobody was shown yet."""

from collections.abc import Collection, Mapping
from threading import Lock


class Latest:
    """Keeps the greatest `time` of events until a publication takes it. In memory: after a restart the next publication tells none."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}
        self._lock = Lock()

    def note(self, times: Mapping[str, float]) -> None:
        """Note times, in seconds since 1970, of events that were committed, or whose publication failed."""
        with self._lock:
            for authority, at in times.items():
                self._times[authority] = max(at, self._times.get(authority, at))

    def take(self, authorities: Collection[str]) -> dict[str, float]:
        """Return the times of these authorities, and forget them. Do so before the rows are read, so that they show all of these events."""
        with self._lock:
            return {code: self._times.pop(code) for code in authorities if code in self._times}
