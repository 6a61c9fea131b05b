"""The company's mailboxes in one Workspace."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.company import Company
from sandbox.gmail import GmailServer
from tests.e2e.vendors import Case, Served
from tests.e2e.vendors.letters import DOMAINS, lying

LABELS = {"inbox": ("INBOX", "UNREAD"), "sent": ("SENT",), "archive": (), "trash": ("TRASH",)}


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """A message lies once in a mailbox; labels say where."""
    with GmailServer() as server:
        for one in lying(company):
            server.post(one.mailbox, one.raw, one.arrived, *LABELS[one.place])
        mailboxes = ", ".join(f'"{address}"' for address in server.mailboxes)
        yield Served(
            f"[sources.gmail.gmail]\nmailboxes = [{mailboxes}]\nown_domains = [{DOMAINS}]\n"
            f'base_url = "{server.url}"\ntoken_url = "{server.url}/token"\n'
            'quota_profile = "legacy"\n',
            {"service_account": server.key_file()},
            lambda: server.errors,
        )


CASE = Case("gmail", serve)
