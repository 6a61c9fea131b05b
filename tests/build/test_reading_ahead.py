"""dbt reads the project beside the first sync, and never gets in the way."""

from pathlib import Path

import pytest

from pipeledger.build import reading_ahead
from pipeledger.settings import Settings, load_settings
from tests.e2e.kontor import SETTINGS


def settings_in(folder: Path) -> Settings:
    (folder / "inbox").mkdir()
    path = folder / "pipeledger.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return load_settings(path).settings


@pytest.mark.slow
def test_what_dbt_read_beside_the_sync_is_there_for_the_build(tmp_path: Path) -> None:
    """The first run of a new installation need not wait for dbt twice."""
    settings = settings_in(tmp_path)

    with reading_ahead(settings):
        pass

    assert (settings.paths.warehouse / "dbt" / "partial_parse.msgpack").exists()


def test_a_sync_that_fails_does_not_wait_for_dbt(tmp_path: Path) -> None:
    """A wrong token is told at once."""
    settings = settings_in(tmp_path)

    with pytest.raises(ConnectionError), reading_ahead(settings):
        raise ConnectionError

    assert not (settings.paths.warehouse / "dbt" / "partial_parse.msgpack").exists()
