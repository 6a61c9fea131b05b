"""IMAP: who may sign in, over which line, and what a refusal says."""

import asyncio
from pathlib import Path

import pytest
import trustme

from connectors.base.errors import AccessDenied, ProtocolError, VendorError
from connectors.base.stream import Resources
from connectors.imap import check, open_mailbox
from connectors.imap.settings import ImapSettings
from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import SandboxServer
from sandbox.imap import ImapServer, Mailbox
from tests.connectors.certificates import BAD, authority_file, context_of
from tests.connectors.imap.mailbox import BASIC, NOW, ids, mail, read, settings


def test_a_wrong_password_is_said_so_and_not_tried_twice() -> None:
    """Mail hosts lock accounts after a few attempts."""
    mailbox = Mailbox()
    with (
        ImapServer(mailbox) as server,
        pytest.raises(AccessDenied, match="AUTHENTICATIONFAILED") as caught,
    ):
        read(settings(server, password="canary-wrong"))

    assert 1 == mailbox.log.count("LOGIN ***")
    assert "canary-wrong" not in str(caught.value)


def test_an_access_token_signs_in_by_xoauth2() -> None:
    """The large providers have no passwords any more."""
    mailbox = Mailbox()
    mailbox.append(mail(1))
    with ImapServer(mailbox) as server:
        found = read(settings(server, password=None, access_token=mailbox.token))
        with pytest.raises(AccessDenied):
            read(settings(server, password=None, access_token="stale"))

    assert ["m1@example.com"] == ids(found)


@pytest.mark.parametrize("fault", BAD)
def test_a_server_with_a_bad_certificate_never_sees_the_password(
    tmp_path: Path, fault: str
) -> None:
    """H-04: whoever sits between reads mail and password alike."""
    ours = trustme.CA()
    issue, told = BAD[fault]

    with (
        ImapServer(Mailbox(), tls=context_of(issue(ours))) as server,
        pytest.raises(VendorError, match=told),
    ):
        read(settings(server, security="tls", ca_file=authority_file(ours, tmp_path)))

    assert [] == server.mailbox.log


def test_mail_is_read_over_tls_with_a_private_authority(tmp_path: Path) -> None:
    """Many companies run their own mail server."""
    ours = trustme.CA()
    mailbox = Mailbox()
    mailbox.append(mail(1))

    with ImapServer(mailbox, tls=context_of(ours.issue_cert("127.0.0.1"))) as server:
        pages = read(settings(server, security="tls", ca_file=authority_file(ours, tmp_path)))

    assert ["m1@example.com"] == ids(pages)


def test_starttls_that_is_not_offered_is_refused_before_the_password_is_sent() -> None:
    """An attacker in between strips the offer to get the password."""
    mailbox = Mailbox()
    with ImapServer(mailbox) as server, pytest.raises(ProtocolError, match="no STARTTLS"):
        read(settings(server, security="starttls"))

    assert "LOGIN ***" not in mailbox.log


def test_plain_text_is_refused_off_this_machine() -> None:
    """The setting exists for loopback tests alone."""
    with pytest.raises(ValueError, match="in the open"):
        ImapSettings.model_validate(
            {"host": "imap.example.com", "username": "u", "password": "p", "security": "plain"}
        )


@pytest.mark.parametrize("grant", ["refresh_token", "client_credentials"])
def test_a_fresh_token_is_fetched_for_each_sign_in(tmp_path: Path, grant: str) -> None:
    """Tokens end after an hour; an hourly run that wants a person each time is no run."""
    mailbox = Mailbox(capabilities=("IMAP4rev1", "AUTH=XOAUTH2"))
    mailbox.append(mail(1))

    def give(request: Request) -> Reply:
        asked = request.form()
        wanted = {"grant_type": grant, "client_id": "c-1", "client_secret": "secret-0a1b2c3d"}
        assert wanted == {name: asked.get(name) for name in wanted}
        return reply_json({"access_token": mailbox.token, "expires_in": 3599})

    with ImapServer(mailbox) as server, SandboxServer(give) as endpoint:
        config = settings(
            server,
            password=None,
            token_url=f"{endpoint.url}/token",
            client_id="c-1",
            client_secret="secret-0a1b2c3d",
            refresh_token="refresh-0a1b2c3d" if grant == "refresh_token" else None,
        )

        async def sign_in() -> int:
            resources = Resources("mail", str(tmp_path), lambda: NOW)
            async with open_mailbox(config, resources) as session:
                return len(await session.folders())

        folders = asyncio.run(sign_in())

        assert not endpoint.errors
    assert folders


def test_doctor_says_what_the_server_lacks() -> None:
    """Why an hourly run takes longer than it should."""
    mailbox = Mailbox(capabilities=BASIC)

    async def ask(config: ImapSettings) -> tuple[str, ...]:
        async with open_mailbox(config, Resources("mail", "", lambda: NOW)) as session:
            return (await check(session)).notes

    with ImapServer(mailbox) as server:
        notes = asyncio.run(ask(settings(server)))

    assert any("no QRESYNC" in note for note in notes)
