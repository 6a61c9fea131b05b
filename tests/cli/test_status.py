"""Status: how old each stream of a configured source is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeledger.landing import Checkpoint
from pipeledger.landing.checkpoints import State
from pipeledger.pipeline import landing_of
from pipeledger.settings import Settings, load_settings
from pipeledger.status import status

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A CRM that is stale after six hours."""
    path = tmp_path / "pipeledger.toml"
    path.write_text(
        f'clock = "{NOW.isoformat()}"\n'
        '[company]\nname = "Acme"\ntime_zone = "Europe/Berlin"\nown_domains = ["acme.example"]\n'
        "[schedule]\nstale_after_hours = 6\n"
        '[sources.hubspot.crm]\ntoken = "never-used"\n'
    )
    return load_settings(path, {}).settings


def ended(hours_ago: int, stream: str, state: State, connection: str = "crm") -> Checkpoint:
    at = NOW - timedelta(hours=hours_ago)
    return Checkpoint(
        *("hubspot", connection, stream, f"{at:%Y%m%dT%H}"),
        cursor=None,
        state=state,
        seen=1,
        appended=1,
        requests=1,
        bytes=1,
        started_at=at,
        at=at,
        sequence=1,
        error="403" if state == "failed" else None,
    )


def test_a_stream_is_as_old_as_its_last_complete_sync(settings: Settings) -> None:
    """A source that fails since Monday is as of Sunday, however often it was tried."""
    landing = landing_of(settings)
    landing.checkpoint(ended(9, "deals", "complete"), ended(8, "contacts", "complete"))
    landing.checkpoint(ended(5, "contacts", "complete"), ended(5, "calls", "failed"))
    landing.checkpoint(ended(1, "deals", "failed"))

    shown = {
        one["stream"]: (one["state"], one["age_hours"], one["is_stale"], one["error"])
        for one in status(settings)["streams"]
    }

    assert {
        "deals": ("failed", 9.0, True, "403"),
        "contacts": ("complete", 5.0, False, None),
        "calls": ("failed", None, True, "403"),
    } == shown


def test_nobody_waits_for_a_connection_that_was_taken_out(settings: Settings) -> None:
    """What it landed stays, and it would be stale for ever."""
    landing_of(settings).checkpoint(ended(900, "deals", "complete", "old_crm"))

    assert [] == status(settings)["streams"]
