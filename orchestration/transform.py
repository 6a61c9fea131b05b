"""When the models are built: dbt's own assets and checks, over pinned landing files."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.failed import failures_in, with_records
from orchestration.settings import LOCK_WAIT_SECONDS, configured_sources, settings
from pipeledger.build import BuildReport, prepared_warehouse
from pipeledger.landed_checks import check_landed
from pipeledger.manifest import company_manifest, show_manifest
from pipeledger.pipeline import clock_of, landing_of, note_broken_build, note_build
from pipeledger.project import ROOT

WAREHOUSE_POOL = "warehouse"


def manifest() -> Path:
    """The manifest of dbt for the configured sources, as the project is now.

    Those of other sources lie elsewhere: code locations of several settings may run at once.
    """
    sources = sorted(configured_sources())
    place = hashlib.sha256(" ".join(sources).encode()).hexdigest()[:12]
    warehouse = ROOT / "target" / "dagster" / place / "pipeledger.duckdb"
    return show_manifest(warehouse, company_manifest(warehouse, sources))


def model_assets() -> dg.AssetsDefinition:
    """Every model as an asset and every data test as its check."""

    @dbt_assets(manifest=manifest(), name="dbt_models", pool=WAREHOUSE_POOL)
    def dbt_models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        config = settings()
        now = clock_of(config)()
        with prepared_warehouse(
            config, landing_of(config), now=now, lock_wait_seconds=LOCK_WAIT_SECONDS
        ) as prepared:
            report = BuildReport(prepared.build_id, prepared.as_of, prepared.path)
            report.failures = list(check_landed(prepared.path).failures)
            if report.errors:
                note_build(config, report)
                raise dg.Failure("; ".join(f"{one.name}: {one.message}" for one in report.errors))
            command = [
                "build",
                "--exclude-resource-type",
                "unit_test",
                "--vars",
                prepared.variables,
            ]
            target = prepared.path.parent / "dbt"
            # What an earlier run left must not be taken for this one's.
            (target / "run_results.json").unlink(missing_ok=True)
            # A failed check of severity error ends the step here: nothing is published.
            invocation = dbt.cli(command, context=context, target_path=target)
            try:
                yield from with_records(invocation.stream(), target, prepared.path)
            except Exception as error:
                report.failures += failures_in(target, prepared.path)
                if report.errors:
                    note_build(config, report)
                else:
                    note_broken_build(config, str(error))
                raise
            report.failures += failures_in(target, prepared.path)
        note_build(config, report)

    return dbt_models


def dbt_resource() -> Mapping[str, DbtCliResource]:
    """The dbt of this environment, whether or not it is activated, by the manifest that is kept."""
    import sys

    executable = Path(sys.executable).with_name("pipeledger-dbt")
    return {
        "dbt": DbtCliResource(
            project_dir=str(ROOT), profiles_dir=str(ROOT), dbt_executable=str(executable)
        )
    }
