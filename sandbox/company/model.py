"""The company as it really is, before any vendor shows it in its own shape.

The generators fill a ``World``; ``hubspot``, ``stripe``, ``mail`` and ``files`` render
it as the vendors would, and ``truth`` counts it. Whatever a test expects of the
warehouse is read from here, never from a vendor's JSON.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.company.clock import business_date
from sandbox.company.money import HOME, Rates
from sandbox.company.names import Country
from sandbox.company.pipelines import PIPELINE_OF_STAGE, STAGES, Pipeline, Stage

if TYPE_CHECKING:
    from sandbox.company.goods import Goods
    from sandbox.company.ledger import Books

FIRST_IDS = {
    "companies": 9_001_000_000,
    "contacts": 151_000_000_000,
    "deals": 18_005_550_000,
    "merged_deals": 18_990_000_000,
    "leads": 402_110_000_000,
    "line_items": 23_400_000_000,
    "quotes": 30_800_000_000,
    "activities": 55_000_000_000,
}
PERSON = "CRM_UI"
BULK = "CRM_UI_BULK_ACTION"
MACHINE = "INTEGRATION"
MERGE = "MERGE_OBJECTS"


@dataclass(slots=True)
class Edit:
    """A value that a field took: when, by which HubSpot user, through which door."""

    at: int
    value: Any
    by: int | None
    source: str = PERSON


@dataclass(slots=True)
class Account:
    """A company of the CRM. ``quiet``: no mail but what its one deal calls for."""

    id: str
    name: str
    domain: str
    country: Country
    created: int
    industry: str
    quiet: bool = False
    solo: bool = False
    contacts: list["Contact"] = field(default_factory=list)
    merged_ids: list[str] = field(default_factory=list)
    modified: int = 0


@dataclass(slots=True)
class Contact:
    """A person at a customer. ``ascii_name`` is for addresses."""

    id: str
    given: str
    family: str
    email: str
    account: Account
    created: int
    owner_id: str | None
    title: str
    merged_ids: list[str] = field(default_factory=list)
    old_emails: list[str] = field(default_factory=list)
    modified: int = 0
    lifecycle: str = "lead"


@dataclass(slots=True)
class Line:
    """A line item of a deal or a quote: ``amount`` is net, after discount."""

    id: str
    product: int
    quantity: int
    price: Decimal
    amount: Decimal
    created: int


@dataclass(slots=True)
class Quote:
    """A quote sent to the customer; ``stripe_id`` where billing drew it up too."""

    id: str
    number: str
    status: str
    amount: Decimal
    created: int
    expires: int
    stripe_id: str | None = None


@dataclass(slots=True)
class Deal:
    """A deal and every edit to its tracked fields, oldest first."""

    id: str
    name: str
    account: Account
    contacts: list[Contact]
    created: int
    stages: list[Edit]
    pipelines: list[Edit]
    amounts: list[Edit]
    closes: list[Edit]
    owners: list[Edit]
    currencies: list[Edit]
    channel: str
    tags: set[str] = field(default_factory=set)
    loss_reason: str | None = None
    health: str | None = None
    archived_at: int | None = None
    merged_ids: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    po_number: str | None = None
    touched: int = 0
    """Last edit of anything else, for hs_lastmodifieddate."""

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline of today."""
        return PIPELINE_OF_STAGE[self.stages[-1].value]

    @property
    def stage(self) -> Stage:
        """The stage of today."""
        return STAGES[self.stages[-1].value]

    @property
    def status(self) -> str:
        """``open``, ``won`` or ``lost``, by the kind of the stage."""
        return self.stage.kind

    @property
    def currency(self) -> str:
        """The ISO code; the company's own where the deal names none."""
        return self.currencies[-1].value or HOME

    @property
    def amount(self) -> Decimal | None:
        """The net amount of today; None where nobody entered one."""
        value: Decimal | None = self.amounts[-1].value
        return value

    @property
    def closed_at(self) -> int | None:
        """When it entered today's won or lost stage; None while open."""
        return None if self.status == "open" else self.stages[-1].at

    @property
    def wins(self) -> list[int]:
        """Every entry to a won stage."""
        return [edit.at for edit in self.stages if STAGES[edit.value].kind == "won"]

    def at(self, edits: list[Edit], moment: int) -> Any:
        """The value that a field had at an instant; the first one before that."""
        value = edits[0].value
        for edit in edits:
            if edit.at > moment:
                break
            value = edit.value
        return value

    @property
    def booked(self) -> Decimal | None:
        """The amount at the latest win; None if never won or without amount."""
        wins = self.wins
        return self.at(self.amounts, wins[-1]) if wins else None

    @property
    def probability(self) -> str:
        """The stage's probability, now and then overruled by hand while open."""
        by_hand = self.status == "open" and int(self.id) % 17 == 0
        return "0.55" if by_hand else self.stage.probability

    @property
    def forecast_category(self) -> str | None:
        """What a person chose: None leaves it to the stage. Nothing is omitted."""
        if self.status != "open" or int(self.id) % 2:
            return None
        share = self.stage.order / len(self.pipeline.open_stages)
        return "COMMIT" if share == 1 else "BEST_CASE" if share > 0.6 else "PIPELINE"

    @property
    def modified(self) -> int:
        """The latest edit of any kind."""
        histories = (self.stages, self.pipelines, self.amounts, self.closes, self.owners)
        return max(self.touched, *(edits[-1].at for edits in (*histories, self.currencies)))


