"""What Dagster runs by itself: schedules, freshness, sensors, what a sync tells."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml

from orchestration.failed import failures_in, with_records
from orchestration.freshness import failure
from orchestration.landing import stream_metadata
from pipeledger.build import Failure
from pipeledger.project import ROOT
from pipeledger.settings import load_settings
from pipeledger.sync import StreamReport
from tests.orchestration.location import definitions
from tests.orchestration.tiny import place

pytestmark = pytest.mark.slow
DEALS = dg.AssetKey(["files", "deals"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def location(folder: Path) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELEDGER_CONFIG", str(place(folder)))
        yield definitions()


@pytest.fixture(scope="module")
def synced(location: ModuleType) -> Iterator[tuple[dg.DagsterInstance, Any]]:
    with dg.DagsterInstance.ephemeral() as instance:
        job = location.defs.resolve_job_def("sync_files")
        yield instance, job.execute_in_process(instance=instance)


def test_a_source_has_times_and_a_zone_of_its_own(location: ModuleType) -> None:
    """A CRM read in New York's hours, books once a night: one cron for all fits neither."""
    found = {one.name: one for one in location.defs.schedules}

    own = found["sync_files_at_its_own_times"]
    assert ("*/15 7-19 * * 1-5", "America/New_York") == (own.cron_schedule, own.execution_timezone)
    assert "Europe/Berlin" == found["hourly"].execution_timezone
    assert {"hourly", "prune_weekly", "sync_files_at_its_own_times"} == set(found)


def test_the_weekly_prune_ends_well_where_nothing_is_old(
    folder: Path, location: ModuleType, synced: tuple[dg.DagsterInstance, Any]
) -> None:
    """Most weeks: no table is rewritten, and nothing is built from nothing."""
    instance, _ = synced

    done = location.defs.resolve_job_def("prune").execute_in_process(instance=instance)

    assert done.success
    assert not list((folder / "data" / "warehouse").glob("*.duckdb"))


def test_the_refresh_leaves_out_what_has_times_of_its_own(location: ModuleType) -> None:
    """A source that is read at night to spare its allowance must not be read every hour."""
    job = location.defs.resolve_job_def("refresh")

    keys = {key.path[0] for key in job.asset_layer.selected_asset_keys}

    assert "files" not in keys
    assert {"fx", "marts", "serving"} <= keys


def test_a_stream_is_expected_as_often_as_its_source_says(location: ModuleType) -> None:
    """Five hours for this source, three for the others."""
    graph = location.defs.get_repository_def().asset_graph

    assert 5 == _hours(graph.get(DEALS))
    assert 3 == _hours(graph.get(dg.AssetKey(["fx", "rates"])))


def _hours(node: Any) -> float:
    window = node.freshness_policy_or_from_metadata.fail_window
    return float(window.to_timedelta().total_seconds() / 3600)


def test_a_sync_tells_rows_versions_requests_budget_and_cost(
    synced: tuple[dg.DagsterInstance, Any],
) -> None:
    instance, result = synced

    assert result.success
    event = instance.get_latest_materialization_event(DEALS)
    assert event is not None
    assert event.asset_materialization is not None
    told = {name: one.value for name, one in event.asset_materialization.metadata.items()}
    assert (3, 3, 0) == (told["records_seen"], told["versions_added"], told["requests"])
    assert {"budget_left", "cost"} <= set(told)
    passed = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    assert {"synced": True, "fresh": True} == passed


def test_what_is_left_and_what_was_spent_come_from_the_vendors_allowances() -> None:
    """Two connections of one source have an allowance each; one number would hide the poorer."""
    day = {"used": 40, "left": 60, "usable": 100, "per": "day", "resets_at": None}
    reports = [
        StreamReport(
            "hubspot", name, "deals", "complete", budget={"default": {**day, "left": left}}
        )
        for name, left in (("crm", 60), ("crm_us", 7))
    ]

    told = stream_metadata(reports)

    assert {"crm.default": 60, "crm_us.default": 7} == told["budget_left"]
    assert {"crm.default": 40, "crm_us.default": 40} == told["cost"]


