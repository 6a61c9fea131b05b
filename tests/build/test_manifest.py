"""dbt reads the project once, for every company; a build never waits for it twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import dbt.parser.manifest
import pytest
from dbt.cli.main import dbtRunner

from pipeledger import build, manifest, project
from pipeledger.build import reading_ahead
from pipeledger.project import ROOT
from pipeledger.settings import Settings, load_settings
from tests.e2e.kontor import SETTINGS

pytestmark = pytest.mark.xdist_group("empty")  # the reading is this group's already

OTHERS = {
    "sources": ["files", "stripe", "imap"],
    "company_time_zone": "Asia/Tokyo",
    "reporting_currency": "JPY",
    "rotten_days": 99,
    "push_grain": "month",
    "collapse_same_day": False,
    "cohort_window_days": 5,
}
"""Variables of which none is the project's own."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "pipeledger.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return load_settings(path).settings


@pytest.mark.slow
def test_a_company_gets_what_dbt_would_have_read_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model too many reads what never landed, one too few is a mart without its rows."""
    warehouse = tmp_path / "other.duckdb"
    monkeypatch.setenv("PIPELEDGER_WAREHOUSE", str(warehouse))
    place = ("--project-dir", str(ROOT), "--profiles-dir", str(ROOT))
    quiet = ("--quiet", "--no-write-json", "--log-level-file", "none")

    found = manifest.company_manifest(warehouse, OTHERS["sources"])  # type: ignore[arg-type]
    read = dbtRunner().invoke(
        [*quiet, "parse", *place, "--target-path", str(tmp_path), "--vars", json.dumps(OTHERS)]
    )

    expected: Any = read.result
    enabled = {name: node for name, node in expected.nodes.items() if node.config.enabled}
    assert enabled.keys() == found.nodes.keys()
    assert {} == {
        name: (_told(node), _told(found.nodes[name]))
        for name, node in enabled.items()
        if _told(node) != _told(found.nodes[name])
    }
    assert _plain(expected.sources) == _plain(found.sources)
    assert _plain(expected.macros) == _plain(found.macros)


def _told(node: Any) -> tuple[Any, ...]:
    """What decides how a node is built; its SQL is rendered by each build."""
    return (
        *(node.relation_name, node.raw_code, node.config.to_dict(), sorted(node.depends_on_nodes)),
        *(node.resource_type, {name: one.to_dict() for name, one in node.columns.items()}),
    )


def _plain(found: Any) -> dict[str, Any]:
    return {name: {**one.to_dict(), "created_at": 0} for name, one in found.items()}


@pytest.mark.slow
def test_what_dbt_read_beside_the_sync_is_there_for_the_build(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run of a new installation need not wait for dbt twice."""
    warehouse = settings.paths.warehouse / "pipeledger.duckdb"
    monkeypatch.setattr(build, "is_read", lambda _: False)

    with reading_ahead(settings):
        pass

    assert manifest.is_read(warehouse)


def test_a_sync_that_fails_does_not_wait_for_dbt(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong token is told at once."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(build, "is_read", lambda _: False)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: sleeper)

    with pytest.raises(ConnectionError), reading_ahead(settings):
        raise ConnectionError

    assert -signal.SIGTERM == sleeper.returncode


@pytest.mark.slow
def test_who_reads_the_manifest_while_it_is_written_finds_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster's server and daemon load the models at the same time."""
    warehouse = tmp_path / "pipeledger.duckdb"
    shown = manifest.show_manifest(warehouse, manifest.company_manifest(warehouse, ["files"]))
    before = shown.read_bytes()
    others = manifest.company_manifest(warehouse, ["files", "stripe"])

    def full_disk(_manifest: Any, folder: str) -> None:
        assert before != (Path(folder) / shown.name).read_bytes()
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(dbt.parser.manifest, "write_semantic_manifest", full_disk)
        with pytest.raises(OSError, match="no space left"):
            manifest.show_manifest(warehouse, others)

    assert before == shown.read_bytes()
    nodes = json.loads(manifest.show_manifest(warehouse, others).read_bytes())["nodes"]
    assert nodes.keys() == others.nodes.keys()
    left = {"manifest.json", "manifest.shown", "semantic_manifest.json"}
    assert left == {path.name for path in shown.parent.iterdir()}


def test_a_model_that_was_changed_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever edits a model and builds in the same process gets the edited one."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (tmp_path / name).write_text("name: shop\n")
    model = tmp_path / "dbt_project" / "models" / "sums.sql"
    model.parent.mkdir(parents=True)
    for module in (manifest, project):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    kept = []

    for at, sql in enumerate(("select 1", "select 2", "select 2", "select 1")):
        model.write_text(sql)
        os.utime(model, (at, at))
        kept.append(manifest._kept(tmp_path / "pipeledger.duckdb"))

    first, second, again, last = kept
    assert first == last
    assert second == again
    assert first != second
