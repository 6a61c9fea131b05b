"""A week in production, told in minutes: what breaks, who is told, what readers see meanwhile.

The clock is simulated. The CRM is read every hour while something is broken, every sixth hour in
between, since nothing happens there; books and spreadsheets are read on the days on which they
change, and everything once more at the end. Alerts go out after every run. The marts are built at
three instants (a build costs fifteen seconds, whatever the company's size): in the middle of the
CRM's outage, with the spoilt deal, and at the end.

    hour  19- 43  the CRM answers 503; the company's own second day happens meanwhile
          62- 64  its token is revoked, until somebody puts in another
          82- 89  its calls of the day are spent
         100      a new field in the CRM, and a text that becomes an object in the books
         110-116  a deal in a stage that no pipeline has
         131      the process is killed between a batch and its checkpoint

What is held against it is the same week without any of this.
"""

import email
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.policy import default
from typing import Any

import pytest

from pipeledger.alerts.send import send_alerts
from pipeledger.build import BuildReport, prepared_warehouse
from pipeledger.dbt_runs import Dbt
from pipeledger.pipeline import build_and_note, landing_of, publish_and_note
from pipeledger.project import ROOT
from pipeledger.publish import CURRENT, Publication, checksum
from pipeledger.status import status
from pipeledger.warehouse import open_warehouse
from tests.alerts.publication import Inbox, mail_server
from tests.e2e.road import Road, connect
from tests.e2e.test_killed import watching
from tests.e2e.test_twice import OF_RUNS
from tests.e2e.week import (
    BILLED,
    CRM,
    CRM_STREAMS,
    DATA_TEAM,
    FIELD,
    HOURS,
    LATE,
    LEDGER,
    PLAN,
    PUSHED,
    RAISED,
    REPAIRED,
    SOLD,
    SPOILT,
    WON,
    Week,
    week_of,
)

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("small"), pytest.mark.timeout(900)),
]

TIES = {
    "a bridge that does not end where it says": (
        "select scope_type, scope_key, period_key from marts.mart_pipeline_movement "
        "where movement_view = 'path' group by scope_type, scope_key, period_key, basis, measure, "
        "period_grain, window_type, "
        "ledger having sum(case when row_type = 'end' then -amount_rc else amount_rc end) <> 0"
    ),
    "people who did not win what the company won": (
        "select company.period_key, company.won_rc from marts.mart_quota_gap as company "
        "left join marts.mart_quota_gap as people on people.scope_type = 'user' "
        "and people.period_key = company.period_key and people.measure = company.measure "
        "and people.credit_type = company.credit_type where company.scope_type = 'company' "
        "and company.won_rc is not null group by company.period_key, company.won_rc, "
        "company.measure, company.credit_type "
        "having company.won_rc <> coalesce(sum(people.won_rc), 0)"
    ),
}
"""Money that must agree with itself in every publication; each finds what does not."""

SEEN = {
    "fct_deal_change": "select * exclude (raw_version_id, seen_at) from marts.fct_deal_change",
    "fct_deal_version": (
        "select * exclude (raw_version_id, seen_from, seen_to) from marts.fct_deal_version"
    ),
    "fct_pipeline_movement": (
        "select * exclude (raw_version_id) from marts.fct_pipeline_movement "
        "where basis = 'restated'"
    ),
    "mart_pipeline_movement": (
        "select * from marts.mart_pipeline_movement where basis = 'restated'"
    ),
}
"""Marts that also tell when a change was seen, without that: it was seen later, and they say so."""
BILLS = "select count(*) from marts.fct_invoice"
STALE = "select distinct connection from marts.mart_source_health where is_stale"


@dataclass
class Story:
    """What was seen in the week."""

    incidents: dict[int, list[str]] = field(default_factory=dict)
    """Hour -> what the data team was told, a line per thing broken or mended."""
    faults: list[str] = field(default_factory=list)
    """Of readers."""
    untied: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """Builds that readers saw, in their order."""
    spoilt: list[BuildReport] = field(default_factory=list)
    published: list[Publication] = field(default_factory=list)
    outage: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """What the publication in the middle of the outage said."""
    deaths: list[int] = field(default_factory=list)
    streams: list[dict[str, Any]] = field(default_factory=list)
    drift: list[tuple[Any, ...]] = field(default_factory=list)
    landed_field: int = 0
    sums: dict[str, str] = field(default_factory=dict)
    """Checksum of each mart at the end, and in the undisturbed week."""
    undisturbed: dict[str, str] = field(default_factory=dict)


