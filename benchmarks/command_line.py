"""How long a person waits for the command line to answer: ``pipeledger --help``."""

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.table import Measurement

TIMES = 5


def measure(full: bool) -> Iterator[Measurement]:
    """Yield the median of several calls, each in a process of its own."""
    del full
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pipeledger", "--help"], check=True, capture_output=True
        )
        taken.append(time.perf_counter() - started)
    yield Measurement("pipeledger --help", median(taken), "s", 0.5)
