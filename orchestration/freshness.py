"""Sensors: sources that have gone stale, and runs that have failed.

Both tell it in the log, as an event with fields, and in Dagster itself; who is sent a message
is no business of theirs.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import structlog

from connectors.base.errors import ConfigError
from connectors.base.redact import redact
from orchestration.settings import configured_sources, settings
from pipeledger.settings import Settings
from pipeledger.status import status

_log = structlog.get_logger(__name__)

FRESH = "fresh"
INTERVAL_SECONDS = 300

Ages = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]


def stream_ages(config: Settings) -> Ages:
    """What ``pipeledger status`` knows of each stream's connections, by source and stream."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    names = {connection.name for connection in config.connections}
    for one in status(config)["streams"]:
        if one["connection"] in names:
            found.setdefault((one["source"], one["stream"]), []).append(one)
    return found


def fresh_check(connections: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Is a stream fresh in every connection? As the arguments of a check's result."""
    stale = [one for one in connections if one["is_stale"]]
    return {
        "passed": not stale,
        "severity": dg.AssetCheckSeverity.WARN,
        "metadata": {
            "age_hours": {one["connection"]: one["age_hours"] for one in connections},
            "stale": ", ".join(one["connection"] for one in stale) or "none",
            "next": "pipeledger status, and docs/runbooks/sync_failed.md",
        },
    }


@dg.sensor(
    name="stale_sources",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Says which streams have gone stale, and which are fresh again.",
)
def stale_sources(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Tell what changed since the last tick: one check result per stream, one log line."""
    try:
        config = settings()
    except ConfigError as error:
        return dg.SkipReason(f"the settings cannot be used: {error}")
    before = set(json.loads(context.cursor or "[]"))
    ages = {key: told for key, told in stream_ages(config).items() if key[0] in _sources()}
    now = {"/".join(key) for key, told in ages.items() if any(one["is_stale"] for one in told)}
    changed = before ^ now
    events = [
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(list(key)),
            check_name=FRESH,
            **_as_values(fresh_check(told)),
        )
        for key, told in sorted(ages.items())
        if "/".join(key) in changed
    ]
    for name in sorted(now - before):
        _log.warning("source_stale", stream=name)
    for name in sorted(before - now):
        _log.info("source_fresh", stream=name)
    return dg.SensorResult(asset_events=events, cursor=json.dumps(sorted(now)))


def _sources() -> set[str]:
    return set(configured_sources())


def _as_values(told: Mapping[str, Any]) -> dict[str, Any]:
    """An evaluation wants values of metadata, where a result takes plain ones."""
    metadata = {
        "age_hours": dg.MetadataValue.json(told["metadata"]["age_hours"]),
        "stale": dg.MetadataValue.text(told["metadata"]["stale"]),
        "next": dg.MetadataValue.text(told["metadata"]["next"]),
    }
    return {**told, "metadata": metadata}


@dg.run_failure_sensor(
    name="failed_runs",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Says which run failed, at which steps, and why.",
)
def failed_runs(context: dg.RunFailureSensorContext) -> None:
    """Tell a failed run in one log line."""
    told = failure(context)
    _log.error("run_failed", **told)
    context.log.error("run %s of %s failed: %s", told["run"], told["job"], told["reason"])


def failure(context: dg.RunFailureSensorContext) -> dict[str, Any]:
    """What there is to say about a failed run, secrets masked."""
    steps = context.get_step_failure_events()
    errors = [event.step_failure_data.error for event in steps]
    # Dagster wraps what a step raised.
    reasons = [(one.cause or one).message.strip() for one in errors if one is not None]
    return {
        "job": context.dagster_run.job_name,
        "run": context.dagster_run.run_id,
        "steps": [str(event.step_key) for event in steps],
        "reason": redact("; ".join(reasons) or context.failure_event.message or "unknown"),
    }
