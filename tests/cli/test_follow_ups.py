"""Notes on deals go into the company's own file, as a sync reads it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.base.errors import ConfigError
from pipeledger.cli import app
from pipeledger.follow_ups import FILE, Said, take_note
from pipeledger.settings import load_settings
from tests.alerts.publication import DEALS, publish


@pytest.fixture
def config(tmp_path: Path) -> Path:
    publish(tmp_path, DEALS)
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "pipeledger.toml"
    path.write_text(
        'clock = "2026-10-15T06:00:00Z"\n[sources.files.plan]\nfolder = "inbox"\n'
        'tables.follow_ups.path = "follow_ups*.csv"\n'
    )
    return path


def call(config: Path, *words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, [*words, "-c", str(config)])
    assert 0 == done.exit_code, done.output
    return done.output


def test_the_newest_word_of_a_day_holds_and_can_be_taken_back(config: Path) -> None:
    """One line per deal and day, in the form that the files connector reads."""
    call(config, "acknowledge", "crm:1", "--by", "ana@example.com", "--note", "called, waiting")
    call(config, "acknowledge", "crm:2")
    call(config, "snooze", "crm:1", "2026-11-02", "--by", "ana@example.com")

    path = config.parent / "inbox" / FILE
    assert [
        "deal_key,acknowledged_on,acknowledged_by,snoozed_until,note",
        "crm:2,2026-10-15,,,",
        "crm:1,2026-10-15,ana@example.com,2026-11-02,",
    ] == path.read_text().splitlines()
    assert "took back 1 line" in call(config, "acknowledge", "crm:1", "--undo")
    assert "crm:1" not in path.read_text()
    assert [path] == list(path.parent.iterdir())


def test_what_would_not_be_read_is_refused(config: Path) -> None:
    """A note that nobody reads is worse than none."""
    settings = load_settings(config, {}).settings
    with pytest.raises(ConfigError, match="no open deal"):
        take_note(settings, Said("crm:99"))
    done = CliRunner().invoke(app, ["snooze", "crm:1", "2026-10-15", "-c", str(config)])
    assert 2 == done.exit_code
    config.write_text(config.read_text().replace("follow_ups*.csv", "notes.xlsx"))
    settings = load_settings(config, {}).settings
    with pytest.raises(ConfigError, match="does not read"):
        take_note(settings, Said("crm:1"))
