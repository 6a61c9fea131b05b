"""When landing happens: one asset per stream, keyed as dbt keys its source."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from connectors.base.stream import Connector
from orchestration.freshness import FRESH, fresh_check, stream_ages
from orchestration.settings import LOCK_WAIT_SECONDS, schedule, settings
from pipeledger.pipeline import sync_all
from pipeledger.sync import StreamReport


def landing_assets(connector: Connector) -> dg.AssetsDefinition:
    """The streams of a source, synced together under one budget.

    A stream that fails does not hold back the transform: its last good versions are there,
    and the failed check ``synced`` names the reason. Every connection of the source is read.
    Dagster's freshness policy sees when a stream was last asked for; the check ``fresh`` sees
    when a sync of it last reached its end.
    """
    limit = timedelta(hours=schedule().stale_hours(connector.source))
    specs = [
        dg.AssetSpec(
            [connector.source, stream.name],
            description=stream.description,
            group_name="landing",
            kinds={connector.source, "deltalake"},
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=limit),
        )
        for stream in connector.streams
    ]
    checks = [
        dg.AssetCheckSpec(name, asset=spec.key, description=description)
        for spec in specs
        for name, description in (
            ("synced", "The last sync reached its end."),
            (FRESH, "A sync reached its end lately enough."),
        )
    ]

    @dg.multi_asset(
        name=f"land_{connector.source}",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        pool=f"land_{connector.source}",
    )
    def land(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        wanted = [key.path[1] for key in context.selected_asset_keys]
        found = _sync(connector, wanted)
        ages = stream_ages(settings())
        for spec in specs:
            name = spec.key.path[1]
            if spec.key not in context.selected_asset_keys:
                continue
            reports = found.get(name, [])
            yield dg.MaterializeResult(asset_key=spec.key, metadata=stream_metadata(reports))
            yield dg.AssetCheckResult(
                passed=all(report.state == "complete" for report in reports),
                check_name="synced",
                asset_key=spec.key,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={
                    "error": "; ".join(r.error for r in reports if r.error) or "none",
                    "next": "pipeledger status, and docs/runbooks/sync_failed.md",
                },
            )
            told = fresh_check(ages.get((connector.source, name), []))
            yield dg.AssetCheckResult(asset_key=spec.key, check_name=FRESH, **told)

    return land


def _sync(connector: Connector, streams: list[str]) -> dict[str, list[StreamReport]]:
    """Sync the streams of every connection of the source; reports by stream."""
    config = settings()
    found: dict[str, list[StreamReport]] = {}
    for connection in config.connections:
        if connection.source != connector.source:
            continue
        active = connector.active(connection.settings) if connector.active is not None else None
        names = [name for name in streams if active is None or name in active]
        reports = asyncio.run(
            sync_all(
                config,
                connections=[connection.name],
                streams=names,
                lock_wait_seconds=LOCK_WAIT_SECONDS,
            )
        )
        for report in reports:
            for one in report.streams:
                found.setdefault(one.stream, []).append(one)
    return found


def stream_metadata(reports: list[StreamReport]) -> dict[str, Any]:
    """Counts of all connections together, what they cost, and the state of each.

    ``cost`` and ``budget_left`` are in the vendor's own units (calls, credits, tokens), per
    connection and allowance, of the whole connection in the allowance's running window.
    """
    budgets = {
        f"{report.connection}.{name}": allowance
        for report in reports
        for name, allowance in report.budget.items()
        if isinstance(allowance, dict)
    }
    return {
        "records_seen": sum(report.seen for report in reports),
        "versions_added": sum(report.appended for report in reports),
        "deleted": sum(report.deleted for report in reports),
        "quarantined": sum(report.quarantined for report in reports),
        "requests": sum(report.requests for report in reports),
        "bytes": sum(report.bytes for report in reports),
        "budget_left": {name: one.get("left") for name, one in budgets.items()},
        "cost": {name: one.get("used") for name, one in budgets.items()},
        "seconds": round(sum(report.seconds for report in reports), 2),
        "states": ", ".join(f"{one.connection}: {one.state}" for one in reports) or "not set up",
    }