def test_the_sensor_tells_a_stale_stream_once_and_when_it_is_fresh_again(
    folder: Path,
    location: ModuleType,
    synced: tuple[dg.DagsterInstance, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sensor that repeats itself every five minutes is switched off by its readers."""
    instance, _ = synced
    config = load_settings(folder / "pipeledger.toml").settings

    def tick(hour: str, cursor: str | None) -> Any:
        with monkeypatch.context() as patch:
            later = config.model_copy(update={"clock": datetime.fromisoformat(hour)})
            patch.setattr("orchestration.freshness.settings", lambda: later)
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            return location.stale_sources(context)

    soon = tick("2026-10-15T10:59:00+00:00", None)
    stale = tick("2026-10-15T11:01:00+00:00", soon.cursor)
    again = tick("2026-10-15T11:06:00+00:00", stale.cursor)
    back = tick("2026-10-15T06:05:00+00:00", again.cursor)

    assert [] == soon.asset_events
    assert [(DEALS, False)] == [(e.asset_key, e.passed) for e in stale.asset_events]
    assert [] == again.asset_events
    assert [(DEALS, True)] == [(e.asset_key, e.passed) for e in back.asset_events]


def test_a_failed_run_is_told_with_its_step_and_reason_and_no_secret(
    location: ModuleType,
) -> None:
    @dg.op
    def broken() -> None:
        raise ValueError("no answer for Bearer abcdef123456")

    @dg.job
    def nightly() -> None:
        broken()

    with dg.DagsterInstance.ephemeral() as instance:
        result = nightly.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()
        told = failure(context)

    assert location.failed_runs.name == "failed_runs"
    assert ("nightly", ["broken"]) == (told["job"], told["steps"])
    assert "no answer" in told["reason"]
    assert "abcdef" not in told["reason"]


def test_a_failed_check_names_the_records_that_failed_it(tmp_path: Path) -> None:
    """The count of failing rows sends nobody anywhere; a key does."""
    warehouse = tmp_path / "w.duckdb"
    with duckdb.connect(str(warehouse)) as db:
        db.execute("create table deals as select 'crm:4711' as deal_key, -1 as amount")
    sql = "select deal_key, amount from deals where amount < 0"
    bad = {"unique_id": "test.x.negative", "compiled_code": sql, "failures": 1, "message": "Got 1"}
    fine = {"unique_id": "test.x.fine", "compiled_code": sql, "status": "pass"}
    ran = {"results": [{**bad, "status": "fail"}, fine]}
    (tmp_path / "run_results.json").write_text(json.dumps(ran))

    def of_dbt() -> Iterator[Any]:
        for name, passed in (("test.x.negative", False), ("test.x.fine", True)):
            yield dg.AssetCheckResult(
                passed=passed,
                asset_key=["marts", "fct_deal"],
                check_name=name.rpartition(".")[2],
                metadata={"unique_id": name},
            )
        raise RuntimeError("dbt found a failed check")

    told: list[dg.AssetCheckResult] = []
    events = with_records(of_dbt(), tmp_path, warehouse)
    with pytest.raises(RuntimeError, match="failed check"):
        told.extend(events)

    assert ["fine", "negative"] == [one.check_name for one in told]
    assert "deal_key=crm:4711, amount=-1" in str(told[1].metadata["records"])
    assert "pipeledger trace fct_deal" in str(told[1].metadata["next"])
    # And so does the note of the build, which status and alerts read.
    record = "deal_key=crm:4711, amount=-1"
    assert [Failure("negative", "error", 1, "Got 1", (record,))] == failures_in(tmp_path, warehouse)


def test_the_instance_that_is_shipped_retries_killed_runs_and_lets_one_writer_in() -> None:
    """Without the limit two steps would meet at the warehouse file."""
    shipped = yaml.safe_load((ROOT / "dagster.yaml").read_text())

    assert {"granularity": "op", "default_limit": 1} == shipped["concurrency"]["pools"]
    assert shipped["run_retries"]["enabled"]
    assert shipped["run_monitoring"]["enabled"]
    assert shipped["telemetry"] == {"enabled": False}


def test_the_job_reads_a_range_again_and_tells_it_of_the_asset(
    location: ModuleType, synced: tuple[dg.DagsterInstance, Any]
) -> None:
    """A materialization would make the stream look fresh; an observation does not."""
    instance, _ = synced
    config = {"source": "files", "first_day": "2026-09-01", "last_day": "2026-09-30"}

    job = location.defs.resolve_job_def("backfill")
    result = job.execute_in_process(
        instance=instance, run_config={"ops": {"read_again": {"config": config}}}
    )

    assert result.success
    told = [
        one.asset_observation_data.asset_observation
        for one in result.get_asset_observation_events()
    ]
    assert [(DEALS, 3)] == [(one.asset_key, one.metadata["records_seen"].value) for one in told]
    assert [] == result.get_asset_materialization_events()
