"""Init: a first connection that works, or that says what it still needs."""

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeledger.cli import app
from pipeledger.initialise import Questions, write_connection
from pipeledger.settings import load_settings
from pipeledger.settings.secrets import secret_fields
from pipeledger.sources import CONNECTORS, connector
from sandbox.odoo import API_KEY, DATABASE, LOGIN, OdooServer, OdooState


def init(folder: Path, *words: str, typed: str | None = None) -> Result:
    path = folder / "pipeledger.toml"
    return CliRunner().invoke(app, ["init", *words, "--config", str(path)], input=typed)


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
        "chargebee": ("API_KEY",),
        "gmail": ("SERVICE_ACCOUNT",),
        "hubspot": ("TOKEN",),
        "stripe": ("API_KEY",),
        "imap": ("PASSWORD",),
        "msgraph": ("CLIENT_SECRET",),
        "odoo": ("API_KEY",),
        "pipedrive": ("API_TOKEN",),
        "quickbooks": ("CLIENT_SECRET", "REFRESH_TOKEN"),
        "salesforce": ("CLIENT_SECRET",),
        "vtiger": ("ACCESS_KEY",),
        "xero": ("CLIENT_SECRET",),
        "zoho": ("CLIENT_SECRET", "REFRESH_TOKEN"),
    }
    place = f"PIPELEDGER__SOURCES__{source.upper()}__ONE__"
    given = {f"{place}{key}": "rk_test_0a1b2c3d" for key in secrets.get(source, ())}
    loaded = load_settings(tmp_path / "pipeledger.toml", given)

    assert [source] == loaded.settings.sources()


def test_a_walk_ends_with_a_connection_that_is_tested(tmp_path: Path) -> None:
    """Whoever has the key at hand is done in a minute, and the key is in nobody's history."""
    with OdooServer(OdooState()) as server:
        answers = f"{server.url}\n{DATABASE}\n{LOGIN}\n{API_KEY}\n"
        ended = init(tmp_path, "odoo", "--name", "erp", "--input", typed=answers)

    secret = tmp_path / "secrets" / "erp_api_key"
    assert 0 == ended.exit_code, ended.output
    assert "New API Key" in ended.output
    assert "erp: works" in ended.output
    assert API_KEY not in ended.output + (tmp_path / "pipeledger.toml").read_text()
    assert (API_KEY, 0o600) == (secret.read_text(), secret.stat().st_mode & 0o777)


def test_a_walk_without_the_secret_says_where_it_is_expected(tmp_path: Path) -> None:
    """In production a vault's variable holds it."""
    ended = init(tmp_path, "stripe", "--input", typed="\n")

    assert 0 == ended.exit_code, ended.output
    assert "PIPELEDGER__SOURCES__STRIPE__STRIPE__API_KEY" in ended.output
    assert not (tmp_path / "secrets").exists()


def test_a_list_is_asked_for_with_commas(tmp_path: Path) -> None:
    """Whose mailboxes are read is nobody's to guess."""
    init(tmp_path, "gmail", "--input", typed="sam@acme.test, eva@acme.test\nacme.test\n\n")

    text = (tmp_path / "pipeledger.toml").read_text()
    assert 'mailboxes = ["sam@acme.test", "eva@acme.test"]' in text
    assert 'own_domains = ["acme.test"]' in text


@pytest.mark.parametrize("source", CONNECTORS)
def test_every_value_and_secret_of_a_first_connection_is_asked_for(
    tmp_path: Path, source: str
) -> None:
    """An example that stays in the file would be taken for the company's own."""
    asked: list[str] = []
    secrets: list[str] = []

    def value(key: str, suggestion: str) -> str:
        asked.append(key.partition(" ")[0])
        return suggestion

    def secret(key: str) -> str:
        secrets.append(key)
        return ""

    list(write_connection(tmp_path / "s.toml", source, "one", Questions(value, secret)))

    tables = tomllib.loads((tmp_path / "s.toml").read_text())["sources"][source]["one"]
    assert set(tables) - {"tables"} <= set(asked)
    known = secret_fields(connector(source).settings)
    assert set(secrets) <= known
    assert bool(secrets) == bool(known)


def test_what_is_typed_cannot_break_the_settings_file(tmp_path: Path) -> None:
    """Quotes and backslashes belong to values."""
    ended = init(tmp_path, "files", "--input", typed='in"box\\\nq*.csv\n')

    assert 'folder = "in\\"box\\\\"' in (tmp_path / "pipeledger.toml").read_text()
    assert "the folder" in ended.output


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


def test_postgresql_is_set_up_like_a_source(tmp_path: Path) -> None:
    """Its connection string is a secret: asked for unseen, and kept out of the settings file."""
    ended = init(tmp_path, "postgres", "--input", typed="dbname=none host=/nowhere\nbi_readers\n")

    assert 0 == ended.exit_code
    assert "create role pipeledger_publish login" in ended.output
    text = (tmp_path / "pipeledger.toml").read_text(encoding="utf-8")
    assert 'dsn_file = "secrets/postgres_dsn"' in text
    assert 'reader_role = "bi_readers"' in text
    assert "/nowhere" not in text
    assert "postgres: FAILED, cannot be opened" in ended.output
