"""When the models are built: dbt's own assets and checks, over pinned landing files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.settings import configured_sources, settings
from pipeledger.build import BuildReport, prepared_warehouse
from pipeledger.landed_checks import check_landed
from pipeledger.pipeline import clock_of, landing_of, note_build
from pipeledger.project import ROOT

WAREHOUSE_POOL = "warehouse"


def manifest() -> Path:
    """The manifest of dbt for the configured sources, parsed again when a model is younger."""
    folder = ROOT / "target" / "dagster"
    path = folder / "manifest.json"
    sources = configured_sources()
    note = folder / "sources.json"
    newest = max(
        file.stat().st_mtime
        for pattern in ("dbt_project/**/*.sql", "dbt_project/**/*.yml", "dbt_project.yml")
        for file in ROOT.glob(pattern)
    )
    known = json.loads(note.read_text()) if note.exists() else None
    if not path.exists() or path.stat().st_mtime < newest or known != sources:
        _parse(folder, sources)
        note.write_text(json.dumps(sources))
    return path


def _parse(folder: Path, sources: list[str]) -> None:
    from dbt.cli.main import dbtRunner

    folder.mkdir(parents=True, exist_ok=True)
    outcome = dbtRunner().invoke(
        [
            # No log file: dbt would leave it open in the process of whoever loads the assets.
            *("--log-level-file", "none"),
            *("--quiet", "parse", "--project-dir", str(ROOT), "--profiles-dir", str(ROOT)),
            *("--target-path", str(folder), "--vars", json.dumps({"sources": sources})),
        ]
    )
    if not outcome.success:
        raise dg.DagsterInvalidDefinitionError(f"dbt cannot parse the models: {outcome.exception}")


def model_assets() -> dg.AssetsDefinition:
    """Every model as an asset and every data test as its check."""

    @dbt_assets(manifest=manifest(), name="dbt_models", pool=WAREHOUSE_POOL)
    def dbt_models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        config = settings()
        now = clock_of(config)()
        with prepared_warehouse(config, landing_of(config), now=now) as prepared:
            landed = check_landed(prepared.path)
            errors = [one for one in landed.failures if one.severity == "error"]
            if errors:
                raise dg.Failure("; ".join(f"{one.name}: {one.message}" for one in errors))
            command = [
                "build",
                "--exclude-resource-type",
                "unit_test",
                "--vars",
                prepared.variables,
            ]
            target = prepared.path.parent / "dbt"
            # A failed check of severity error ends the step here: nothing is published.
            yield from dbt.cli(command, context=context, target_path=target).stream()
        note_build(config, BuildReport(prepared.build_id, prepared.as_of, prepared.path))

    return dbt_models


def dbt_resource() -> Mapping[str, DbtCliResource]:
    """The dbt of this environment, whether or not it is activated."""
    import sys

    executable = Path(sys.executable).with_name("dbt")
    return {
        "dbt": DbtCliResource(
            project_dir=str(ROOT), profiles_dir=str(ROOT), dbt_executable=str(executable)
        )
    }
