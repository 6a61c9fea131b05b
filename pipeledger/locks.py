"""One writer at a time, enforced by the kernel: a lock dies with its holder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.base.errors import PipeledgerError


class LockHeldError(PipeledgerError):
    """Another process holds the lock (exit 4); the message names it."""


@contextmanager
def exclusive(path: Path, what: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock file for the length of the block.

    Args:
        path: the lock file; made with its folder (mode 0700) if missing, never removed.
        what: what the lock guards, for the message.
        wait_seconds: how long to wait for another holder.

    Raises:
        LockHeldError: another process still holds it; names its process id.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + wait_seconds
    with path.open("a+", encoding="ascii") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    file.seek(0)
                    holder = file.read().strip() or "unknown"
                    raise LockHeldError(
                        f"{what} is in use by process {holder}. Wait until it ends; if it hangs, "
                        "end that process and the lock is free."
                    ) from None
                time.sleep(0.1)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
