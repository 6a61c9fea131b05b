"""How an ordinary deal comes about: who sells what to whom, and how it goes.

Skipped and backward stages and pushed close dates happen to any deal, as in life. The
rare troubles are in ``troubles``.
"""

import random

from sandbox.company import journeys
from sandbox.company.accounts import Customers
from sandbox.company.clock import (
    DAY,
    HOUR,
    START,
    business_date,
    midnight,
)
from sandbox.company.model import BULK, Account, Deal, Edit, World
from sandbox.company.names import CHANNELS, JUNK_LOSS_REASONS, LOSS_REASONS
from sandbox.company.people import (
    BY_OWNER,
    Rep,
    boss_of,
    sellers,
)
from sandbox.company.pipelines import NEW_BUSINESS, RENEWALS, STAGES, Pipeline


class DealDesk:
    """Makes deals of a plan; all draws come from one random source."""

    def __init__(self, world: World, customers: Customers) -> None:
        self.world = world
        self.customers = customers
        self.rng = random.Random(f"{world.seed}:deals")
        self.end_of_history = world.today - 14 * HOUR
        self.market = list(world.accounts)
        self.po_number = 40_000

    # --- who and where -----------------------------------------------------

    def _account(self, created: int) -> Account:
        for _ in range(20):
            account: Account = self.rng.choice(self.market)
            if account.created <= created - HOUR:
                return account
        return self.market[0]

    def _seller(self, pipeline: Pipeline, account: Account, at: int) -> Rep:
        team = "renewals" if pipeline is RENEWALS else account.country.team
        return self.rng.choice(sellers(team, at))

    def _hand_over(self, deal: Deal) -> None:
        """Give the deals of people who leave to a colleague, before anything else happens."""
        rep = BY_OWNER[deal.owners[0].value]
        while rep.left_on and deal.stages[-1].at >= midnight(rep.left_on) - 2 * DAY:
            at = midnight(rep.left_on) - self.rng.randint(1, 3) * DAY + 9 * HOUR
            boss = boss_of(rep, at)
            team = "renewals" if deal.pipeline is RENEWALS else deal.account.country.team
            heirs = [heir for heir in sellers(team, midnight(rep.left_on)) if heir is not rep]
            rep = self.rng.choice(heirs)
            at = max(at, deal.owners[-1].at + HOUR)
            deal.owners.append(Edit(at, rep.owner_id, boss.user_id, BULK))
        if (
            len(deal.owners) == 1
            and self.rng.random() < 0.06
            and deal.stages[-1].at - deal.created > 20 * DAY
        ):
            at = journeys.office_time(self.rng, (deal.created + deal.stages[-1].at) // 2)
            own_team = rep.team(business_date(at)) or ""
            heirs = [heir for heir in sellers(own_team, at) if not heir.left_on]
            if heirs and at < deal.stages[-1].at - HOUR:
                heir = self.rng.choice(heirs)
                if heir is not rep:
                    deal.owners.append(Edit(at, heir.owner_id, boss_of(rep, at).user_id))
                    deal.tags.add("owner_changed")

    # --- one deal ----------------------------------------------------------

    def make(
        self,
        pipeline: Pipeline,
        outcome: str,
        created: int,
        *,
        account: Account | None = None,
        path: list[tuple[int, str]] | None = None,
        overdue: bool = False,
    ) -> Deal:
        """A deal that goes its way until the end or until today, whichever is first."""
        rng = self.rng
        account = account or self._account(created)
        path = path or journeys.walk(rng, pipeline, created, outcome)
        path = [step for step in path if step[0] <= self.end_of_history]
        rep = self._seller(pipeline, account, created)
        by = rep.user_id
        ended = STAGES[path[-1][1]].kind != "open"
        end = path[-1][0] if ended else self.end_of_history - 6 * DAY
        if overdue:
            end = path[-1][0]
        currency = account.country.currency
        if rng.random() < 0.08:
            currency = rng.choice(("EUR", "USD"))
        closes = journeys.close_dates(rng, created, end, by, overdue=overdue)
        if ended and rng.random() < 0.85:
            closes.append(Edit(end + 40, end, by, "CALCULATED"))
        suffix = " - Verlängerung" if account.country.language == "de" else " renewal"
        product = rng.choice(("Platform", "Analytics", "Suite", "Connect"))
        name = f"{account.name} - {product}"
        deal = Deal(
            id="",
            name=name + suffix if pipeline is RENEWALS else name,
            account=account,
            contacts=rng.sample(account.contacts, rng.randint(1, min(2, len(account.contacts)))),
            created=created,
            stages=[Edit(at, stage, by) for at, stage in path],
            pipelines=[Edit(created, pipeline.id, by)],
            amounts=journeys.amounts(rng, created, end, currency, by),
            closes=closes,
            owners=[Edit(created, rep.owner_id, by)],
            currencies=[Edit(created, currency, by)],
            channel=rng.choice(CHANNELS),
        )
        if path[-1][1] == pipeline.lost.id and rng.random() < 0.95:
            junk = rng.random() < 0.04
            deal.loss_reason = rng.choice(JUNK_LOSS_REASONS if junk else LOSS_REASONS)
        self._hand_over(deal)
        if deal.status == "open":
            deal.health = "healthy" if created < self.world.today - 6 * DAY else "new"
        return deal

    def created(self, latest_days_ago: int = 1, earliest_days_ago: int = 1_090) -> int:
        """A creation instant in office hours; the market grows a little every year."""
        oldest = max(START, self.world.today - earliest_days_ago * DAY)
        newest = self.world.today - latest_days_ago * DAY
        at = oldest + int((newest - oldest) * self.rng.random() ** 0.9)
        return min(journeys.office_time(self.rng, at), self.end_of_history - DAY)

    def pipeline(self) -> Pipeline:
        """New business for three of four."""
        return NEW_BUSINESS if self.rng.random() < 0.72 else RENEWALS

    def plain(self) -> Deal:
        """A deal like most."""
        pipeline = self.pipeline()
        chance = 0.37 if pipeline is NEW_BUSINESS else 0.7
        outcome = "won" if self.rng.random() < chance else "lost"
        return self.make(pipeline, outcome, self.created())

    def finished(self, outcome: str, latest_days_ago: int = 330) -> Deal:
        """A deal whose journey is over."""
        while True:
            deal = self.make(self.pipeline(), outcome, self.created(latest_days_ago))
            if deal.status == outcome:
                return deal

    def still_open(self) -> Deal:
        """A deal that runs today, in good health."""
        while True:
            deal = self.make(self.pipeline(), "won", self.created(25, 70))
            if deal.status == "open":
                return deal
