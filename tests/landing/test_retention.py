"""[retention]: what is old goes whole, stays away, and nothing else moves."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.base.stream import Record, Rejected
from pipeledger import prune as pruning
from pipeledger.landing import Landing
from pipeledger.pipeline import landing_of
from pipeledger.project import ROOT
from pipeledger.prune import Pruned, prune
from pipeledger.retention import EXPIRING, Keep, keep_of
from pipeledger.settings import Settings, load_settings
from pipeledger.sources import connector

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)
RULES = '[retention.imap]\nmessages = "24 months"\n[retention.hubspot]\ncalls = "30 days"\n'


def settings_of(folder: Path, rules: str = RULES) -> Settings:
    path = folder / "pipeledger.toml"
    path.write_text(f'clock = "{NOW.isoformat()}"\n{rules}')
    return load_settings(path, {}).settings


def shown(record_id: str, days: float | None, text: str = "one") -> Record:
    """A record whose vendor's clock is some days back."""
    at = None if days is None else NOW - timedelta(days=days)
    payload = f'{{"subject":"{record_id} {text}"}}'.encode()
    return Record(record_id, payload, NOW, source_updated_at=at)


def filled(folder: Path) -> Landing:
    """Landed before there was any rule: old mail, young mail, an old deal."""
    landing = Landing(folder / "data" / "landing")
    mails = [shown("old", 800), shown("young", 700), shown("touched", 900), shown("undated", None)]
    landing.append("imap", "messages", "mail", mails, "s1")
    landing.append("imap", "messages", "mail", [shown("touched", 10, "two")], "s2")
    landing.append("hubspot", "calls", "crm", [shown("c1", 31), shown("c2", 29)], "s3")
    landing.append("hubspot", "deals", "crm", [shown("d1", 4000)], "s4")
    for days, name in ((800, "old"), (1, "new")):
        rejected = [Rejected(name, "of a test", b"{}")]
        at = NOW - timedelta(days=days)
        for stream in ("messages", "folders"):
            landing.quarantine("imap", stream, "mail", rejected, sync_id="s5", observed_at=at)
    return landing


def held(landing: Landing) -> dict[str, int]:
    """Versions by record."""
    places = [("imap", "messages", "mail", one) for one in ("old", "young", "touched", "undated")]
    places += [("hubspot", "calls", "crm", "c1"), ("hubspot", "calls", "crm", "c2")]
    places += [("hubspot", "deals", "crm", "d1")]
    return {place[3]: len(landing.versions(*place)) for place in places}


KEPT = {"old": 0, "young": 1, "touched": 2, "undated": 1, "c1": 0, "c2": 1, "d1": 1}


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The publications that were made; no company stands behind these records."""
    made: list[Settings] = []

    def publish(settings: Settings) -> str:
        made.append(settings)
        return "b1"

    monkeypatch.setattr(pruning, "publish_anew", publish)
    return made


@pytest.mark.usefixtures("published")
def test_old_records_go_with_every_version_and_all_else_stays(tmp_path: Path) -> None:
    """By the newest change: old mail that was touched lately is young, and undated mail stays."""
    landing = filled(tmp_path)

    done = prune(settings_of(tmp_path))

    assert {"imap.messages": 1, "hubspot.calls": 1} == done.records
    assert {"imap.messages": 1, "hubspot.calls": 1, "_quarantine": 1} == done.versions
    assert "b1" == done.build_id
    assert KEPT == held(landing)
    files = [path.read_bytes() for path in Path(landing.root).rglob("*") if path.is_file()]
    assert not any(b"old one" in content for content in files)


def test_a_dry_run_counts_and_changes_nothing(tmp_path: Path, published: list[Settings]) -> None:
    """The same numbers as the run that follows."""
    landing = filled(tmp_path)
    before = held(landing)
    settings = settings_of(tmp_path)

    planned = prune(settings, dry_run=True)

    assert before == held(landing)
    assert [] == published
    done = prune(settings)
    assert (planned.records, planned.versions) == (done.records, done.versions)


def test_a_repeat_changes_nothing_and_publishes_nothing(
    tmp_path: Path, published: list[Settings]
) -> None:
    """It runs every week."""
    landing = filled(tmp_path)
    settings = settings_of(tmp_path)
    prune(settings)

    again = prune(settings)

    assert Pruned() == again
    assert 1 == len(published)
    assert KEPT == held(landing)


@pytest.mark.usefixtures("published")
def test_what_went_does_not_come_back_and_what_changes_does(tmp_path: Path) -> None:
    """A full read shows the vendor's whole mailbox again."""
    filled(tmp_path)
    settings = settings_of(tmp_path)
    prune(settings)
    landing = landing_of(settings)

    again = landing.append(
        "imap", "messages", "mail", [shown("old", 800), shown("young", 700)], "s8"
    )
    touched = landing.append("imap", "messages", "mail", [shown("old", 1, "two")], "s9")

    assert (2, 0, 1, 1) == (again.seen, again.appended, again.unchanged, again.expired)
    assert (1, 0) == (touched.appended, touched.expired)
    assert {**KEPT, "old": 1} == held(landing)


