"""dbt's commands over a prepared warehouse, by the manifest that is kept.

A build runs them in its own process (`Dbt`), Dagster in a child (`pipeledger-dbt`).
"""

import json
import os
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.base.errors import PipeledgerError
from pipeledger.dbt_lean import lean
from pipeledger.kept import unchanged
from pipeledger.manifest import company_manifest, show_manifest
from pipeledger.project import ROOT

_STANDING = "stands_unchanged"
# Nothing reads dbt's own log file; the report has all that went wrong.
_QUIET = ("--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none")


class BuildError(PipeledgerError):
    """A model could not be built; the message is the database's own."""


@contextmanager
def dbt_environment(warehouse: Path, as_of: datetime) -> Iterator[None]:
    """The variables that profiles.yml, the models and dbt read, for the length of a run."""
    wanted = {
        "PIPELEDGER_WAREHOUSE": str(warehouse),
        "PIPELEDGER_AS_OF": as_of.isoformat().replace("+00:00", "Z"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Dbt:
    """Runs dbt's commands over one warehouse.

    Args:
        warehouse: the prepared file.
        variables: the JSON text of dbt's variables; their ``sources`` are the configured ones.
        manifest: what dbt knows of the project; that of the sources if None.
    """

    def __init__(self, warehouse: Path, variables: str, manifest: Any = None) -> None:
        folder = warehouse.parent / "dbt"
        self._options = [
            *("--project-dir", str(ROOT), "--profiles-dir", str(ROOT)),
            *("--target-path", str(folder), "--log-path", str(folder)),
            *("--vars", variables),
        ]
        self._left: tuple[str, ...] = ()
        self.manifest = manifest
        if manifest is None:
            self.manifest = company_manifest(warehouse, json.loads(variables)["sources"])
        show_manifest(warehouse, self.manifest)

    def leave(self, standing: Collection[tuple[str, str]]) -> int:
        """Leave what stands unchanged out of the next command; how many nodes that are."""
        left = {node.unique_id for node in unchanged(self.manifest, standing)}
        for name, node in self.manifest.nodes.items():
            others = [tag for tag in node.tags if tag != _STANDING]
            node.tags = [*others, _STANDING] if name in left else others
        self._left = ("--exclude", f"tag:{_STANDING}") if left else ()
        return len(left)

    def run(self, *command: str) -> tuple[list[Any], float]:
        """The results of a command, and its seconds.

        Raises:
            BuildError: dbt could not even start.
        """
        started = time.monotonic()
        words = ["--no-write-json", *command, *self._left]
        self._left = ()
        results = list(getattr(self._invoke(words), "results", []))
        return results, time.monotonic() - started

    def _invoke(self, command: list[str]) -> Any:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        try:
            words = [*_QUIET, *command, *self._options]
            with lean():
                outcome = dbtRunner(manifest=self.manifest).invoke(words)
        finally:
            # dbt keeps the file open in the process, and would lock out the publication.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call] # theirs
        if outcome.exception is not None:
            verb = next(word for word in command if not word.startswith("-"))
            raise BuildError(f"dbt {verb} failed: {outcome.exception}") from outcome.exception
        return outcome.result


def cli() -> None:
    """The command line of dbt; what is given ``--vars`` runs by the manifest of their sources."""
    from dbt.cli.main import cli as dbt

    words = sys.argv[1:]
    manifest = None
    if "--vars" in words:
        warehouse = Path(os.environ["PIPELEDGER_WAREHOUSE"])
        variables = json.loads(words[words.index("--vars") + 1])
        manifest = company_manifest(warehouse, variables["sources"])
        show_manifest(warehouse, manifest)
    with lean(tells=True):
        dbt(obj={"manifest": manifest})
