"""Secrets that are easy to find are found nowhere (X-04, I6)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeledger.cli import app
from sandbox.hubspot import HubspotServer, HubspotState
from sandbox.imap import ImapServer, Mailbox
from sandbox.stripe import StripeServer, StripeState

CANARY = "canary4711"
PREFIX = "PIPELEDGER__SOURCES__"
SECRETS = {
    f"{PREFIX}HUBSPOT__CRM__TOKEN": f"pat-eu1-{CANARY}-token",
    f"{PREFIX}HUBSPOT__APP__CLIENT_SECRET": f"{CANARY}-client-secret",
    f"{PREFIX}HUBSPOT__APP__REFRESH_TOKEN": f"{CANARY}-refresh-token",
    f"{PREFIX}STRIPE__BILLING__API_KEY": f"rk_test_{CANARY}key",
    f"{PREFIX}IMAP__MAIL__PASSWORD": f"{CANARY}-password",
    f"{PREFIX}IMAP__MAIL__HASH_KEY": f"{CANARY}-hash-key",
    f"{PREFIX}IMAP__MAIL2__ACCESS_TOKEN": f"{CANARY}-access-token",
}


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Connections whose every secret is wrong, to servers that say so."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        hubspot = stack.enter_context(HubspotServer(HubspotState()))
        stripe = stack.enter_context(StripeServer(StripeState()))
        mail = stack.enter_context(ImapServer(Mailbox(boxes={})))
        path = tmp_path / "pipeledger.toml"
        server = f"host = '{mail.host}'\nport = {mail.port}\nsecurity = 'plain'\nusername = 'u'\n"
        path.write_text(
            f"[sources.hubspot.crm]\nbase_url = '{hubspot.url}'\n"
            f"[sources.hubspot.app]\nbase_url = '{hubspot.url}'\nclient_id = 'app'\n"
            f"[sources.stripe.billing]\nbase_url = '{stripe.url}'\n"
            f"[sources.imap.mail]\n{server}hash_addresses = true\n"
            f"[sources.imap.mail2]\n{server}"
        )
        yield path


@pytest.mark.slow
def test_a_canary_in_every_secret_is_found_nowhere(settings_file: Path) -> None:
    """Not on the screen, not in a log, not in a file; whatever goes wrong."""
    runner = CliRunner()
    said: dict[str, str] = {}
    codes: dict[str, int] = {}
    for words in (
        *("config show", "config show --json", "sync", "sync --json", "doctor", "doctor --json"),
        *("status", "status --json", "sync --debug", "sync nothing"),
    ):
        found = runner.invoke(app, [*words.split(), "--config", str(settings_file)])
        said[words] = found.output + repr(found.exception)
        codes[words] = found.exit_code

    folder = settings_file.parent
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert (5, 1, 2) == (codes["sync"], codes["doctor"], codes["sync nothing"])
    assert [] == [words for words, text in said.items() if CANARY in text]
    assert len(files) > 1
    assert [] == [path for path, content in files.items() if CANARY.encode() in content]


def test_a_mistake_beside_a_secret_does_not_show_it(settings_file: Path) -> None:
    """Validation errors love to print their input."""
    text = settings_file.read_text().replace(
        "[sources.stripe.billing]", "[sources.stripe.billing]\nlivemode = true"
    )
    settings_file.write_text(text + "\n[company]\nnam = 'x'\n")

    found = CliRunner().invoke(app, ["run", "--debug", "--config", str(settings_file)])

    assert found.exit_code != 0
    shown = found.output + repr(found.exception)
    assert "livemode" in shown
    assert CANARY not in shown
