"""Dagster: names that others rely on, and lineage without a translator."""

import json
from pathlib import Path

import dagster as dg
import pytest

from tests.orchestration.location import definitions

PINNED = Path(__file__).with_name("asset_keys.json")


@pytest.mark.slow
def test_asset_keys_are_a_public_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedules, alerts and other code locations name them; a rename breaks those."""
    monkeypatch.setenv("PIPELEDGER_CONFIG", "no-such-file.toml")

    graph = definitions().defs.get_repository_def().asset_graph

    ours = ("staging", "intermediate", "seeds", "config", "closed", "meta", "state")
    keys = [key.path for key in graph.get_all_asset_keys() if key.path[0] not in ours]
    found = sorted("/".join(path) for path in keys)
    assert json.loads(PINNED.read_text()) == found


@pytest.mark.slow
def test_lineage_runs_from_a_vendor_stream_to_a_mart_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The keys of landing are those of dbt's sources; a translator would have to be kept true."""
    monkeypatch.setenv("PIPELEDGER_CONFIG", "no-such-file.toml")
    graph = definitions().defs.get_repository_def().asset_graph

    above = graph.get_ancestor_asset_keys(dg.AssetKey(["serving", "current"]))

    assert dg.AssetKey(["hubspot", "deals"]) in above
    assert dg.AssetKey(["stripe", "invoices"]) in above
