"""What is true of the company, counted from the world itself and not from any vendor.

The definitions are those of the marts. Where they leave room, this is what is meant:

* Status follows the stage's kind. Archived (deleted) and merged-away deals are in no
  total but in ``deals`` (archived) and ``aliases`` (merged).
* ``amount_home`` is the amount of today: an open deal at the rate of the as-of date, a
  closed one at the rate of its closing date, rounded per deal to the cent. ``won_home``
  is the booked one: the amount (and currency) at the latest win, at the win date's rate.
  Won totals, quota gaps and win rates use the booked one.
* A null amount adds nothing and is counted in ``without_amount``; a null currency is euro.
* Won belongs to the owner at the win and to that person's team on that date. Open belongs
  to the owner of today; the team is that of today, ``unassigned`` for somebody who left.
  An owner nobody knows, or none, is ``unknown``.
* Quota: the version in force at the as-of date; converted at the budget rate of the
  quarter's first day, rounded to the cent. The company's quota is the sum of its users';
  a team with its own quota has that one, another has the sum of its members of the day
  (for past quarters: of the quarter's last day).
* ``touched`` counts stays of 60 seconds and more only; ``touched_any`` counts
  all. Won in a funnel means won today, in the pipeline of today. Cohorts go by the first
  entry to any stage of the pipeline.
* Stage limit: 30 days, or the interpolated 90th percentile of stays that ended in the
  last 365 days, of deals won today, where there are 20 of them and it is longer.
* Invoices: void and draft ones are in no total; by quarter of the issue date. In euro at
  the spot rate of the issue date, credits at the rate of their invoice.
* Billing status also covers deals that were never won but have an invoice, and archived
  deals that were billed. What is not won today has booked 0; a won deal without amount is
  not "booked 0": it is unbilled. No billing schedule is known: all is due after 30 days.
* Payment status, first that fits: disputed (any dispute open or lost), written_off,
  refunded (all money went back), paid (nothing left), part_paid, unpaid (past due),
  not_due; none where nothing is invoiced.
* A lost dispute reopens the balance in ``outstanding_ledger``; ``outstanding`` is what
  Stripe calls remaining on open invoices.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.company.clock import business_date, instant
from sandbox.company.mailboxes import Post
from sandbox.company.model import World
from sandbox.company.truth_mail import EmailTruth, LeadTruth, count_leads, count_mail
from sandbox.company.truth_money import MoneyTruth, count_money
from sandbox.company.truth_sales import SalesTruth, count_sales


@dataclass(slots=True)
class Truth:
    """The ledger at ``as_of``; ids are vendor ids without the connection."""

    as_of: str
    as_of_date: date
    sales: SalesTruth
    money: MoneyTruth
    leads: LeadTruth
    email: EmailTruth
    contacts: int
    companies: int
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    """Record type -> merged-away id -> the id that is left at the end of the chain."""
    mess: dict[str, list[str]] = field(default_factory=dict)
    """Kind of trouble -> ids that have it."""


def count(world: World, post: Post) -> Truth:
    """Count everything at the world's today."""
    aliases: dict[str, dict[str, str]] = {"deals": {}, "contacts": {}, "companies": {}}
    for alias in world.aliases:
        aliases[alias.kind][alias.loser] = world.survivor(alias.kind, alias.loser)
    return Truth(
        as_of=instant(world.today).isoformat().replace("+00:00", "Z"),
        as_of_date=business_date(world.today),
        sales=count_sales(world),
        money=count_money(world),
        leads=count_leads(world),
        email=count_mail(world, post),
        contacts=len(world.contacts),
        companies=len(world.accounts),
        aliases=aliases,
        mess={kind: sorted(ids) for kind, ids in sorted(world.mess.items())},
    )


def plain(value: Any) -> Any:
    """The truth as JSON values: decimals and dates as text, tuple keys joined by a bar."""
    if isinstance(value, dict):
        return {
            "|".join(map(str, key)) if isinstance(key, tuple) else str(key): plain(one)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    if isinstance(value, Decimal | date):
        return str(value)
    if hasattr(value, "__slots__"):
        return {name: plain(getattr(value, name)) for name in value.__slots__}
    return value
