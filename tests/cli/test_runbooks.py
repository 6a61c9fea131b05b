"""What the runbooks say is what works: their commands parse, and a void token is two of them."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from pipeledger.cli import app
from pipeledger.pipeline import landing_of
from pipeledger.project import ROOT
from pipeledger.settings import load_settings
from sandbox.hubspot import STATIC_TOKEN, HubspotServer, HubspotState
from sandbox.hubspot.access import Grant

RUNBOOKS = ROOT / "docs" / "runbooks"
NEW_TOKEN = "pat-eu1-7c6f2d2e-sandbox"


def commands(page: Path) -> list[str]:
    """Every command line of a page, from its blocks and from its sentences."""
    text = page.read_text(encoding="utf-8")
    blocks = [line for part in text.split("\n```\n")[1::2] for line in part.splitlines()]
    words = re.findall(r"`([^`]+)`", text)
    return [one for one in [*blocks, *words] if one.startswith("pipeledger ")]


def test_every_command_of_a_runbook_is_one_of_the_command_line() -> None:
    """An option that was renamed is found here, and not at night by somebody in a hurry."""
    found = {line: page.name for page in RUNBOOKS.glob("*.md") for line in commands(page)}

    # Options are parsed before help is given, and what is unknown ends with 2.
    ends = {
        line: CliRunner().invoke(app, [*shlex.split(line.replace("...", ""))[1:], "--help"])
        for line in found
    }

    wrong = {f"{found[line]}: {line}": end.output for line, end in ends.items() if end.exit_code}
    assert len(found) > 20
    assert {} == wrong


def test_a_token_that_was_revoked_is_two_commands(tmp_path: Path) -> None:
    """The runbook's own two, literally, by somebody who has put the new token into its place."""
    page = (RUNBOOKS / "credentials.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"\n```\n(.*?)\n```\n", page, re.DOTALL)
    lines = block.splitlines()
    state = HubspotState()
    state.has("deals", {"dealname": "Anvil", "amount": "100.10"})
    state.advance(hours=1)

    def call(line: str) -> tuple[int, str]:
        program, *words = shlex.split(line)
        assert "pipeledger" == program
        done = CliRunner().invoke(app, [*words, "--config", str(settings_file)])
        return done.exit_code, done.output

    with HubspotServer(state) as server:
        secret = tmp_path / "token"
        secret.touch(mode=0o600)
        secret.write_text(STATIC_TOKEN)
        settings_file = tmp_path / "pipeledger.toml"
        settings_file.write_text(
            f'clock = "{state.now:%Y-%m-%dT%H:%M:%SZ}"\n[sources.hubspot.hubspot]\n'
            f'base_url = "{server.url}"\ntoken_file = "token"\nstreams = ["deals"]\n'
        )
        assert 0 == call("pipeledger sync hubspot")[0]
        server.gate.tokens.clear()
        state.advance(hours=1)
        late = state.has("deals", {"dealname": "Bolt", "amount": "200.20"})
        state.advance(hours=1)
        text = settings_file.read_text().split("\n", 1)[1]
        settings_file.write_text(f'clock = "{state.now:%Y-%m-%dT%H:%M:%SZ}"\n{text}')
        refused, told = call("pipeledger sync hubspot")
        server.gate.tokens[NEW_TOKEN] = Grant()
        secret.write_text(NEW_TOKEN)

        ends = [call(line) for line in lines]

    assert (5, 2) == (refused, len(lines)), told
    assert "401" in told
    assert [0, 0] == [code for code, _ in ends], ends
    landing = landing_of(load_settings(settings_file).settings)
    assert {"complete"} == {row.state for row in landing.checkpoints(last=True)}
    with landing.writer("hubspot", "deals", "hubspot", sync_id="look") as writer:
        assert late in writer.listed_ids()
