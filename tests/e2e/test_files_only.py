"""A company whose only source is files: published, and held back by a bad stage.

One story over one folder, for each build takes its time: today's run, and the morning on which
somebody has edited an amount and invented a stage. test_month_end.py looks back.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeledger.cli import app
from pipeledger.serving import open_serving
from pipeledger.settings import load_settings
from sandbox.company import build
from sandbox.company.files import Export
from tests.e2e.kontor import TODAY, TOMORROW, edit, place
from tests.e2e.road import connect, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("kontor"), pytest.mark.timeout(900)),
]

BAD = "Vielleicht"
"""A stage that no setting and no file describes."""


@dataclass(frozen=True, slots=True)
class Story:
    """What each step said and left."""

    settings_file: Path
    export: Export
    today: dict[str, Any]
    bad: Result
    tomorrow: dict[str, Any]
    bad_deal: str
    status: dict[str, Any]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader gets after all of it."""
        with open_serving(load_settings(self.settings_file).settings) as db:
            return db.execute(sql).fetchall()


def call(path: Path, *words: str, clock: str = TOMORROW) -> Result:
    return CliRunner().invoke(
        app, [*words, "--config", str(path), "--json"], env={"PIPELEDGER__CLOCK": clock}
    )


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Tell it once."""
    folder = tmp_path_factory.mktemp("kontor")
    export = build(7, 0.02).export_truth
    path = place(folder, export)
    lines = export.files["export/deals.csv"].decode("cp1252").splitlines()[1:]
    first = lines[0].split(";")
    amount = next(line.split(";")[2] for line in lines if ";Angebot;" in line)

    today = call(path, "run", clock=TODAY)
    edit(folder, amount, "1,00")
    edit(folder, f";{first[4]};", f";{BAD};")
    bad = call(path, "run")
    status = call(path, "status")
    return Story(
        path,
        export,
        json.loads(today.stdout),
        bad,
        json.loads(bad.stdout),
        f"kontor:{first[0]}",
        json.loads(status.stdout),
    )


def test_three_csv_files_are_enough(story: Story) -> None:
    """Acceptance 3: a company without a connector starts from its CRM's exports."""
    assert 0 == story.today["exit_code"]
    assert ["kontor"] == [sync["connection"] for sync in story.today["syncs"]]
    assert {"fct_deal", "mart_funnel_cohort", "mart_quota_gap"} <= set(story.today["checksums"])


def test_only_the_rows_that_changed_land_again(story: Story) -> None:
    """A new export of the same deals is no news of them, wherever their rows stand now."""
    streams = {one["stream"]: one for sync in story.tomorrow["syncs"] for one in sync["streams"]}

    assert 2 == streams["deals"]["appended"]


def test_the_pipeline_is_what_the_export_says(story: Story) -> None:
    """German numbers, dates and code page, to the cent."""
    found = story.rows("select status, count(*), sum(amount_rc) from marts.fct_deal group by all")

    truth = story.export
    by_status = keyed(found)
    assert (truth.open_count, truth.open_amount) == by_status["open"]
    assert (sum(truth.won_count.values()), sum(truth.won.values())) == by_status["won"]
    assert sum(truth.lost_count.values()) == by_status["lost"][0]


def test_the_quota_gap_is_what_the_export_says(story: Story) -> None:
    """Quota and won by fiscal quarter, for the company and for each owner."""
    truth = story.export
    zero = Decimal(0)

    company = story.rows(
        "select period_key, quota_rc, coalesce(won_rc, 0) from marts.mart_quota_gap "
        "where scope_type = 'company' and quota_rc is not null and period_grain = 'quarter'"
    )
    owners = story.rows(
        "select period_key, scope_key, won_rc from marts.mart_quota_gap "
        "where scope_type = 'user' and won_rc <> 0 and period_grain = 'quarter'"
    )

    expected = {key: (quota, truth.won.get(key, zero)) for key, quota in truth.quota.items()}
    assert [] == differences(expected, keyed(company))
    won = {key: (amount,) for key, amount in truth.won_by_owner.items()}
    assert [] == differences(won, keyed(owners, keys=2))


def test_the_funnel_ends_with_what_was_won(story: Story) -> None:
    """Stage order and kind come from the settings, for the files hold neither."""
    found = story.rows(
        "select sum(n_reached_to_date) filter (is_won_step), "
        "sum(n_deals) filter (stage_order = 1) from marts.mart_funnel_cohort "
        "where basis = 'pipeline_entry' and segment_type = 'all' and method = 'reached'"
    )
    deals = story.rows("select count(*) from marts.fct_deal")

    assert [(sum(story.export.won_count.values()), deals[0][0])] == found


def test_sources_that_are_not_configured_cost_nothing(story: Story) -> None:
    """No model of theirs is built, no stream of theirs is waited for."""
    with connect(Path(story.today["build"]["warehouse"])) as db:
        staged = db.execute(
            "select table_name from information_schema.tables "
            "where regexp_matches(table_name, '^stg_(hubspot|stripe|imap)__')"
        ).fetchall()

    assert [] == staged
    assert {"kontor"} == {stream["connection"] for stream in story.status["streams"]}


def test_a_deal_with_an_unknown_stage_holds_the_publication_back(story: Story) -> None:
    """Acceptance 7: exit 3, and readers keep the last good numbers."""
    found = story.rows("select build_id from meta.builds")

    assert 3 == story.bad.exit_code
    assert [(story.today["build"]["build_id"],)] == found
    assert story.tomorrow["published"] is None


def test_status_names_the_check_and_the_record(story: Story) -> None:
    """Acceptance 7: whoever is on call reads what to mend."""
    last = story.status["last_build"]
    told = json.dumps(last["build"]["failures"], ensure_ascii=False)

    assert "checks_failed" == last["state"]
    assert story.status["published"]["build_id"] == story.today["build"]["build_id"]
    assert story.bad_deal in told
    assert BAD in told


def test_trace_leads_back_to_the_landed_versions(story: Story) -> None:
    """From a number that surprises to what the file said, and when."""
    found = json.loads(call(story.settings_file, "trace", "fct_deal", story.bad_deal).stdout)

    (step,) = [step for step in found["versions"] if step["relation"] == "fct_deal"]
    landed = [version["observed_at"][:10] for version in step["versions"]]
    used = [version["is_used"] for version in step["versions"]]
    assert ("files", "deals") == (step["source"], step["stream"])
    assert story.bad_deal == f"kontor:{step['record_id']}"
    assert {TODAY[:10], TOMORROW[:10]} == set(landed)
    assert 1 == used.count(True)