@dataclass(slots=True)
class Lead:
    """A HubSpot lead; ``deal`` when it was converted."""

    id: str
    contact: Contact
    created: int
    owner_id: str
    channel: str
    stages: list[Edit]
    kind: str
    deal: Deal | None = None
    archived_at: int | None = None


@dataclass(slots=True)
class Activity:
    """An e-mail, call, meeting, task or note that the CRM holds.

    ``direction`` is in, out or internal; ``done`` is False for what lies ahead.
    ``message_id`` ties a logged e-mail to the same message in the mailboxes.
    """

    id: str
    kind: str
    at: int
    direction: str
    owner_id: str
    deal: Deal | None
    contact: Contact
    subject: str
    done: bool = True
    message_id: str | None = None
    reply_to: str | None = None
    thread: str | None = None
    created: int = 0
    archived_at: int | None = None


@dataclass(slots=True)
class Alias:
    """A record that was merged away: kind is deals, contacts or companies."""

    kind: str
    loser: str
    survivor: str
    at: int
    snapshot: Any = None


@dataclass(slots=True)
class World:
    """Everything that is so at ``today``; ``rates`` reach to the day before it."""

    seed: int
    scale: float
    today: int
    rates: Rates
    accounts: list[Account] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    books: "Books" = field(default=None)  # type: ignore[assignment]  # billing runs late
    goods: "Goods" = field(default=None)  # type: ignore[assignment]  # delivery runs last
    mess: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Kind of trouble -> ids of the records that have it."""
    last_ids: dict[str, int] = field(default_factory=lambda: dict(FIRST_IDS))
    id_steps: dict[str, random.Random] = field(default_factory=dict)

    def next_id(self, kind: str) -> str:
        """A fresh id of HubSpot's form: ascending digits with gaps."""
        if kind not in self.id_steps:
            self.id_steps[kind] = random.Random(f"{self.seed}:id:{kind}")
        self.last_ids[kind] += self.id_steps[kind].randint(1, 97)
        return str(self.last_ids[kind])

    def mark(self, kind: str, *ids: str) -> None:
        """Tag records with a kind of trouble, so that tests can count it."""
        self.mess[kind].extend(ids)

    def survivor(self, kind: str, record_id: str) -> str:
        """Follow merges to the record that is left."""
        chain = {alias.loser: alias.survivor for alias in self.aliases if alias.kind == kind}
        while record_id in chain:
            record_id = chain[record_id]
        return record_id

    @property
    def live_deals(self) -> list[Deal]:
        """Deals that are neither deleted nor merged away."""
        return [deal for deal in self.deals if deal.archived_at is None]

    def won_home(self, deal: Deal) -> Decimal:
        """The booked amount in euro at the rate of the closing day."""
        wins = deal.wins
        currency = deal.at(deal.currencies, wins[-1]) or HOME
        return self.rates.to_home(deal.booked or Decimal(0), currency, business_date(wins[-1]))
