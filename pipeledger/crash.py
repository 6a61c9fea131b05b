"""Kill this process at a named point, to rehearse a crash.

``PIPELEDGER_CRASH_AT=after-data`` kills at the first pass of that point,
``PIPELEDGER_CRASH_AT=after-data:3`` at the third. Without the variable nothing happens.
"""

import os
import signal
from collections import Counter

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Die here, as by ``kill -9``, if the environment asks for it."""
    wanted, _, count = os.environ.get("PIPELEDGER_CRASH_AT", "").partition(":")
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] >= int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
