"""Steps in children that a test can kill, forked from a process that has imported what they need.

A process that imports the warehouse's libraries takes a second, and a child of one that has them
none: sixty deaths stay cheap. The parent reads a step per line from standard input, forks, and
answers with the child's process id; the child's exit code follows when it is gone.
"""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pipeledger.project import ROOT


class Worker:
    """The process whose children die."""

    def __init__(self, module: str, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _line(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def start(self, step: str) -> int:
        """Begin a step; returns the child's process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{step}\n")
        self._process.stdin.flush()
        return self._line()

    def kill(self, step: str, seconds: float) -> int:
        """Begin a step and kill it after so long; returns its exit code."""
        child = self.start(step)
        time.sleep(seconds)
        # A step that ended before its death is no fault: its exit code says so.
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return self.end()

    def end(self) -> int:
        """Wait for the step that was begun; returns its exit code."""
        return self._line()

    def finish(self, step: str) -> int:
        """Do a whole step; returns its exit code."""
        self.start(step)
        return self.end()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def worker(module: str, *words: str) -> Iterator[Worker]:
    """The process of a module that calls ``serve``, for the length of the block."""
    made = Worker(module, *words)
    try:
        yield made
    finally:
        made.close()


def serve(step: Callable[[list[str]], None]) -> None:
    """Do steps until standard input ends, each in a child; ``step`` gets the words of its line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                step(line.split())
                code = 0
            except BaseException:  # noqa: BLE001 - the child must never go on as its parent
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
