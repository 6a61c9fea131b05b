"""The static dbt site: every model, column, unit and test in one file."""

from pathlib import Path

from connectors.base.errors import PipeledgerError
from pipeledger.empty_warehouse import make_empty_warehouse
from pipeledger.project import ROOT


def write_site() -> Path:
    """Write target/static_index.html from an empty warehouse; return its path.

    Raises:
        PipeledgerError: dbt could not document the project.
    """
    import os

    from dbt.cli.main import dbtRunner

    warehouse = ROOT / "target" / "docs.duckdb"
    warehouse.unlink(missing_ok=True)
    make_empty_warehouse(warehouse)
    os.environ["PIPELEDGER_WAREHOUSE"] = str(warehouse)
    place = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
    for command in (["seed"], ["run", "--empty"], ["docs", "generate", "--static"]):
        outcome = dbtRunner().invoke(["--quiet", *command, *place])
        if not outcome.success:
            raise PipeledgerError(f"dbt {command[0]} failed: {outcome.exception or outcome.result}")
    return ROOT / "target" / "static_index.html"
