"""What ``status`` tells, as metrics that Prometheus reads; instants in Unix seconds.

Names and ids of connections and streams only: no record, no row of a mart.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest


def exposition(status: Mapping[str, Any]) -> str:
    """The metrics of ``pipeledger.status.status`` in Prometheus' text format.

    What is not there yet has no sample: an alert on its absence is the monitor's to make.
    """
    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"pipeledger_{name}", text, labels, registry=registry)

    _of_streams(gauge, status["streams"])
    gauge("quarantined_records", "Records set aside as unreadable.").set(status["quarantined"])
    _of_build(gauge, status["last_build"])
    published = status["published"]
    if published is not None:
        gauge("published_as_of_timestamp_seconds", "What the published marts are as of.").set(
            published["as_of"].timestamp()
        )
    second = status["postgres"]
    if second is not None:
        gauge("postgres_is_current", "1 if PostgreSQL has the build of the serving file.").set(
            int(second["is_current"])
        )
    return generate_latest(registry).decode()


def _of_streams(gauge: Any, streams: list[Mapping[str, Any]]) -> None:
    names = ("source", "connection", "stream")
    complete = gauge("stream_complete_timestamp_seconds", "End of the last whole sync.", *names)
    stale = gauge("stream_stale", "1 if no whole sync ended lately enough.", *names)
    failed = gauge("stream_failed", "1 if the newest sync did not reach its end.", *names)
    seen = gauge("stream_last_sync_records", "Records that the newest sync was shown.", *names)
    added = gauge("stream_last_sync_versions", "New versions of the newest sync.", *names)
    for one in streams:
        labels = [one[name] for name in names]
        if one["complete_at"] is not None:
            complete.labels(*labels).set(one["complete_at"].timestamp())
        stale.labels(*labels).set(int(one["is_stale"]))
        failed.labels(*labels).set(int(one["state"] not in ("complete", "running")))
        seen.labels(*labels).set(one["seen"])
        added.labels(*labels).set(one["appended"])


def _of_build(gauge: Any, noted: Mapping[str, Any] | None) -> None:
    """The newest build, which readers see only if it is published."""
    if noted is None:
        return
    gauge("last_build_timestamp_seconds", "When the newest build was noted.").set(
        datetime.fromisoformat(noted["at"]).timestamp()
    )
    gauge("last_build_published", "1 if readers see the newest build.").set(
        int(noted["state"] == "published")
    )
    build = noted.get("build")
    if build is None:
        return
    failures = gauge("last_build_failed_checks", "Failed checks of the newest build.", "severity")
    for severity in ("error", "warn"):
        found = [one for one in build["failures"] if one["severity"] == severity]
        failures.labels(severity).set(len(found))
    seconds = gauge("last_build_seconds", "Time by step of the newest build.", "step")
    for step, value in build["seconds"].items():
        seconds.labels(step).set(value)