@dataclass
class Told:
    """Reads the data team's letters as they come."""

    week: Week
    inbox: Inbox
    story: Story
    read: int = 0

    def send(self) -> None:
        """Send what is due, and keep what the data team learns by it."""
        report = send_alerts(self.week.settings)
        assert [] == report.failed
        letters = self.inbox.to(DATA_TEAM)
        for content in letters[self.read :]:
            letter = email.message_from_bytes(content, policy=default)
            body = letter.get_body(("plain",))
            assert body is not None
            self.story.incidents.setdefault(self.week.hour, []).append(str(body.get_content()))
        self.read = len(letters)

    def run(self, *hours: int, also: Sequence[str] = ()) -> None:
        """Scheduled runs at hours: read the CRM, then alert."""
        for hour in hours:
            self.week.turn(hour)
            self.week.sync(CRM, *also)
            self.send()


@pytest.fixture(scope="module")
def story(small_road: Road, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Both weeks, once."""
    made = Story()
    with (
        mail_server() as (port, inbox),
        week_of(small_road, tmp_path_factory.mktemp("week"), port) as week,
    ):
        _live(week, Told(week, inbox, made), made)
    with week_of(small_road, tmp_path_factory.mktemp("calm")) as week:
        made.undisturbed = _live_undisturbed(week)
    return made


def _live(week: Week, told: Told, story: Story) -> None:
    told.run(6, 12, 18)
    with week.crm_is_down():
        told.run(*range(19, BILLED + 2))
        told.run(BILLED + 2, also=(LEDGER, PLAN))
        told.run(*range(BILLED + 3, 30))
        week.stale_hours = 10
        _publish(week, story)
        story.outage = {
            "stale": _rows(week, STALE),
            "bills": _rows(week, BILLS),
        }
        week.stale_hours = 200
        told.run(*range(30, SOLD + 2))
    told.run(SOLD + 2, WON, WON + 1, 56)
    with week.token_is_revoked():
        told.run(PUSHED, 63, 64)
    told.run(65, 71, 77)
    with week.calls_are_spent():
        told.run(RAISED, 83, 84, 89)
    told.run(90, 96)
    week.turn(FIELD)
    told.run(FIELD + 1, also=(LEDGER,))
    week.turn(SPOILT)
    told.run(SPOILT + 1)
    story.spoilt.append(build_and_note(week.settings))
    told.run(*range(SPOILT + 2, REPAIRED))
    week.turn(REPAIRED)
    told.run(REPAIRED + 1, 123, 129)
    week.turn(LATE)
    week.turn(LATE + 1)
    story.deaths.append(_killed(week))
    told.run(LATE + 2, 138, 144, 150, 156, 162)
    week.turn(HOURS)
    week.sync_all()
    _publish(week, story)
    told.send()
    with connect((week.settings.paths.serving / CURRENT).resolve()) as db:
        story.sums = dict(story.published[-1].checksums)
        story.sums |= {name: _sum(db, sql) for name, sql in SEEN.items()}
    story.streams = status(week.settings)["streams"]
    story.drift = _rows(
        week,
        "select distinct connection, stream, schema_drift from marts.mart_source_health "
        "where schema_drift is not null order by all",
    )
    story.landed_field = _landed(week, "deals", "renewal_risk__custom")


def _live_undisturbed(week: Week) -> dict[str, str]:
    """The same events, each read in the next hour; built at the end, and not published.

    Ties between records have no clock at the vendor, they are of the hour in which they were
    read: the CRM's second day is read in the same hour in both weeks.
    """
    week.turn(18)
    week.sync(CRM)
    also = {BILLED: (LEDGER, PLAN), FIELD: (LEDGER,)}
    for hour in (BILLED, SOLD, WON, PUSHED, RAISED, FIELD, SPOILT, REPAIRED, LATE):
        week.turn(hour)
        week.turn(hour + (2 if hour in (BILLED, SOLD) else 1))
        week.sync(*(() if hour == BILLED else (CRM,)), *also.get(hour, ()))
    week.turn(HOURS)
    week.sync_all()
    settings = week.settings
    assert settings.clock is not None
    with prepared_warehouse(settings, landing_of(settings), now=settings.clock) as ready:
        dbt = Dbt(ready.path, ready.variables)
        dbt.leave(ready.standing)
        kinds = ("test", "unit_test", "exposure")
        dbt.run("build", *(word for kind in kinds for word in ("--exclude-resource-type", kind)))
        db = open_warehouse(ready.path)
        try:
            names = db.execute(
                "select table_name from duckdb_tables() where schema_name = 'marts'"
            ).fetchall()
            sums = {name: checksum(db, "marts", name)[1] for (name,) in names}
            return sums | {name: _sum(db, sql) for name, sql in SEEN.items()}
        finally:
            db.close()


def _sum(db: Any, sql: str) -> str:
    """A checksum of a query's rows, in any order."""
    found = db.execute(f"select count(*), sum(hash(told)::hugeint) from ({sql}) as told")
    return str(found.fetchone())


def _publish(week: Week, story: Story) -> None:
    """Build, check and publish under readers; what they see is noted."""
    report = build_and_note(week.settings)
    assert [] == report.errors
    with watching(week.settings, story.faults) as seen:
        done = publish_and_note(week.settings, report)
        deadline = time.monotonic() + 60
        while done.build_id not in seen and time.monotonic() < deadline:
            time.sleep(0.05)
    story.published.append(done)
    story.seen += [one for one in dict.fromkeys(seen) if one not in story.seen]
    story.untied += [f"hour {week.hour}: {name}" for name, sql in TIES.items() if _rows(week, sql)]


def _killed(week: Week) -> int:
    """A sync of the command line that dies between a batch and its checkpoint."""
    words = [sys.executable, "-m", "pipeledger", "sync", CRM, "--config", str(week.path)]
    words += [word for stream in CRM_STREAMS for word in ("--stream", stream)]
    environment = {**os.environ, "PIPELEDGER_CRASH_AT": "after-data-commit"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=False)
    return done.returncode


def _rows(week: Week, sql: str) -> list[tuple[Any, ...]]:
    with connect((week.settings.paths.serving / CURRENT).resolve()) as db:
        return db.execute(sql).fetchall()


def _landed(week: Week, stream: str, name: str) -> int:
    """How many landed versions of a stream carry a value in a field."""
    import duckdb

    pin = landing_of(week.settings).pin()[CRM, stream]
    with duckdb.connect(":memory:") as db:
        found = db.execute(
            "select count(*) from read_parquet(?) where payload ->> ? is not null",
            [[str(path) for path in pin.files], f"$.properties.{name}"],
        ).fetchone()
    assert found is not None
    return int(found[0])


def test_readers_see_whole_builds_only_and_money_that_ties(story: Story) -> None:
    """No error, no mixture; the spoilt build is none of those that they saw."""
    assert [] == story.faults
    assert [] == story.untied
    last = [one.build_id for one in story.published]
    assert last == [one for one in story.seen if one in last]
    assert not {one.build_id for one in story.spoilt} & set(story.seen)


def test_each_incident_is_told_once_and_once_when_it_is_mended(story: Story) -> None:
    """A day without the CRM is one letter and not twenty-five; a killed process is none."""
    found = {
        hour: [
            " ".join(line.strip(" -*#:") for line in text.splitlines() if _is_news(line))
            for text in texts
        ]
        for hour, texts in story.incidents.items()
    }

    check = "Check R-03 Check relationships_fct_deal_stage_key__stage_key__ref_dim_stage_"
    assert {
        19: [f"Broken Source {CRM}"],
        44: [f"Mended Source {CRM}"],
        62: [f"Broken Source {CRM}"],
        65: [f"Mended Source {CRM}"],
        RAISED: [f"Broken Source {CRM}"],
        90: [f"Mended Source {CRM}"],
        SPOILT + 2: [f"Broken {check}"],
        HOURS: [f"Mended {check}"],
    } == found


def _is_news(line: str) -> bool:
    return line.strip(" -*#:").startswith(("Broken", "Mended", "Source ", "Check "))


def test_a_source_that_is_down_holds_back_no_other(story: Story, small_road: Road) -> None:
    """The books' news were published in the middle of the outage, the CRM marked as stale."""
    assert [(CRM,)] == story.outage["stale"]
    ((before,),) = small_road.rows(BILLS)
    assert story.outage["bills"][0][0] > before


def test_a_spoilt_deal_keeps_the_last_good_publication_and_is_named(story: Story) -> None:
    """The letter leads to the record, and to nothing else."""
    (report,) = story.spoilt
    (text,) = story.incidents[SPOILT + 2]

    failed = {one.name: one for one in report.errors}
    assert 2 == len(failed)
    failure = failed["no_check_of_severity_error_fails"]
    assert 1 == failure.rows
    key = failure.records[0].partition("record_key=")[2].partition(",")[0]
    assert key.startswith(f"{CRM}:")
    assert key in text


def test_a_changed_schema_is_noted_and_loses_nothing(story: Story) -> None:
    """S-08: the new field is landed, the retyped one is told."""
    drift = " ".join(str(row) for row in story.drift)

    assert "+properties.renewal_risk__custom" in drift
    assert "tax_exempt: text > object" in drift
    assert story.landed_field > 0


def test_all_is_caught_up_and_equal_to_an_undisturbed_week(story: Story) -> None:
    """Neither an outage nor a death leaves a trace in any number."""
    sums = story.sums

    assert [-signal.SIGKILL] == story.deaths
    assert [] == [one for one in story.streams if one["state"] != "complete" or one["is_stale"]]
    assert sums.keys() == story.undisturbed.keys()
    assert [] == [
        mart for mart, one in sums.items() if story.undisturbed[mart] != one and mart not in OF_RUNS
    ]
