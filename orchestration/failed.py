"""From a failed check to the records that it names, in Dagster and in the note of the build."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from pipeledger.build import Failure, failing_records
from pipeledger.warehouse import open_warehouse


def with_records(events: Iterator[Any], target: Path, warehouse: Path) -> Iterator[Any]:
    """The events of dbt; a failed check comes at the end, with the first records it names.

    While dbt runs, the warehouse file is its alone.

    Args:
        events: what dagster-dbt makes of dbt's lines.
        target: the folder in which dbt leaves what it ran.
        warehouse: the file that the checks were asked of.
    """
    failed: list[dg.AssetCheckResult] = []
    try:
        for event in events:
            if isinstance(event, dg.AssetCheckResult) and not event.passed:
                failed.append(event)
            else:
                yield event
    finally:
        ran = _texts(target / "run_results.json") if failed else {}
        for event in failed:
            yield _named(event, ran, warehouse)


def failures_in(target: Path, warehouse: Path) -> list[Failure]:
    """The checks that did not pass in dbt's newest run, as a build of the command line has them."""
    results = target / "run_results.json"
    if not results.exists():
        return []
    ran = json.loads(results.read_text(encoding="utf-8"))["results"]
    bad = [
        one
        for one in ran
        if one["unique_id"].startswith("test.") and one["status"] in {"fail", "error", "warn"}
    ]
    if not bad:
        return []
    db = open_warehouse(warehouse)
    try:
        return [
            Failure(
                one["unique_id"].split(".")[2],
                "warn" if one["status"] == "warn" else "error",
                int(one.get("failures") or 0),
                " ".join(str(one.get("message")).split())[:300],
                failing_records(db, one.get("compiled_code") or ""),
            )
            for one in bad
        ]
    finally:
        db.close()


def _texts(results: Path) -> dict[str, str]:
    """The SQL of each check that ran, by dbt's id."""
    if not results.exists():
        return {}
    ran = json.loads(results.read_text(encoding="utf-8"))["results"]
    return {one["unique_id"]: one.get("compiled_code") or "" for one in ran}


def _named(event: dg.AssetCheckResult, ran: dict[str, str], warehouse: Path) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = dict(event.metadata or {})
    unique_id = metadata.get("unique_id")
    sql = ran.get(str(getattr(unique_id, "value", unique_id)), "")
    if sql:
        db = open_warehouse(warehouse)
        try:
            records = failing_records(db, sql)
        finally:
            db.close()
        metadata["records"] = dg.MetadataValue.md("\n".join(f"- `{one}`" for one in records))
    mart = "" if event.asset_key is None else event.asset_key.path[-1]
    metadata["next"] = f"pipeledger trace {mart} <key>, and docs/runbooks/check_failed.md"
    return event._replace(metadata=metadata)
