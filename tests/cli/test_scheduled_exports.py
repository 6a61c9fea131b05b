"""[[exports]]: each file is whole or as it was, and one that fails stops no other."""

from pathlib import Path

import pytest

from connectors.base.errors import ConfigError
from pipeledger.scheduled_exports import write_exports
from pipeledger.settings import Settings, load_settings
from tests.alerts.publication import DEALS, publish


def settings_of(folder: Path, exports: str) -> Settings:
    """Settings with exports and nothing else."""
    path = folder / "pipeledger.toml"
    path.write_text(f'clock = "2026-10-15T06:00:00Z"\n{exports}')
    return load_settings(path, {}).settings


def test_each_export_is_written_from_what_is_published(tmp_path: Path) -> None:
    """Into folders that are made, under names that stay the same."""
    publish(tmp_path, DEALS)
    settings = settings_of(
        tmp_path,
        '[[exports]]\nmart = "fct_deal"\nfolder = "out/deals"\nbare = true\n'
        '[[exports]]\nmart = "fct_deal"\nfolder = "out"\nformat = "xlsx"\n'
        'where = "deal_key = \'crm:1\'"\nfile = "first.xlsx"\n',
    )

    done = write_exports(settings)

    assert [(len(DEALS), ""), (1, "")] == [(one.rows, one.error) for one in done]
    lines = (tmp_path / "out/deals/fct_deal.csv").read_text(encoding="utf-8-sig")
    assert lines.startswith("deal_key,name")
    assert ["first.xlsx"] == [path.name for path in (tmp_path / "out").glob("*.xlsx")]


def test_an_export_that_fails_leaves_the_old_file_and_the_others_go_on(tmp_path: Path) -> None:
    """Whoever reads the folder sees yesterday's file rather than half of today's."""
    publish(tmp_path, DEALS)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/bad.csv").write_text("of yesterday")
    settings = settings_of(
        tmp_path,
        '[[exports]]\nmart = "fct_deal"\nfolder = "out"\nfile = "bad.csv"\nwhere = "nope = 1"\n'
        '[[exports]]\nmart = "fct_deal"\nfolder = "out"\n',
    )

    bad, good = write_exports(settings)

    assert "nope" in bad.error
    assert "of yesterday" == (tmp_path / "out/bad.csv").read_text()
    assert len(DEALS) == good.rows
    assert {"bad.csv", "fct_deal.csv"} == {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize(
    ("exports", "said"),
    [
        ('[[exports]]\nmart = "m"\nfolder = "a"\n' * 2, "written by an export above"),
        ('[[exports]]\nmart = "m"\nfolder = "a"\nfile = "../x.csv"\n', "file"),
    ],
)
def test_exports_that_would_meet_or_leave_their_folder_are_refused(
    tmp_path: Path, exports: str, said: str
) -> None:
    """Before anything runs."""
    with pytest.raises(ConfigError, match=said):
        settings_of(tmp_path, exports)
