"""All that Dagster runs, in the order the data flows."""

import dagster as dg

from orchestration import transform
from orchestration.alerts import alert_job, alert_sensors
from orchestration.backfill import backfill
from orchestration.freshness import failed_runs, stale_sources
from orchestration.landing import landing_assets
from orchestration.prune import prune
from orchestration.publish import serving_asset
from orchestration.settings import configured_sources, has_retention, schedule
from pipeledger.sources import connector

# Delta takes many writers, so sources land in processes of their own; the pool of the warehouse
# lets in one. Each process is forked from one that has read the definitions.
side_by_side = dg.multiprocess_executor.configured(
    {"max_concurrent": 4, "start_method": {"forkserver": {}}}
)

landing = {source: landing_assets(connector(source)) for source in configured_sources()}
models = transform.model_assets()
marts = [key for key in models.keys if key.path[0] == "marts"]
serving = serving_asset(marts)

own_times = {source: schedule().own_times(source) for source in landing}
apart = [assets for source, assets in landing.items() if own_times[source] is not None]

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(*apart),
    executor_def=side_by_side,
    description="Sync every source that has no times of its own, build and check, publish.",
)
rebuild = dg.define_asset_job(
    "rebuild",
    selection=dg.AssetSelection.assets(models, serving),
    executor_def=dg.in_process_executor,
    description="Build, check and publish what has landed.",
)
syncs = {
    source: dg.define_asset_job(
        f"sync_{source}",
        selection=dg.AssetSelection.assets(assets),
        executor_def=dg.in_process_executor,
        description=f"Sync {source} alone.",
    )
    for source, assets in landing.items()
}
hourly = dg.ScheduleDefinition(
    name="hourly",
    job=refresh,
    cron_schedule=schedule().cron,
    execution_timezone=schedule().time_zone,
)
own_schedules = [
    dg.ScheduleDefinition(
        name=f"sync_{source}_at_its_own_times",
        job=syncs[source],
        cron_schedule=times[0],
        execution_timezone=times[1],
    )
    for source, times in own_times.items()
    if times is not None
]
weekly = dg.ScheduleDefinition(
    name="prune_weekly",
    job=prune,
    # Sunday night: it builds from nothing.
    cron_schedule="30 2 * * 0",
    execution_timezone=schedule().time_zone,
)

alerts = alert_job()

defs = dg.Definitions(
    assets=[*landing.values(), models, serving],
    jobs=[refresh, rebuild, backfill, prune, alerts, *syncs.values()],
    schedules=[hourly, *own_schedules, *([weekly] if has_retention() else [])],
    sensors=[
        *(stale_sources, failed_runs),
        *alert_sensors(
            alerts, published=[refresh, rebuild], failed=[*syncs.values(), backfill, prune]
        ),
    ],
    resources={**transform.dbt_resource()},
)
