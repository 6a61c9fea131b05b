"""Stripe: customers, quotes, subscriptions, invoices with every line, money in and back.

Data flow:
    GET /v1/<kind>            -> raw.stripe__<kind>, whole on the first load
    GET /v1/events            -> what changed since
    GET /v1/<kind>/<id>       -> raw.stripe__<kind>, fresh and in the pinned version
    GET /v1/<kind>/<id>/lines -> raw.stripe__<kind>_line_items, where ten are not all
    no events                 -> ledgers.py: balance transactions, payment records

Vendor rules and their evidence: docs/sources/stripe.md.
"""

from connectors.base.errors import AccessDenied, SourceError
from connectors.base.stream import Connector, ScopeReport, Stream
from connectors.stripe.kinds import BALANCE_TRANSACTIONS, KINDS
from connectors.stripe.ledgers import (
    read_balance_transactions,
    read_customer_balances,
    read_payment_records,
)
from connectors.stripe.reader import SWEEP, list_ids, read_kind
from connectors.stripe.session import Session, open_account
from connectors.stripe.settings import StripeSettings


async def check(session: Session) -> ScopeReport:
    """Ask each list for its first page: a restricted key does not tell its rights."""
    granted: list[str] = []
    missing: dict[str, tuple[str, ...]] = {}
    rights = {kind.name: (kind.path, kind.right) for kind in (*KINDS, BALANCE_TRANSACTIONS)}
    rights["(changes)"] = ("/v1/events", "Events")
    for name, (path, right) in rights.items():
        try:
            async for _ in session.pages(path):
                break
        except AccessDenied as error:
            if error.whole_source:
                raise
            missing[name] = (f"{right} (read)",)
        except SourceError as error:
            missing[name] = (str(error),)
        else:
            granted.append(right)
    key = session.settings.api_key.get_secret_value()
    notes = []
    if key.startswith("sk_"):
        notes.append("a secret key may also write; use a restricted key with read rights")
    if session.settings.is_live:
        mode = "live"
    else:
        mode = "test"
        notes.append("this is the test world: its money is not real and its limits are lower")
    account = session.settings.account
    named = "account" if account is None else f"connected account {account}"
    return ScopeReport(
        f"Stripe {named} in {mode} mode",
        tuple(dict.fromkeys(granted)),
        missing,
        ("write",) if key.startswith("sk_") else (),
        tuple(notes),
    )


CONNECTOR = Connector(
    source="stripe",
    title="Stripe",
    starter="# api_key comes from {variable}__API_KEY or {variable}__API_KEY_FILE\n",
    steps=(
        "In the Stripe dashboard open Developers > API keys > Create restricted key.",
        "Set the resources named below to Read and leave all others at None.",
        "Put the rk_ key into the environment, or into a file that only pipeledger may read.",
    ),
    settings=StripeSettings,
    streams=(
        *(
            Stream(
                kind.name,
                f"Every {kind.object.replace('_', ' ')} of the account.",
                read=read_kind,
                list_ids=list_ids if kind.can_vanish else None,
                sweep_every=SWEEP,
                scopes=(f"{kind.right}: read", "Events: read"),
            )
            for kind in KINDS
        ),
        Stream(
            "invoice_line_items",
            "Lines of invoices that have more than the ten that an invoice shows.",
            parent="invoices",
        ),
        Stream(
            "credit_note_line_items",
            "Lines of credit notes that have more than the ten that a note shows.",
            parent="credit_notes",
        ),
        Stream(
            "quote_line_items",
            "Every line of every quote.",
            parent="quotes",
        ),
        Stream(
            "subscription_items",
            "Items of subscriptions that have more than a subscription shows.",
            parent="subscriptions",
        ),
        Stream(
            "payment_records",
            "Payments of invoices that reached the company outside Stripe.",
            read=read_payment_records,
            scopes=("Invoices: read", "Payment Records: read"),
        ),
        Stream(
            "balance_transactions",
            "The account's ledger: fees, settled amounts, rates.",
            read=read_balance_transactions,
            scopes=("Balance transactions: read",),
        ),
        Stream(
            "customer_balance_transactions",
            "Changes of customers' credit balances.",
            read=read_customer_balances,
            scopes=("Customers: read",),
        ),
    ),
    open=open_account,
    check=check,
)
