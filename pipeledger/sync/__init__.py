"""Sync: read what is new from one connection and land it, batch by batch.

Data first, then the checkpoint: a crash between the two repeats one batch, and landing
drops what it has. One failing stream never stops the others.

    report.py      what a sync says about itself
    batch.py       records read but not landed yet
    stream.py      one stream: batches, checkpoints, deletes
    connection.py  one connection: lock, state, streams side by side
    backfill.py    a range read again, beside the live cursor
    state.py       is the stored state fit to go on from, and how to rebuild it
"""

from pipeledger.sync.backfill import Range, backfill_connection
from pipeledger.sync.connection import sync_connection
from pipeledger.sync.interrupt import cancel_on_signals
from pipeledger.sync.report import (
    DeletesRefusedError,
    StreamReport,
    SyncReport,
    TooManyRejectedError,
)
from pipeledger.sync.state import RebuiltStream, rebuild_state

__all__ = [
    "DeletesRefusedError",
    "Range",
    "RebuiltStream",
    "StreamReport",
    "SyncReport",
    "TooManyRejectedError",
    "backfill_connection",
    "cancel_on_signals",
    "rebuild_state",
    "sync_connection",
]
