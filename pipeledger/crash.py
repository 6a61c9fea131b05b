"""Kill this process at a named point, to rehearse a crash.

``PIPELEDGER_CRASH_AT=after-data-commit`` kills at the first pass of that point,
``PIPELEDGER_CRASH_AT=after-data-commit:3`` at the third. Without the variable nothing
happens. The points of a sync, in their order:

    after-start         the start rows are in ``_checkpoints``, nothing was asked
    after-fetch         a page arrived, nothing of it has landed
    after-child-commit  a page's child records are committed, its own are not
    after-data-commit   a batch is committed, its checkpoint is not
    after-checkpoint    the checkpoint is committed, the next page not asked for
    after-deletes       tombstones are committed, the checkpoint that follows is not
    before-compaction   all streams have ended, files are not merged yet

Those of a publication: ``while-publishing`` (a mart is in the new file), ``before-flip``,
``while-publishing-postgres`` (a mart is in the open transaction), ``after-flip`` (the file is
read, PostgreSQL's transaction is open), ``before-postgres-commit``.

Those of an erasure: ``after-suppression`` (remembered, nothing rewritten),
``while-erasing-landing`` (one more table is rewritten), ``after-landing-erased`` (all are, and the
warehouse is gone).

``while-pruning`` is one of `pipeledger prune`: one more table is rewritten, nothing published.

``before-close`` is one of `pipeledger close`: the figures are frozen, the close is not noted.
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
