"""The checkpoints of one sync, in as few commits as they can safely be."""

import threading

from pipeledger.landing import Checkpoint, Landing


class Checkpoints:
    """Stores checkpoints; the end of a stream that landed nothing waits for the next commit.

    A scheduled sync mostly finds nothing new: a commit for each of twenty such streams would be
    twenty small files an hour. What waits is lost with the process, and then costs one more
    reading of what was unchanged; until then the stream's row says that it runs.
    """

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._lock = threading.Lock()
        self._waiting: list[Checkpoint] = []

    def commit(self, *rows: Checkpoint) -> None:
        """Store rows now, and what waits; their batches must be durable before.

        Raises:
            StorageFullError: there is no space left; what waited goes on waiting.
        """
        with self._lock:
            rows = (*self._waiting, *rows)
            if rows:
                self._landing.checkpoint(*rows)
            self._waiting = []

    def keep(self, *rows: Checkpoint) -> None:
        """Store rows with the next commit."""
        with self._lock:
            self._waiting += rows

    @property
    def waiting(self) -> set[str]:
        """The streams whose ends are not stored yet."""
        with self._lock:
            return {row.stream for row in self._waiting}
