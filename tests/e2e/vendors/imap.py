"""The company's mailboxes over IMAP, a connection each."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.company import Company
from sandbox.demo import PASSWORD, mailbox_name
from sandbox.imap import Box, ImapServer, Mailbox
from tests.e2e.vendors import Case, Served
from tests.e2e.vendors.letters import DOMAINS, lying

STORES_BODIES = "taro.inoue@nordlicht-jp.example"
"""The one mailbox whose text is stored; much of it is Japanese."""
MARKS = {"sent": "\\Sent", "archive": "\\Archive", "trash": "\\Trash"}


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """A server for each mailbox."""
    boxes: dict[str, Mailbox] = {}
    for one in lying(company):
        box = boxes.setdefault(one.mailbox, Mailbox(one.mailbox, PASSWORD, boxes={"INBOX": Box()}))
        name = "INBOX" if one.place == "inbox" else one.place.title()
        if one.place in MARKS:
            box.boxes.setdefault(name, Box((MARKS[one.place],)))
        box.append(one.raw, folder=name, arrived=one.arrived)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        secret = Path(folder) / "password"
        secret.touch(0o600)
        secret.write_text(PASSWORD)
        servers = {
            address: stack.enter_context(ImapServer(mailbox)) for address, mailbox in boxes.items()
        }
        yield Served(
            "".join(
                f"[sources.imap.{mailbox_name(address)}]\n"
                f'host = "{server.host}"\nport = {server.port}\nsecurity = "plain"\n'
                f'username = "{address}"\npassword_file = "{secret.as_posix()}"\n'
                f"own_domains = [{DOMAINS}]\n"
                f"store_bodies = {str(address == STORES_BODIES).lower()}\n"
                for address, server in servers.items()
            )
        )


CASE = Case("imap", serve)
