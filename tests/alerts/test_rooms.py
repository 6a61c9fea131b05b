"""Rooms get the text as text, and nobody learns their addresses."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr, ValidationError

from pipeledger.alerts import send
from pipeledger.alerts.mail import DeliveryError
from pipeledger.alerts.rooms import post
from pipeledger.alerts.send import send_alerts
from pipeledger.settings import load_settings
from pipeledger.settings.alerts import Webhook
from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import SandboxServer
from tests.alerts.publication import DEALS, publish

TOKEN = "TIiajkdnlazkcOXrIdevi7ab"
SLACK = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN}"
TEAMS = (
    "https://prod-1.westeurope.logic.azure.com:443/workflows/643e69f83c8944438d68119179a10a64"
    f"/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig={TOKEN}"
)
NAME = "Deal <!channel> [click](http://evil.example) & co"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the library would put on the wire, in place of the wire."""
    caught: list[dict[str, Any]] = []

    def catch(_session: Any, **given: Any) -> requests.Response:
        caught.append(given)
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b"ok"
        return answer

    monkeypatch.setattr(requests.Session, "request", catch)
    return caught


@pytest.fixture
def rooms() -> Iterator[tuple[SandboxServer, list[Request]]]:
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        return reply_json({}, 500 if "broken" in request.path else 200)

    with SandboxServer(answer) as server:
        yield server, asked


def hook(kind: Any, url: str) -> Webhook:
    """A room for all topics."""
    return Webhook(kind=kind, url=SecretStr(url), topics=("data",))


def test_slack_gets_no_mention_and_no_link(sent: list[dict[str, Any]]) -> None:
    """<!channel> in a deal's name would ring every phone."""
    post("room", hook("slack", SLACK), "Acme", NAME, "<a@b>")

    (one,) = sent
    assert SLACK == one["url"]
    assert one["allow_redirects"] is False
    assert "<!channel>" not in one["data"]
    assert "&lt;!channel&gt;" in one["data"]


def test_teams_gets_markdown_disarmed(sent: list[dict[str, Any]]) -> None:
    """Its cards read Markdown; a name must not become a link."""
    post("room", hook("teams", TEAMS), "Acme", NAME, "<a@b>")

    (one,) = sent
    assert "[click](" not in json.dumps(json.loads(one["data"]))
    assert one["allow_redirects"] is False


def test_a_webhook_gets_json_with_the_message_id(
    tmp_path: Path,
    rooms: tuple[SandboxServer, list[Request]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its reader can tell a message that was sent again; each topic once a day."""
    server, asked = rooms
    monkeypatch.setattr(
        send, "status", lambda _settings: {"streams": [], "last_build": {"state": "failed"}}
    )
    publish(tmp_path, DEALS)
    path = tmp_path / "pipeledger.toml"
    path.write_text(
        'clock = "2026-10-15T06:00:00Z"\n[company]\nname = "Acme"\nown_domains = ["example.com"]\n'
        '[alerts.webhooks.all]\nkind = "webhook"\ntopics = ["manager", "finance", "data"]\n'
        f'url = "{server.url}/hook/{TOKEN}?key=abc123"\n'
    )
    settings = load_settings(path, {}).settings

    report = send_alerts(settings)
    again = send_alerts(settings)

    assert {("manager", "room:all"), ("finance", "room:all"), ("data", "room:all")} == set(
        report.sent
    )
    assert (3, []) == (len(asked), again.sent)
    assert {f"/hook/{TOKEN}"} == {request.path for request in asked}
    assert {"abc123"} == {request.param("key") for request in asked}
    bodies = [request.json() for request in asked]
    assert 3 == len({body["id"] for body in bodies})
    assert any("Won, not billed" in body["message"] for body in bodies)


def test_a_room_that_fails_is_told_without_its_address(
    rooms: tuple[SandboxServer, list[Request]],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who has the address can post; it stands in no error and no log."""
    caplog.set_level(logging.DEBUG)
    for url in (f"{rooms[0].url}/broken/{TOKEN}", f"http://127.0.0.1:1/{TOKEN}"):
        with pytest.raises(DeliveryError, match=r"alerts\.webhooks\.room: not taken") as caught:
            post("room", hook("webhook", url), "Acme", NAME, "<a@b>")
        assert TOKEN not in str(caught.value)
    with pytest.raises(DeliveryError, match="none of slack"):
        post("room", hook("slack", f"https://example.com/{TOKEN}"), "Acme", NAME, "<a@b>")

    said = capsys.readouterr()
    assert TOKEN not in caplog.text + said.out + said.err


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/x", "mailto://a:b@gmail.com", "sms://1234", "https://"]
)
def test_an_address_of_another_kind_is_refused_unseen(url: str) -> None:
    """The library could write mail and messages to anybody; here it only posts to https."""
    with pytest.raises(ValidationError) as caught:
        hook("webhook", url)

    assert "a:b" not in str(caught.value.errors()[0]["msg"])