def test_an_end_is_told_of_a_record_of_any_age(tmp_path: Path) -> None:
    """A delete that carries the record's old clock must not be taken for old mail."""
    filled(tmp_path)
    landing = landing_of(settings_of(tmp_path))
    gone = Record("young", None, NOW, "deleted", NOW - timedelta(days=5000))

    assert 1 == landing.append("imap", "messages", "mail", [gone], "s8").appended


@pytest.mark.slow
def test_a_prune_that_is_killed_is_made_good_by_the_next(
    tmp_path: Path, published: list[Settings]
) -> None:
    """All tables may be clean already: the publication is owed nevertheless."""
    landing = filled(tmp_path)
    settings = settings_of(tmp_path)
    for place in ("while-pruning", "while-pruning:1", "while-pruning:1"):
        code = "import sys; from pathlib import Path; from tests.landing.test_retention import *\n"
        code += "prune(settings_of(Path(sys.argv[1])))"
        killed = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "PIPELEDGER_CRASH_AT": place},
            check=False,
        )
        assert -9 == killed.returncode
    assert KEPT == held(landing)

    done = prune(settings)

    assert {} == done.versions
    assert "b1" == done.build_id
    assert 1 == len(published)


def test_every_stream_that_may_carry_a_rule_is_one() -> None:
    """A misspelt name in the list would be a rule that nothing keeps."""
    for source, streams in EXPIRING.items():
        assert streams <= {stream.name for stream in connector(source).streams}


@pytest.mark.parametrize(
    ("text", "now", "cutoff"),
    [
        ("30 days", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 1, 30, tzinfo=UTC)),
        ("1 months", datetime(2026, 3, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        ("24 months", datetime(2026, 2, 28, tzinfo=UTC), datetime(2024, 2, 28, tzinfo=UTC)),
        ("2 years", datetime(2024, 2, 29, tzinfo=UTC), datetime(2022, 2, 28, tzinfo=UTC)),
        ("9999 years", datetime(2026, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_span_counts_back_by_the_calendar(text: str, now: datetime, cutoff: datetime) -> None:
    """A month back from the last of March is the last of February."""
    assert cutoff == keep_of(text).cutoff(now)


@given(st.integers(1, 400), st.lists(st.datetimes(timezones=st.just(UTC))))
@example(325, [datetime(28, 1, 1, tzinfo=UTC), datetime(28, 2, 1, tzinfo=UTC)])
def test_time_that_passes_makes_no_record_young(count: int, instants: Sequence[datetime]) -> None:
    """Else a record that went could land again without having changed."""
    keep = Keep(count, "months")
    cutoffs = [keep.cutoff(one) for one in sorted(instants)]
    assert sorted(cutoffs) == cutoffs
