"""Init: a first connection that works, or that says what it still needs."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeledger.cli import app
from pipeledger.settings import load_settings
from pipeledger.sources import CONNECTORS


def init(folder: Path, *words: str) -> Result:
    path = folder / "pipeledger.toml"
    return CliRunner().invoke(app, ["init", *words, "--config", str(path)])


def test_a_folder_of_files_works_at_once(tmp_path: Path) -> None:
    """The first five minutes decide whether there is a sixth."""
    ended = init(tmp_path, "files", "--name", "plan")

    assert 0 == ended.exit_code, ended.output
    assert "plan: works" in ended.output
    loaded = load_settings(tmp_path / "pipeledger.toml", {}).settings
    assert ["plan"] == [connection.name for connection in loaded.connections]


def test_a_vendor_is_named_with_its_rights_and_its_variable(tmp_path: Path) -> None:
    """Least privilege is granted while the key is made, not in a review a year later."""
    ended = init(tmp_path, "hubspot", "--name", "crm")

    assert 0 == ended.exit_code, ended.output
    assert "crm.objects.deals.read" in ended.output
    assert "write" not in ended.output.replace("wrote", "")
    assert "PIPELEDGER__SOURCES__HUBSPOT__CRM__TOKEN" in ended.output


@pytest.mark.parametrize("source", CONNECTORS)
def test_the_written_settings_lack_only_the_secret(tmp_path: Path, source: str) -> None:
    """A template that is refused for a key of its own is no template."""
    init(tmp_path, source, "--name", "one")

    secrets = {
        "hubspot": "TOKEN",
        "stripe": "API_KEY",
        "imap": "PASSWORD",
        "odoo": "API_KEY",
        "vtiger": "ACCESS_KEY",
    }
    variable = f"PIPELEDGER__SOURCES__{source.upper()}__ONE__{secrets.get(source, '')}"
    given = {variable: "rk_test_0a1b2c3d"} if source in secrets else {}
    loaded = load_settings(tmp_path / "pipeledger.toml", given)

    assert [source] == loaded.settings.sources()


def test_a_second_connection_is_added_to_the_first(tmp_path: Path) -> None:
    """What somebody wrote into the file stays."""
    init(tmp_path, "files", "--name", "plan")
    path = tmp_path / "pipeledger.toml"
    path.write_text(path.read_text().replace("My company", "Nordlicht"))

    ended = init(tmp_path, "files", "--name", "ledger")

    assert 0 == ended.exit_code, ended.output
    loaded = load_settings(path, {}).settings
    assert ["plan", "ledger"] == [connection.name for connection in loaded.connections]
    assert "Nordlicht" == loaded.company.name


def test_the_same_connection_twice_is_refused(tmp_path: Path) -> None:
    """Appending a second table of one name would make the file invalid."""
    init(tmp_path, "files")

    ended = init(tmp_path, "files")

    assert 2 == ended.exit_code
    assert "has [sources.files.files] already" in ended.stderr


def test_an_unknown_source_is_answered_with_the_list(tmp_path: Path) -> None:
    """And leaves no file behind."""
    ended = init(tmp_path, "rolodex")

    assert 2 == ended.exit_code
    assert f"there are: {', '.join(CONNECTORS)}" in " ".join(ended.stderr.split())
    assert [] == list(tmp_path.iterdir())
