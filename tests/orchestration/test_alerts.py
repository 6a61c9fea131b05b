"""Dagster alerts after each run, once, and tells a run that broke."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration import alerts
from pipeledger.alerts import send
from pipeledger.build import BuildReport, Failure
from pipeledger.pipeline import note_build
from pipeledger.settings import load_settings
from tests.alerts.publication import DEALS, mail_server, publish, settings_of


def test_a_run_that_broke_is_told_once_and_exports_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no build notes, such as PostgreSQL that is down, is told by the job's name."""
    publish(tmp_path, DEALS)
    monkeypatch.setattr(send, "status", lambda _settings: {"streams": [], "last_build": None})
    job = alerts.alert_job()
    with mail_server() as (port, inbox):
        settings_of(tmp_path, port)
        path = tmp_path / "pipeledger.toml"
        path.write_text(path.read_text() + '[[exports]]\nmart = "fct_deal"\nfolder = "out"\n')
        settings = load_settings(path, {}).settings
        monkeypatch.setattr(alerts, "settings", lambda: settings)
        with dg.DagsterInstance.ephemeral() as instance:
            for _ in range(2):
                done = job.execute_in_process(
                    instance=instance, tags={alerts.BROKEN_JOB: "refresh"}
                )
                assert done.success

    assert 1 == len(inbox.to("data@example.com"))
    assert b"Job refresh" in inbox.to("data@example.com")[0]
    assert 1 == len(inbox.to("ana@example.com"))
    assert (tmp_path / "out/fct_deal.csv").exists()


def test_a_run_that_checks_ended_is_told_by_its_checks_and_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who reads "the job broke" opens Dagster first; a check and a key say where to go."""
    publish(tmp_path, DEALS)
    with mail_server() as (port, inbox):
        settings = settings_of(tmp_path, port)
        failed = Failure("stages_are_known", "error", 2, "", ("deal_key=crm:4711, amount=-1",))
        as_of = datetime(2026, 10, 15, 6, tzinfo=UTC)
        note_build(settings, BuildReport("b2", as_of, tmp_path / "w.duckdb", failures=[failed]))
        monkeypatch.setattr(alerts, "settings", lambda: settings)
        with dg.DagsterInstance.ephemeral() as instance:
            tags = {alerts.BROKEN_JOB: "refresh"}
            assert alerts.alert_job().execute_in_process(instance=instance, tags=tags).success

    (letter,) = inbox.to("data@example.com")
    assert b"Check stages_are_known" in letter
    assert b"2 records: crm:4711" in letter
    assert b"Job refresh" not in letter
    assert b"amount" not in letter


def test_every_ended_run_of_the_jobs_is_followed() -> None:
    """Those that publish whether they published or broke, the others when they broke."""
    refresh = dg.define_asset_job("refresh", selection=dg.AssetSelection.all())
    sync = dg.define_asset_job("sync_hubspot", selection=dg.AssetSelection.all())

    after_success, after_failure = alerts.alert_sensors(
        alerts.alert_job(), published=[refresh], failed=[sync]
    )

    assert "alerts_after_success" == after_success.name
    assert "alerts_after_failure" == after_failure.name
    assert {"alerts"} == {after_success.job_name, after_failure.job_name}
