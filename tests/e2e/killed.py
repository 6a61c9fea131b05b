"""A process that does one step of the road on request, in a child that a test can kill.

``python -m tests.e2e.killed <settings file>`` reads a step per line from standard input, forks,
and answers with the child's process id; the child's exit code follows when it is gone. Heavy
libraries are imported once, before any thread exists, so that sixty deaths stay cheap.
"""

import asyncio
import os
import sys
from pathlib import Path

# Imported for the children's sake; none of them starts a thread by being imported.
import dbt.adapters.duckdb.connections
import dbt.cli.main  # noqa: F401 - as above

from pipeledger.build import BuildReport, build, mark_of
from pipeledger.pipeline import clock_of, landing_of, sync_all, warehouse_of
from pipeledger.publish import publish
from pipeledger.settings import Settings, load_settings


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
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                step(settings, line.split())
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
