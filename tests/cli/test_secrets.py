"""X-04: a canary in every secret, vendors that echo it in their errors, and a grep afterwards."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeledger.cli import app
from pipeledger.settings import load_settings
from pipeledger.settings.secrets import PREFIX, secret_fields
from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import SandboxServer

CANARY = "canary"
SECRETS = {
    "HUBSPOT__CRM__TOKEN": "pat-eu1-canary-0a1b2c3d-4e5f",
    "HUBSPOT__CRM_US__CLIENT_SECRET": "canary+/=client-secret",
    "HUBSPOT__CRM_US__REFRESH_TOKEN": "canary+/=refresh-token",
    "STRIPE__BILLING__API_KEY": "rk_test_canary0a1b2c3d",
    "IMAP__SALES__PASSWORD": 'canary "quoted" pass',
    "IMAP__SALES__HASH_KEY": "canary-hash-key-0a1b",
    "IMAP__SUPPORT__ACCESS_TOKEN": "canary.access.token",
    "IMAP__RENEWED__CLIENT_SECRET": "canary+/=mail-client-secret",
    "IMAP__RENEWED__REFRESH_TOKEN": "canary+/=mail-refresh-token",
}


def echo(request: Request) -> Reply:
    """The unkind vendor: a refusal that repeats everything it was sent."""
    told = {"headers": dict(request.headers), "body": request.body.decode("utf-8", "replace")}
    text = f"refused: {json.dumps(told)}"
    return reply_json({"message": text, "error": {"message": text}}, 401)


class EchoingMailbox(socketserver.StreamRequestHandler):
    """A mail server that refuses every sign-in with the command that it got."""

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        for raw in self.rfile:
            tag, _, rest = raw.decode().strip().partition(" ")
            if rest.upper().startswith("CAPABILITY"):
                answer = f"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag} OK done"
            else:
                answer = f"{tag} NO [AUTHENTICATIONFAILED] you said {rest}"
            self.wfile.write(f"{answer}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), EchoingMailbox) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def settings_file(tmp_path: Path) -> Iterator[Path]:
    """Every kind of connection with every kind of secret, all of them refused."""
    with ExitStack() as stack:
        web = stack.enter_context(SandboxServer(echo))
        mail = stack.enter_context(mail_server())
        path = tmp_path / "pipeledger.toml"
        imap = (
            f'host = "127.0.0.1"\nport = {mail}\nsecurity = "plain"\nusername = "s@example.com"\n'
        )
        path.write_text(
            f'[sources.hubspot.crm]\nbase_url = "{web.url}"\n'
            f'[sources.hubspot.crm_us]\nbase_url = "{web.url}"\nclient_id = "id"\n'
            f'[sources.stripe.billing]\nbase_url = "{web.url}"\n'
            f"[sources.imap.sales]\n{imap}hash_addresses = true\n[sources.imap.support]\n{imap}"
            f'[sources.imap.renewed]\n{imap}token_url = "{web.url}/token"\nclient_id = "id"\n'
        )
        yield path


def call(path: Path, *words: str) -> Result:
    environment = {f"{PREFIX}SOURCES__{name}": value for name, value in SECRETS.items()}
    return CliRunner().invoke(app, [*words, "--config", str(path)], env=environment)


def test_no_secret_leaves_the_process_whatever_fails(settings_file: Path) -> None:
    """I6: outputs are pasted, logs are shipped, landing is shared."""
    commands = [
        *(["sync", "--debug"], ["sync", "--json"], ["doctor", "--debug"], ["doctor", "--json"]),
        *(["status"], ["status", "--json"], ["config", "show"], ["config", "show", "--json"]),
        ["trace", "fct_deal", "crm:1", "--debug"],
    ]

    ended = [call(settings_file, *command) for command in commands]

    told = "".join(one.output + one.stderr + repr(one.exception) for one in ended)
    assert "refused" in told
    assert "you said" in told
    assert [] == [line for line in told.splitlines() if CANARY in line]
    written = [path for path in settings_file.parent.rglob("*") if path.is_file()]
    assert len(written) > 1
    assert [] == [path.name for path in written if CANARY.encode() in path.read_bytes()]


def test_the_canaries_sit_in_every_secret_field(settings_file: Path) -> None:
    """A new secret without a canary would be a hole in the test above."""
    environment = {f"{PREFIX}SOURCES__{name}": value for name, value in SECRETS.items()}
    loaded = load_settings(settings_file, environment).settings

    covered = {
        (connection.source, name)
        for connection in loaded.connections
        for name in secret_fields(type(connection.settings))
        if getattr(connection.settings, name) is not None
    }

    assert {
        (connection.source, name)
        for connection in loaded.connections
        for name in secret_fields(type(connection.settings))
    } == covered


def test_refused_credentials_end_with_5_and_say_what_to_do(settings_file: Path) -> None:
    """I7: one source's refusal is that source's alone, and is named."""
    ended = call(settings_file, "sync", "--json")

    assert 5 == ended.exit_code, ended.stderr
    reports = json.loads(ended.stdout)
    assert ["crm", "crm_us", "billing", "sales", "support", "renewed"] == [
        r["connection"] for r in reports
    ]
    assert all(stream["error"] for report in reports for stream in report["streams"])
