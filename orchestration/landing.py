"""When landing happens: one asset per stream, keyed as dbt keys its source."""

import asyncio
from collections.abc import Iterator
from typing import Any

import dagster as dg

from connectors.base.stream import Connector
from orchestration.settings import settings
from pipeledger.pipeline import sync_all
from pipeledger.sync import StreamReport


def landing_assets(connector: Connector) -> dg.AssetsDefinition:
    """The streams of a source, synced together under one budget.

    A stream that fails does not hold back the transform: its last good versions are there,
    and the failed check ``synced`` names the reason. Every connection of the source is read.
    """
    specs = [
        dg.AssetSpec(
            [connector.source, stream.name],
            description=stream.description,
            group_name="landing",
            kinds={connector.source, "deltalake"},
        )
        for stream in connector.streams
    ]
    checks = [
        dg.AssetCheckSpec("synced", asset=spec.key, description="The last sync reached its end.")
        for spec in specs
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
        for spec in specs:
            name = spec.key.path[1]
            if spec.key not in context.selected_asset_keys:
                continue
            reports = found.get(name, [])
            yield dg.MaterializeResult(asset_key=spec.key, metadata=_metadata(reports))
            yield dg.AssetCheckResult(
                passed=all(report.state == "complete" for report in reports),
                check_name="synced",
                asset_key=spec.key,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"error": "; ".join(r.error for r in reports if r.error) or "none"},
            )

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
        chosen = [connection.name]
        for report in asyncio.run(sync_all(config, connections=chosen, streams=names)):
            for one in report.streams:
                found.setdefault(one.stream, []).append(one)
    return found


def _metadata(reports: list[StreamReport]) -> dict[str, Any]:
    """Counts of all connections together, and the state of each."""
    return {
        "records_seen": sum(report.seen for report in reports),
        "versions_added": sum(report.appended for report in reports),
        "deleted": sum(report.deleted for report in reports),
        "quarantined": sum(report.quarantined for report in reports),
        "requests": sum(report.requests for report in reports),
        "seconds": round(sum(report.seconds for report in reports), 2),
        "states": ", ".join(f"{one.connection}: {one.state}" for one in reports) or "not set up",
    }
