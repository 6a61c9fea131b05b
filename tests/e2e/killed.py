"""Steps of the road, in children that a test can kill; its word is the settings file."""

import asyncio
import sys
from pathlib import Path

# Imported for the children's sake; none of them starts a thread by being imported.
import dbt.adapters.duckdb.connections
import dbt.cli.main  # noqa: F401 - as above
import pandas as pd  # noqa: F401 - pyarrow's first array imports it

from pipeledger.build import BuildReport, build, mark_of
from pipeledger.pipeline import clock_of, landing_of, sync_all, warehouse_of
from pipeledger.publish import publish
from pipeledger.settings import Settings, load_settings
from tests.forks import serve


def step(settings: Settings, words: list[str]) -> None:
    """Do ``sync``, ``build`` or ``publish <build id>``, the warehouse taken for that build's."""
    now = clock_of(settings)()
    if words[0] == "sync":
        asyncio.run(sync_all(settings))
    elif words[0] == "build":
        build(settings, landing_of(settings), now=now)
    else:
        warehouse = warehouse_of(settings)
        mark_of(warehouse).write_text(words[1], encoding="ascii")
        publish(settings, BuildReport(words[1], now, warehouse))


def main() -> None:
    """Serve steps until standard input ends."""
    settings = load_settings(Path(sys.argv[1])).settings
    serve(lambda words: step(settings, words))


if __name__ == "__main__":
    main()
