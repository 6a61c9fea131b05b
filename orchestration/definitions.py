"""All that Dagster runs, in the order the data flows."""

import dagster as dg

from connectors.base.errors import ConfigError
from orchestration import transform
from orchestration.landing import landing_assets
from orchestration.publish import serving_asset
from orchestration.settings import configured_sources, settings
from pipeledger.settings.model import Schedule
from pipeledger.sources import connector


def _schedule() -> Schedule:
    """The schedule of the settings; the default where there are none yet."""
    try:
        return settings().schedule
    except ConfigError:
        return Schedule()


landing = [landing_assets(connector(source)) for source in configured_sources()]
models = transform.model_assets()
marts = [key for key in models.keys if key.path[0] == "marts"]
serving = serving_asset(marts)

# One process: DuckDB and dbt's manifest live in it, and connectors wait side by side anyway.
refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="Sync every source, build and check the models, publish.",
)
rebuild = dg.define_asset_job(
    "rebuild",
    selection=dg.AssetSelection.assets(models, serving),
    executor_def=dg.in_process_executor,
    description="Build, check and publish what has landed.",
)
hourly = dg.ScheduleDefinition(
    name="hourly",
    job=refresh,
    cron_schedule=_schedule().cron,
    execution_timezone=_schedule().time_zone,
)

defs = dg.Definitions(
    assets=[*landing, models, serving],
    jobs=[refresh, rebuild],
    schedules=[hourly],
    resources={**transform.dbt_resource()},
)
