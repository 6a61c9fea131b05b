"""Landing: every version of every record, append-only, in Delta tables.

One table per stream (``<root>/<source>/<stream>``, partitioned by connection) holds one row
per version. A version is appended only if its content hash or its change differs from the
record's newest version, so reading a window twice adds nothing: delivery is at least once,
the result is exactly once. The batch commits first, its checkpoint after it.
"""

from pipeledger.landing.canonical import content_hash
from pipeledger.landing.checkpoints import Checkpoint, StreamStatus
from pipeledger.landing.store import Landing, Pin, Version
from pipeledger.landing.tables import StorageFullError
from pipeledger.landing.writer import AppendReport, Writer

__all__ = [
    "AppendReport",
    "Checkpoint",
    "Landing",
    "Pin",
    "StorageFullError",
    "StreamStatus",
    "Version",
    "Writer",
    "content_hash",
]
