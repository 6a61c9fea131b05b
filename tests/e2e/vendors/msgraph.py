"""The company's mailboxes in one tenant of Microsoft 365."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.company import Company
from sandbox.msgraph import CLIENT_ID, CLIENT_SECRET, TENANT, GraphServer
from tests.e2e.vendors import Case, Served
from tests.e2e.vendors.letters import DOMAINS, lying

FOLDERS = {"inbox": "inbox", "sent": "sentitems", "archive": "archive", "trash": "deleteditems"}


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """Read as an application, with the headers of each message."""
    with GraphServer() as server:
        for one in lying(company):
            server.post(one.mailbox, one.raw, one.arrived, FOLDERS[one.place])
        mailboxes = ", ".join(f'"{address}"' for address in server.mailboxes)
        yield Served(
            f'[sources.msgraph.msgraph]\ntenant = "{TENANT}"\nclient_id = "{CLIENT_ID}"\n'
            f"mailboxes = [{mailboxes}]\nown_domains = [{DOMAINS}]\n"
            f'base_url = "{server.url}/v1.0"\nlogin_url = "{server.url}"\n',
            {"client_secret": CLIENT_SECRET},
            lambda: server.errors,
        )


CASE = Case("msgraph", serve)
