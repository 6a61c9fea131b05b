"""The job that takes out what the rules of [retention] let go, once a week where there are any."""

import dagster as dg

from orchestration.settings import LOCK_WAIT_SECONDS, settings
from orchestration.transform import WAREHOUSE_POOL
from pipeledger.prune import prune as take_out


@dg.op(name="prune_old_records", out=dg.Out(dg.Nothing), pool=WAREHOUSE_POOL)
def prune_old_records(context: dg.OpExecutionContext) -> None:
    """Prune, build from nothing and publish, once no sync and no build runs."""
    done = take_out(settings(), lock_wait_seconds=LOCK_WAIT_SECONDS)
    context.log.info("records gone: %s, build: %s", done.records or "none", done.build_id)


@dg.job(
    name="prune",
    executor_def=dg.in_process_executor,
    description="Take out the records that are older than the retention rules, publish anew.",
)
def prune() -> None:
    """One step: it holds the locks of every connection."""
    prune_old_records()
