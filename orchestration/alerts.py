"""When alerts go out: after every refresh or rebuild, and after a sync or a backfill that failed.

A job of its own: mail that is slow holds back no publication, and a broken run is told too.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.settings import settings
from pipeledger.alerts.incidents import Incident
from pipeledger.alerts.send import send_alerts
from pipeledger.pipeline import last_build
from pipeledger.scheduled_exports import write_exports
from pipeledger.settings import Settings

BROKEN_JOB = "pipeledger/broken_job"
"""Tag of a run that follows one that broke, with the name of its job."""


def _broken(config: Settings, job: str | None) -> list[Incident]:
    """A run that broke for a reason that no note of a build tells with its checks and records."""
    noted = last_build(config)
    if job is None or (noted is not None and noted["state"] in {"checks_failed", "failed"}):
        return []
    detail = "a step failed; the last good publication stays. See the run in Dagster"
    return [Incident(f"job:{job}", f"Job {job}", detail)]


@dg.op
def export_and_alert(context: dg.OpExecutionContext) -> None:
    """Write the scheduled exports, then send what is due and was not sent before."""
    config = settings()
    problems = [f"{one.path}: {one.error}" for one in write_exports(config) if one.error]
    if config.alerts.smtp is not None or config.alerts.webhooks:
        report = send_alerts(config, _broken(config, context.run.tags.get(BROKEN_JOB)))
        context.log.info("sent %d, sent before %d", len(report.sent), report.sent_before)
        problems += report.failed
    if problems:
        raise dg.Failure("; ".join(problems))


def alert_job() -> dg.JobDefinition:
    """The job that exports and alerts."""

    @dg.job(executor_def=dg.in_process_executor, description="Write exports, send alerts.")
    def alerts() -> None:
        export_and_alert()

    return alerts


def alert_sensors(
    job: dg.JobDefinition, *, published: Sequence[Any], failed: Sequence[Any]
) -> list[dg.SensorDefinition]:
    """One sensor for runs that published, and one for those and others that broke."""
    return [
        _sensor(job, published, "alerts_after_success", dg.DagsterRunStatus.SUCCESS),
        _sensor(job, [*published, *failed], "alerts_after_failure", dg.DagsterRunStatus.FAILURE),
    ]


def _sensor(
    job: dg.JobDefinition, after: Sequence[Any], name: str, status: dg.DagsterRunStatus
) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=name,
        run_status=status,
        monitored_jobs=list(after),
        request_job=job,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def ended(context: dg.RunStatusSensorContext) -> dg.RunRequest:
        run = context.dagster_run
        is_broken = status == dg.DagsterRunStatus.FAILURE
        tags = {BROKEN_JOB: run.job_name} if is_broken else {}
        return dg.RunRequest(run_key=f"{name}:{run.run_id}", tags=tags)

    return ended
