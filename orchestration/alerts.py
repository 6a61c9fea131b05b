"""When alerts go out: after every refresh or rebuild, and after a sync or a backfill that failed.

A job of its own: mail that is slow holds back no publication, and a broken run is told too.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.settings import settings
from pipeledger.alerts.send import send_alerts
from pipeledger.scheduled_exports import write_exports


@dg.op
def export_and_alert(context: dg.OpExecutionContext) -> None:
    """Write the scheduled exports, then send what is due and was not sent before."""
    config = settings()
    problems = [f"{one.path}: {one.error}" for one in write_exports(config) if one.error]
    if config.alerts.smtp is not None or config.alerts.webhooks:
        report = send_alerts(config)
        context.log.info("sent %s, sent before %s", len(report.sent), report.sent_before)
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
        return dg.RunRequest(run_key=f"{name}:{context.dagster_run.run_id}")

    return ended
