"""The static dbt site: every model, column, unit and test in one file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from connectors.base.errors import PipeledgerError
from pipeledger.empty_warehouse import make_empty_warehouse
from pipeledger.project import ROOT

_EXAMPLE = 60


def write_site(examples: Path | None = None, folder: Path = ROOT / "target") -> Path:
    """Write static_index.html; return its path.

    Args:
        examples: a publication, from which each column of a mart shows one value. It is read
            by everybody who reads the site: the demo's holds nobody's data.
        folder: where the site goes.

    Raises:
        PipeledgerError: dbt could not document the project, or the publication cannot be read.
    """
    from dbt.cli.main import dbtRunner

    found = {} if examples is None else examples_of(examples)
    warehouse = folder / "docs.duckdb"
    folder.mkdir(parents=True, exist_ok=True)
    warehouse.unlink(missing_ok=True)
    make_empty_warehouse(warehouse)
    os.environ["PIPELEDGER_WAREHOUSE"] = str(warehouse)
    place = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT), "--target-path", str(folder)]
    for command in (["seed"], ["run", "--empty"], ["docs", "generate"]):
        outcome = dbtRunner().invoke(["--quiet", *command, *place])
        if not outcome.success:
            raise PipeledgerError(f"dbt {command[0]} failed: {outcome.exception or outcome.result}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    show_examples(manifest, found)
    # As dbt's own --static does: the page asks for two files unless it holds them itself.
    page = (folder / "index.html").read_text(encoding="utf-8")
    page = page.replace('"MANIFEST.JSON INLINE DATA"', json.dumps(manifest))
    catalog = (folder / "catalog.json").read_text(encoding="utf-8")
    site = folder / "static_index.html"
    site.write_text(page.replace('"CATALOG.JSON INLINE DATA"', catalog), encoding="utf-8")
    return site


def examples_of(publication: Path) -> dict[tuple[str, str], str]:
    """One value of every column of every mart that has any; the same one on every call."""
    if not publication.exists():
        raise PipeledgerError(f"there is no publication {publication}: run `make demo`")
    found: dict[tuple[str, str], str] = {}
    with duckdb.connect(str(publication.resolve()), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        columns: dict[str, list[str]] = {}
        for table, column in db.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'marts' "
            "and database_name = current_database() order by table_name, column_index"
        ).fetchall():
            columns.setdefault(table, []).append(column)
        for table, names in columns.items():
            chosen = ", ".join(
                f'cast(arg_min("{name}", hash(everything)) as varchar)' for name in names
            )
            whole = f'select *, t::varchar as everything from marts."{table}" as t'  # noqa: S608 - names from the catalogue
            row = db.execute(f"select {chosen} from ({whole})").fetchone()  # noqa: S608 - as above
            for name, value in zip(names, row or (), strict=True):
                if value is not None:
                    found[table, name] = str(value)
    return found


def show_examples(manifest: dict[str, Any], found: Mapping[tuple[str, str], str]) -> None:
    """Put a mart's examples behind the descriptions of its columns."""
    for node in manifest["nodes"].values():
        for name, column in node.get("columns", {}).items():
            value = found.get((node["name"], name))
            if value is not None and node.get("schema") == "marts":
                text = value if len(value) <= _EXAMPLE else value[: _EXAMPLE - 1] + "…"
                column["description"] = f"{column['description']} Example: `{text}`"
