"""Runs that overlap end as one after the other would, or with the holder's name.

The company is a folder with one file. What is asked here is asked of processes: each is started
on its own, as a schedule, a second schedule and a person would start them.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipeledger.build import BuildReport, prepared_warehouse, warehouse_lock
from pipeledger.cli import app
from pipeledger.locks import LockHeldError
from pipeledger.pipeline import landing_of
from pipeledger.project import ROOT
from pipeledger.publish import SupersededError, publish
from pipeledger.settings import load_settings
from tests.orchestration.tiny import place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SYNC = """
import sys
import dagster as dg
from orchestration.landing import landing_assets
from pipeledger.sources import connector

job = dg.define_asset_job("sync_files", executor_def=dg.in_process_executor)
defs = dg.Definitions(assets=[landing_assets(connector("files"))], jobs=[job])
with dg.DagsterInstance.ephemeral() as instance:
    done = defs.resolve_job_def("sync_files").execute_in_process(instance=instance)
sys.exit(0 if done.success else 1)
"""
"""The sync job of one source, without the models that it does not run.

Each has an instance of its own, so that nothing but the locks keeps them apart.
"""

WRITE = """
import time
from pipeledger.build import prepared_warehouse
from pipeledger.pipeline import clock_of, landing_of
from pipeledger.settings import load_settings
from pipeledger.warehouse import open_warehouse

settings = load_settings().settings
with prepared_warehouse(
    settings, landing_of(settings), now=clock_of(settings)(), lock_wait_seconds=120
) as ready:
    db = open_warehouse(ready.path)
    db.execute("create table if not exists main.turns (n integer)")
    seen = db.execute("select count(*) from main.turns").fetchone()[0]
    time.sleep(0.3)  # whoever else is let in now reads the same number
    db.execute("insert into main.turns values (?)", [seen])
    db.close()
"""
"""A build's own preparation, and a write that only a writer who is alone gets right."""


def begin(company: Path, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={
            "PIPELEDGER_CONFIG": str(company),
            "PATH": str(Path(sys.executable).parent),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, told = process.communicate(timeout=240)
    return process.returncode, told


def landed(company: Path) -> list[tuple[Any, ...]]:
    """Every version that landed, without what tells one run from another."""
    files = landing_of(load_settings(company).settings).pin()
    with duckdb.connect(":memory:") as db:
        paths = [path for pinned in files.values() for path in pinned.files]
        return db.execute(
            "select record_id, payload ->> 'amount', change, count(*) "
            "from read_parquet(?) group by all order by all",
            [paths],
        ).fetchall()


def test_two_jobs_and_a_person_who_sync_at_once_land_each_version_once(tmp_path: Path) -> None:
    """The jobs wait for each other; the command line ends well, or with 4 and the holder."""
    company = place(tmp_path / "at_once")
    alone = place(tmp_path / "alone")

    running = [begin(company, "-c", SYNC), begin(company, "-c", SYNC)]
    person = begin(company, "-m", "pipeledger", "sync", "books")
    jobs = [ended(one) for one in running]
    code, told = ended(person)
    by_itself, _ = ended(begin(alone, "-m", "pipeledger", "sync", "books"))

    assert 0 == by_itself
    assert [0, 0] == [code for code, _ in jobs], jobs
    assert code == 0 or (code == 4 and "in use by process" in told), told
    assert landed(alone) == landed(company)
    ends = landing_of(load_settings(company).settings).checkpoints(last=True)
    assert {"complete"} == {row.state for row in ends}


@pytest.mark.parametrize("verb", ["build", "publish"])
def test_a_person_who_builds_meanwhile_ends_with_4_and_the_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """After the wait of a command line; a traceback of a locked file would help nobody."""
    company = place(tmp_path)
    build = prepared_warehouse.__wrapped__  # type: ignore[attr-defined] # of contextmanager
    monkeypatch.setitem(build.__kwdefaults__, "lock_wait_seconds", 0.0)

    with warehouse_lock(load_settings(company).settings, 0.0):
        done = CliRunner().invoke(app, [verb, "--config", str(company)])

    assert 4 == done.exit_code, done.output
    assert f"in use by process {os.getpid()}" in done.stderr


def test_the_warehouse_has_one_writer_at_a_time(tmp_path: Path) -> None:
    """Three that wait write one after the other, and none loses the write of another."""
    company = place(tmp_path)

    writers = [begin(company, "-c", WRITE) for _ in range(3)]
    codes = [ended(one) for one in writers]

    assert [0, 0, 0] == [code for code, _ in codes], codes
    warehouse = load_settings(company).settings.paths.warehouse / "pipeledger.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as db:
        assert [(0,), (1,), (2,)] == db.execute("select n from main.turns order by n").fetchall()


def test_a_build_that_another_one_replaced_is_not_published(tmp_path: Path) -> None:
    """Between a build and its publication another run may have begun to write the same file."""
    settings = load_settings(place(tmp_path)).settings
    now = datetime(2026, 10, 15, 6, tzinfo=UTC)
    with prepared_warehouse(settings, landing_of(settings), now=now) as first:
        report = BuildReport(first.build_id, first.as_of, first.path)
    with prepared_warehouse(settings, landing_of(settings), now=now) as second:
        pass

    with pytest.raises(SupersededError, match=f"replaced by build {second.build_id}"):
        publish(settings, report)
    assert not list(settings.paths.serving.iterdir())


def test_a_publication_waits_for_the_build_that_writes(tmp_path: Path) -> None:
    """It reads the file that a build writes; unlocked, one of the two met a locked file."""
    settings = load_settings(place(tmp_path)).settings
    report = BuildReport("20261015T060000000000-aaaa", datetime.now(UTC), tmp_path / "w.duckdb")

    with (
        warehouse_lock(settings, 0.0),
        pytest.raises(LockHeldError, match=f"process {os.getpid()}"),
    ):
        publish(settings, report, lock_wait_seconds=0.0)
