"""Dagster: names that others rely on, and lineage without a translator."""

import json
from pathlib import Path

import dagster as dg
import pytest

from orchestration import publish, transform
from pipeledger.postgres.outcome import Outcome
from pipeledger.publish import Publication
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


@pytest.mark.slow
def test_code_locations_of_other_sources_have_a_manifest_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both may load from one checkout, and neither is to find the models of the other."""
    shown = []
    for sources in (["files"], ["files", "stripe"]):
        monkeypatch.setattr(transform, "configured_sources", lambda sources=sources: sources)
        shown.append(transform.manifest())

    few, more = (json.loads(path.read_bytes())["nodes"].keys() for path in shown)
    assert "model.pipeledger.stg_stripe__invoices" in more - few


def test_a_build_that_postgresql_did_not_take_is_no_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A green run beside a dashboard of yesterday would be found by the reader of the dashboard."""
    failed = Outcome("b2", error="the server is down")
    done = Publication("b2", Path("b2.duckdb"), Path("current.duckdb"), {}, {}, failed)
    monkeypatch.setattr(publish, "settings", lambda: None)
    monkeypatch.setattr(publish, "noted_build", lambda _: None)
    monkeypatch.setattr(publish, "publish_and_note", lambda *_: done)

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [publish.serving_asset([])], instance=instance, raise_on_error=False
        )

    assert not result.success
