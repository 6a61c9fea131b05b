"""The static report: one small file without script that says what it is as of."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.base.errors import ConfigError
from dashboard.filters import LANGUAGES
from dashboard.pages import overview
from dashboard.report import write_report
from pipeledger.cli import app
from tests.dashboard.conftest import look
from tests.e2e.road import Road

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("company")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_loads_nothing_and_runs_nothing(road: Road, tmp_path: Path, language: str) -> None:
    path = tmp_path / "report.html"
    as_of = write_report(road.settings, path, language)
    text = path.read_text(encoding="utf-8")
    view = look(road.settings, f"?lang={language}")
    assert path.stat().st_size < 2_000_000
    assert f'<html lang="{language}">' in text
    assert view.words.instant(as_of) in text
    assert "<svg" in text
    assert not re.search(r"<(script|link|iframe|object|img)\b", text)
    assert not re.search(r"\son\w+=", text)
    assert not re.search(r"""(src|href)=["'](?!#)""", text.replace('xlink:href="#', ""))
    quota = view.rows(overview.QUOTA)[0]
    for name in ("quota_rc", "won_rc", "gap_rc"):
        assert view.words.money(quota[name], view.currency) in text


def test_an_unknown_language_is_refused(road: Road, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are en, ja, id"):
        write_report(road.settings, tmp_path / "report.html", "tlh")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_it(road: Road, tmp_path: Path) -> None:
    settings_file = Path(road.settings.paths.landing).parents[1] / "pipeledger.toml"
    out = tmp_path / "report.html"
    ran = CliRunner().invoke(app, ["report", "-c", str(settings_file), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "as of 2026-10-15 06:00 UTC" in ran.output
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    refused = CliRunner().invoke(
        app, ["report", "-c", str(settings_file), "--out", str(out), "--lang", "tlh"]
    )
    assert refused.exit_code == 2
