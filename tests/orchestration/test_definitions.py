"""Dagster: the same verbs, the same marts, and names that others rely on."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
import duckdb
import pytest

from pipeledger.cli import run_all
from pipeledger.demo import sandbox
from pipeledger.settings import load_settings

PINNED = Path(__file__).with_name("asset_keys.json")
SCALE = 0.02


def definitions() -> ModuleType:
    """The code location, loaded afresh: it reads the settings once."""
    for name in [name for name in sys.modules if name.startswith("orchestration")]:
        del sys.modules[name]
    return importlib.import_module("orchestration.definitions")


def checksums(serving: Path) -> dict[str, str]:
    with duckdb.connect(str((serving / "current.duckdb").resolve()), read_only=True) as db:
        # mart_source_health has a row per sync, whose id differs by design.
        found = db.execute(
            "select mart, checksum from meta.marts where mart <> 'mart_source_health'"
        ).fetchall()
    return {str(mart): str(value) for mart, value in found}


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small company behind running vendor servers, and its settings file."""
    (tmp_path / "a").mkdir()
    with sandbox(tmp_path / "a", SCALE) as path:
        monkeypatch.setenv("PIPELEDGER_CONFIG", str(path))
        yield path


def test_asset_keys_are_a_public_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedules, alerts and other code locations name them; a rename breaks those."""
    monkeypatch.setenv("PIPELEDGER_CONFIG", "no-such-file.toml")

    graph = definitions().defs.get_repository_def().asset_graph

    ours = ("staging", "intermediate", "seeds", "config", "meta")
    keys = [key.path for key in graph.get_all_asset_keys() if key.path[0] not in ours]
    found = sorted("/".join(path) for path in keys)
    assert json.loads(PINNED.read_text()) == found


def test_lineage_runs_from_a_vendor_stream_to_a_mart_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The keys of landing are those of dbt's sources; a translator would have to be kept true."""
    monkeypatch.setenv("PIPELEDGER_CONFIG", "no-such-file.toml")
    graph = definitions().defs.get_repository_def().asset_graph

    above = graph.get_ancestor_asset_keys(dg.AssetKey(["serving", "current"]))

    assert dg.AssetKey(["hubspot", "deals"]) in above
    assert dg.AssetKey(["stripe", "invoices"]) in above


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_refresh_job_ends_in_the_same_marts_as_the_command_line(
    company: Path, tmp_path: Path
) -> None:
    """Two ways to run that differ in their numbers would be two products."""
    location = definitions()
    job = location.defs.resolve_job_def("refresh")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    by_dagster = checksums(company.parent / "data" / "serving")

    other = tmp_path / "b"
    other.mkdir()
    text = company.read_text().replace('folder = "inbox"', f'folder = "{company.parent}/inbox"')
    (other / "pipeledger.toml").write_text(text)
    code = run_all(load_settings(other / "pipeledger.toml").settings, as_json=True)

    assert result.success
    assert 0 == code
    assert checksums(other / "data" / "serving") == by_dagster
