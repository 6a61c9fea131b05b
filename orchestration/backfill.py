"""The job that reads a range of days again; the next sync goes on as before."""

import asyncio
from datetime import date

import dagster as dg
from pydantic import Field

from orchestration.landing import stream_metadata
from orchestration.settings import LOCK_WAIT_SECONDS, settings
from pipeledger.pipeline import backfill_all, connections_named, range_of_days


class BackfillConfig(dg.Config):
    """What to read: the same words as ``pipeledger backfill``."""

    source: str
    first_day: str
    last_day: str
    streams: list[str] = Field(default_factory=list)


@dg.op(name="read_again", out=dg.Out(dg.Nothing))
def read_again(context: dg.OpExecutionContext, config: BackfillConfig) -> None:
    """Land what is missing of the range; a stream that did not reach its end fails the step."""
    ours = settings()
    within = range_of_days(
        ours, date.fromisoformat(config.first_day), date.fromisoformat(config.last_day)
    )
    reports = asyncio.run(
        backfill_all(
            ours,
            within,
            connections=connections_named(ours, config.source),
            streams=config.streams or None,
            lock_wait_seconds=LOCK_WAIT_SECONDS,
        )
    )
    streams = [stream for report in reports for stream in report.streams]
    for one in streams:
        context.log_event(
            dg.AssetObservation([one.source, one.stream], metadata=stream_metadata([one]))
        )
    broken = [f"{one.connection}.{one.stream}: {one.error}" for one in streams if one.error]
    if broken:
        raise dg.Failure("; ".join(broken), allow_retries=False)


@dg.job(
    name="backfill",
    executor_def=dg.in_process_executor,
    description="Read a range of days of one source again and land what is missing.",
)
def backfill() -> None:
    """One step: it takes the locks that a sync takes."""
    read_again()
