"""Sync a planned vendor in a process that may be killed: folder, seed, steps, connection."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from pipeledger.landing import Landing
from pipeledger.sync import batch, sync_connection
from tests.sync.vendor import T0, Settings, plan


def main() -> None:
    folder, seed, steps, connection = sys.argv[1:]
    batch.BATCH_RECORDS = 25
    vendor = plan(int(seed), int(steps))
    asyncio.run(
        sync_connection(
            vendor.connector(),
            Settings(),
            connection,
            Landing(Path(folder) / "landing"),
            clock=lambda: T0 + timedelta(hours=int(steps)),
            state_dir=Path(folder) / "state",
        )
    )


if __name__ == "__main__":
    main()
