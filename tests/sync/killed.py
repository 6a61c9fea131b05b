"""Syncs of a planned vendor, in children that a test can kill."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pandas as pd  # noqa: F401 - pyarrow's first array imports it, in every child but for this

from pipeledger.landing import Landing
from pipeledger.sync import batch, sync_connection
from tests.forks import serve
from tests.sync.vendor import T0, Settings, plan


def step(words: list[str]) -> None:
    """Sync as of a step of the plan: folder, seed, step, connection and, if it is to die, where."""
    folder, seed, number, connection, *crash_at = words
    os.environ["PIPELEDGER_CRASH_AT"] = "".join(crash_at)
    batch.BATCH_RECORDS = 25
    vendor = plan(int(seed), int(number))
    asyncio.run(
        sync_connection(
            vendor.connector(),
            Settings(),
            connection,
            Landing(Path(folder) / "landing"),
            clock=lambda: T0 + timedelta(hours=int(number)),
            state_dir=Path(folder) / "state",
        )
    )


if __name__ == "__main__":
    serve(step)
