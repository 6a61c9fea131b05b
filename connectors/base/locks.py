"""Locks that other processes respect and that a killed holder gives back by itself."""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def hold(handle: int) -> Iterator[None]:
    """Hold the kernel's lock on an open file for a few microseconds of work.

    Waits without yielding to the event loop: only for sections that never block.
    """
    while not _try_lock(handle):
        time.sleep(0.0002)
    try:
        yield
    finally:
        _unlock(handle)


@asynccontextmanager
async def file_lock(path: Path, *, patience_seconds: float = 60.0) -> AsyncIterator[None]:
    """Hold ``path`` exclusively over all processes while the block runs.

    Raises:
        TimeoutError: another process held it for longer than ``patience_seconds``.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        give_up = time.monotonic() + patience_seconds
        while not _try_lock(handle):
            if time.monotonic() > give_up:
                raise TimeoutError(f"{path} is locked by another process")
            await asyncio.sleep(0.02 + random.random() * 0.05)  # noqa: S311 - spread, not secrecy
        try:
            yield
        finally:
            _unlock(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a private file so that a crash leaves the old or the new one, never half.

    Written aside with mode 0600, flushed to the disk, renamed, and the rename flushed.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    aside.replace(path)
    if sys.platform != "win32":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
