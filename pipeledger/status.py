"""Status: what is published, why the newest build is not, how fresh each source is."""

from collections.abc import Mapping
from typing import Any

from pipeledger.pipeline import clock_of, landing_of, last_build, noted_postgres
from pipeledger.serving import published
from pipeledger.settings import Settings


def status(settings: Settings) -> dict[str, Any]:
    """Everything that ``pipeledger status`` prints, as plain values.

    ``published``: the build that readers see. ``last_build``: the newest attempt, with the
    failed checks and the records they name. ``postgres``: the build that stands there, as far as
    this machine published it, and whether it is the one of the serving file. ``streams``: per
    stream the newest sync, its state, the age of the last complete one in hours and whether that
    is stale.
    """
    now = clock_of(settings)()
    landing = landing_of(settings)
    configured = {(one.source, one.name) for one in settings.connections}
    streams = []
    for row in landing.statuses():
        if (row.source, row.connection) not in configured:
            continue  # taken out of the settings: nobody waits for it
        done = row.completed_at
        age = None if done is None else (now - done).total_seconds() / 3600
        streams.append(
            {
                "source": row.source,
                "connection": row.connection,
                "stream": row.stream,
                "state": row.state,
                "last_sync_at": row.at,
                "complete_at": done,
                "age_hours": None if age is None else round(age, 1),
                "is_stale": age is None or age > settings.schedule.stale_hours(row.source),
                "seen": row.seen,
                "appended": row.appended,
                "error": row.error,
            }
        )
    newest = last_build(settings)
    current = published(settings)
    return {
        "now": now,
        "published": current,
        "postgres": _postgres(settings, current),
        "last_build": newest,
        "quarantined": len(landing.quarantined()),
        "streams": streams,
    }


def _postgres(settings: Settings, current: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What PostgreSQL tells; None where none is configured. Does not ask it: `doctor` does."""
    if settings.serving.postgres is None:
        return None
    noted = noted_postgres(settings) or {"build_id": None, "published_at": None, "error": None}
    is_current = current is not None and current["build_id"] == noted["build_id"]
    return {**noted, "is_current": is_current}
