"""A server that cannot prove who it is gets no credential (H-04)."""

from pathlib import Path

import pytest
import trustme

from connectors.base.errors import ProtocolError
from connectors.base.transport import Answer, Bounds, Origin, exchange, new_http
from sandbox.exchange import reply_json
from sandbox.http import SandboxServer
from tests.connectors.base.asking import TOKEN
from tests.connectors.certificates import BAD, authority_file, context_of


async def ask(server: SandboxServer, ca_file: str | None) -> Answer:
    async with new_http(ca_file=ca_file) as http:
        return await exchange(
            http,
            "GET",
            f"{server.url}/deals",
            allowed=frozenset({Origin.of(server.url)}),
            headers={"authorization": f"Bearer {TOKEN}"},
            bounds=Bounds(),
        )


def serve(certificate: trustme.LeafCert) -> SandboxServer:
    return SandboxServer(lambda _: reply_json({}), tls=context_of(certificate))


async def test_a_private_authority_is_trusted_when_the_settings_name_it(tmp_path: Path) -> None:
    """Servers in a company's own network have such certificates."""
    ours = trustme.CA()

    with serve(ours.issue_cert("127.0.0.1")) as server:
        answer = await ask(server, authority_file(ours, tmp_path))

    assert 200 == answer.status


async def test_an_authority_is_trusted_by_the_connection_that_names_it_and_by_no_other(
    tmp_path: Path,
) -> None:
    """All connections without one share what the machine trusts."""
    ours = trustme.CA()

    with serve(ours.issue_cert("127.0.0.1")) as server:
        await ask(server, authority_file(ours, tmp_path))
        with pytest.raises(ProtocolError, match="certificate"):
            await ask(server, None)


@pytest.mark.parametrize("fault", BAD)
async def test_a_bad_certificate_is_refused_with_its_fault(tmp_path: Path, fault: str) -> None:
    """Trying again, or without verification, would hand the token to whoever listens."""
    ours = trustme.CA()
    issue, told = BAD[fault]

    with serve(issue(ours)) as server:
        with pytest.raises(ProtocolError, match=told):
            await ask(server, authority_file(ours, tmp_path))
        seen = server.count("")

    assert 0 == seen
