"""The fictional company behind running vendor servers, and settings that reach them.

For the demo and the end-to-end tests: every server is on loopback, every secret is the
sandbox's own and lies in a file of its own, as a user's would.
"""

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.company import Company, build
from sandbox.company.mailboxes import MailFolder
from sandbox.company.people import OWN_DOMAINS
from sandbox.company.pipelines import CATEGORIES, PIPELINE_OF_STAGE
from sandbox.hubspot import STATIC_TOKEN, HubspotServer, HubspotState, Limits
from sandbox.imap import Box, ImapServer, Mail, Mailbox
from sandbox.stripe import TEST_KEY, StripeServer, StripeState

PASSWORD = "sandbox-app-password"  # noqa: S105 - of a mailbox that exists on loopback alone
CLOCK = "2026-10-15T06:00:00Z"


@dataclass(frozen=True, slots=True)
class CompanyServers:
    """The running servers of one company."""

    company: Company
    inbox: Path
    hubspot: HubspotServer
    stripe: StripeServer
    mail: Mapping[str, ImapServer]


@dataclass(frozen=True, slots=True)
class ServedCompany:
    """What a client of the running servers needs: its settings, and their secrets by file."""

    settings: str
    secrets: Mapping[str, str]


SECRETS: Mapping[str, str] = {
    "secrets/hubspot": STATIC_TOKEN,
    "secrets/stripe": TEST_KEY,
    "secrets/mail": PASSWORD,
}
"""The contents of the files that the settings name for their secrets."""


@contextmanager
def served_company(inbox: Path, seed: int, scale: float) -> Iterator[ServedCompany]:
    """The company of a seed behind servers in a process of its own, as vendors are.

    Its files are written to ``inbox``. The servers end with the block, or with this process.

    Raises:
        RuntimeError: the servers did not start.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(inbox, seed, scale, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        try:
            served = ours.recv()
        except EOFError:
            raise RuntimeError("the servers of the fictional company did not start") from None
        yield served
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.terminate()


def _serve(inbox: Path, seed: int, scale: float, pipe: Any) -> None:
    with company_servers(inbox, seed, scale) as servers:
        pipe.send(ServedCompany(settings_text(servers), SECRETS))
        with suppress(EOFError, KeyboardInterrupt):
            pipe.recv()


def mailbox_name(address: str) -> str:
    """The connection's name of a mailbox: ``mail_`` and the local part."""
    return "mail_" + address.split("@", maxsplit=1)[0].replace(".", "_")


@contextmanager
def company_servers(inbox: Path, seed: int, scale: float) -> Iterator[CompanyServers]:
    """Serve the company of a seed; its files are written to ``inbox``."""
    company = build(seed, scale)
    write_files(company, inbox)
    state = HubspotState()
    state.load(company.hubspot)
    with ExitStack() as stack:
        # The vendor allows 190 calls in 10 s; the first load would then take 45 s.
        limits = Limits(per_ten_seconds=10_000)
        hubspot = stack.enter_context(HubspotServer(state, limits=limits))
        account = StripeState()
        account.load(company.stripe)
        stripe = stack.enter_context(StripeServer(account, per_second=1_000))
        mail = {
            address: stack.enter_context(ImapServer(mailbox(address, folders)))
            for address, folders in company.mail.items()
        }
        yield CompanyServers(company, inbox, hubspot, stripe, mail)


def write_files(company: Company, inbox: Path) -> None:
    """Write the spreadsheets; a file whose bytes are right already is left alone.

    They were saved an hour before the company's own clock, which no file may be ahead of.
    """
    saved = (datetime.fromisoformat(CLOCK) - timedelta(hours=1)).timestamp()
    for name, content in company.files.items():
        path = inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
            os.utime(path, (saved, saved))


def mailbox(address: str, folders: Mapping[str, MailFolder]) -> Mailbox:
    """One mailbox of the company as the mail server's state."""
    boxes = {}
    for name, folder in folders.items():
        mails = {
            message.uid: Mail(message.raw, message.arrived, set(message.flags), 1)
            for message in folder.messages
        }
        following = max(mails, default=0) + 1
        boxes[name] = Box(folder.attributes, folder.uidvalidity, following, 1, mails)
    return Mailbox(username=address, password=PASSWORD, boxes=boxes)


def settings_text(servers: CompanyServers) -> str:
    """An ordinary pipeledger.toml that reads the servers and the files."""
    domains = ", ".join(f'"{domain}"' for domain in OWN_DOMAINS)
    parts = [
        f"""# The settings of the demo's fictional company.
clock = "{CLOCK}"

[company]
name = "Nordlicht"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = [{domains}]

[company.fiscal_year]
start_month = 2

[deals]
loss_reasons_excluded = ["Duplicate", "Test"]

[sources.hubspot.hubspot]
base_url = "{servers.hubspot.url}"
token_file = "secrets/hubspot"

[sources.stripe.stripe]
base_url = "{servers.stripe.url}"
api_key_file = "secrets/stripe"
# The sandbox allows more than Stripe, so that the demo is short.
requests_per_second = 400

[sources.files.plan]
folder = "inbox"
settle_seconds = 0
tables.users.path = "users.csv"
tables.quotas.path = "quotas.csv"
tables.fx_rates.path = "fx_rates.csv"
tables.fx_rates.mode = "append"
tables.orders.path = "orders.csv"
tables.order_lines.path = "order_lines.csv"
tables.deliveries.path = "deliveries.csv"
tables.stock.path = "stock.csv"
tables.tickets.path = "tickets.csv"
tables.bills.path = "bills.csv"
tables.bill_payments.path = "bill_payments.csv"

[sources.files.plan.tables.forecast_submissions]
path = "forecast_submissions.csv"
mode = "append"
""",
    ]
    parts += [
        f"""
[sources.imap.{mailbox_name(address)}]
host = "{server.host}"
port = {server.port}
security = "plain"
username = "{address}"
password_file = "secrets/mail"
own_domains = [{domains}]
"""
        for address, server in servers.mail.items()
    ]
    parts += [
        f"""
[[stages]]
connection = "hubspot"
pipeline_id = "{PIPELINE_OF_STAGE[stage].id}"
stage_id = "{stage}"
forecast_category = "{category}"
"""
        for stage, category in CATEGORIES.items()
    ]
    return "".join(parts)
