"""The deals: 4 000 of them, each with one plan, so that each trouble can be counted.

A plan is the one uncommon thing that happens to a deal. Skipped and backward stages
and pushed close dates happen to any deal, as in life.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sandbox.company import journeys
from sandbox.company.accounts import Customers
from sandbox.company.clock import (
    DAY,
    HOUR,
    MINUTE,
    START,
    business_date,
    local,
    midnight,
    quarter,
    quarter_bounds,
)
from sandbox.company.model import BULK, MACHINE, MERGE, Account, Alias, Deal, Edit, World
from sandbox.company.names import CHANNELS, JUNK_LOSS_REASONS, LOSS_REASONS
from sandbox.company.people import (
    BY_EMAIL,
    BY_OWNER,
    UNKNOWN_OWNER_ID,
    Rep,
    boss_of,
    mail,
    sellers,
)
from sandbox.company.pipelines import NEW_BUSINESS, RENEWALS, STAGES, Pipeline

PLANS = {
    "lost_then_won": 30,
    "won_then_reopened_open": 14,
    "won_then_reopened_lost": 8,
    "won_then_reopened_won": 8,
    "pass_through": 70,
    "zero_amount": 24,
    "null_amount": 34,
    "amount_edited_after_won": 40,
    "currency_changed": 20,
    "null_currency": 26,
    "no_close_date": 24,
    "pushed_and_back_same_day": 22,
    "close_at_2330_quarter_end": 20,
    "won_late_evening_quarter_end": 10,
    "pipeline_switched": 6,
    "unknown_owner": 4,
    "no_owner": 4,
    "left_behind": 11,
    "merged_deals": 28,
    "merge_of_merges_deals": 4,
    "deleted": 26,
    "deleted_won": 6,
    "duplicate": 22,
    "stalled": 56,
    "stalled_but_touched": 20,
    "old_but_alive": 16,
    "rotting": 24,
    "ghosted": 24,
    "ghosted_cold": 20,
    "solo_won": 150,
    "solo_lost": 30,
}
"""Deals per plan at scale 1; the rest are plain. A duplicate is a pair."""

HEALTH = {
    "stalled": (70, 290),
    "stalled_but_touched": (75, 140),
    "old_but_alive": (75, 120),
    "rotting": (34, 36),
    "ghosted": (20, 22),
    "ghosted_cold": (115, 160),
}
"""Days ago at which such a deal entered its stage."""


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

    # --- plans -------------------------------------------------------------

    def planned(self, plan: str) -> Iterator[Deal]:
        """The deals of one plan: one, or two where the plan needs a pair."""
        if plan in HEALTH:
            yield self._unwell(plan)
        elif plan.startswith(("lost_then", "won_then")):
            yield self._reopened(plan)
        elif plan in {"merged_deals", "merge_of_merges_deals", "duplicate"}:
            yield from self._doubled(plan)
        elif plan.startswith("solo"):
            created = self.created(150)
            account = self.customers.account(created - 30 * DAY, solo=True)
            outcome = plan.removeprefix("solo_")
            yield self.make(self.pipeline(), outcome, created, account=account)
        else:
            yield self._marked(plan)

    def _unwell(self, plan: str) -> Deal:
        """An open deal that entered its stage a given time ago, alone at its company."""
        rng = self.rng
        since, until = HEALTH[plan]
        pipeline = self.pipeline()
        entered = journeys.office_time(rng, self.world.today - rng.randint(since, until) * DAY)
        stages = pipeline.open_stages
        place = rng.randint(1, len(stages) - 2)
        path = [(entered, stages[place].id)]
        while place > 0:
            place -= rng.choice((1, 1, 1, 2)) if place > 1 else 1
            earlier = path[0][0] - journeys.stay(rng)
            path.insert(0, (min(journeys.office_time(rng, earlier), earlier), stages[place].id))
        created = path[0][0]
        account = self.customers.account(created - 20 * DAY, quiet=True, people=1)
        deal = self.make(
            pipeline, "won", created, account=account, path=path, overdue=plan != "old_but_alive"
        )
        deal.health = plan
        return deal

    def _reopened(self, plan: str) -> Deal:
        """Lost and yet won; or won, and taken up again in the next quarter."""
        rng = self.rng
        first = "lost" if plan.startswith("lost") else "won"
        while True:
            deal = self.finished(first, 420)
            user, closed = deal.stages[-1].by, deal.stages[-1].at
            if closed < self.world.today - 220 * DAY:
                break
        stages = deal.pipeline.open_stages
        if first == "lost":
            again = closed + rng.randint(20, 80) * DAY
        else:
            _, last_day = quarter_bounds(quarter(business_date(closed)))
            again = midnight(last_day) + rng.randint(4, 60) * DAY
        if plan.endswith("_open"):
            # Still open today, so it is taken up again only lately.
            again = self.world.today - rng.randint(12, 40) * DAY
        again = journeys.office_time(rng, again)
        deal.stages.append(Edit(again, stages[-2].id, user))
        deal.closes.append(Edit(again + MINUTE, midnight(business_date(again + 50 * DAY)), user))
        deal.loss_reason = None if plan != "won_then_reopened_lost" else rng.choice(LOSS_REASONS)
        if not plan.endswith("_open"):
            at = journeys.office_time(rng, again + rng.randint(3, 30) * DAY)
            end = deal.pipeline.lost if plan.endswith("_lost") else deal.pipeline.won
            deal.stages.append(Edit(at, end.id, user))
            deal.closes.append(Edit(at + 40, at, user, "CALCULATED"))
        else:
            deal.health = "healthy"
        self._keep_employed(deal)
        return deal

    def _keep_employed(self, deal: Deal) -> None:
        """Nobody closes deals after leaving: hand over before the next move."""
        owner = deal.owners[-1]
        rep = BY_OWNER[owner.value]
        if rep.left_on and deal.stages[-1].at > midnight(rep.left_on):
            at = max(midnight(rep.left_on) - 2 * DAY, owner.at + HOUR)
            heirs = [heir for heir in sellers(rep.rows[-1].team, at) if not heir.left_on]
            deal.owners.append(Edit(at, self.rng.choice(heirs).owner_id, None, BULK))

    def _doubled(self, plan: str) -> Iterator[Deal]:
        """One deal entered twice: merged away later, or left as a duplicate."""
        rng = self.rng
        if plan == "duplicate":
            first = self.still_open()
            at, user = first.created + 2 * DAY, first.amounts[0].by
            twin = replace(
                first,
                name=f"{first.name} (2)",
                created=at,
                stages=[replace(first.stages[0], at=at)],
                pipelines=[replace(first.pipelines[0], at=at)],
                amounts=[Edit(at, first.amount, user)],
                closes=[replace(first.closes[0], at=at)],
                owners=[Edit(at, first.owners[-1].value, user)],
                currencies=[replace(first.currencies[0], at=at)],
                tags={"duplicate"},
                lines=[],
                quotes=[],
                merged_ids=[],
            )
            first.tags.add("duplicate")
            yield first
            yield twin
            return
        deal = self.finished(rng.choice(("won", "lost")), 200)
        deal.tags.add(plan)
        yield deal

    def _marked(self, plan: str) -> Deal:
        maker = getattr(self, f"_plan_{plan}")
        deal: Deal = maker()
        return deal

    def _plan_pass_through(self) -> Deal:
        pipeline = self.pipeline()
        created = self.created(200)
        path = journeys.walk(self.rng, pipeline, created, self.rng.choice(("won", "lost")))
        dragged = journeys.drag(self.rng, pipeline, path)
        deal = self.make(pipeline, "won", created, path=dragged)
        stays = zip(deal.stages, deal.stages[1:], strict=False)
        if all(after.at - before.at >= MINUTE for before, after in stays):
            deal.tags.add("plain")
        return deal

    def _plan_zero_amount(self) -> Deal:
        deal = self.plain()
        deal.amounts = [Edit(deal.created, Decimal(0), deal.stages[0].by)]
        return deal

    def _plan_null_amount(self) -> Deal:
        deal = self.plain() if self.rng.random() < 0.9 else self.finished("won")
        deal.amounts = [Edit(deal.created, None, deal.stages[0].by)]
        return deal

    def _plan_amount_edited_after_won(self) -> Deal:
        deal = self.finished("won", 200)
        booked, at = deal.booked, deal.stages[-1].at
        later = journeys.office_time(self.rng, at + self.rng.randint(3, 40) * DAY)
        value = journeys.changed_amount(self.rng, booked or Decimal(5_000), deal.currency)
        deal.amounts.append(Edit(later, value, deal.stages[-1].by))
        return deal

    def _plan_currency_changed(self) -> Deal:
        while True:
            deal = self.plain()
            if len(deal.stages) > 1 and "owner_changed" not in deal.tags:
                break
        before = "USD" if deal.currency == "EUR" else "EUR"
        deal.currencies[0].value = before
        at = (deal.stages[0].at + deal.stages[1].at) // 2
        after = "EUR" if before == "USD" else "USD"
        deal.currencies.append(Edit(at, after, deal.stages[0].by))
        # Yen amounts would read as millions of euro.
        for edit in deal.amounts:
            if edit.value is not None and edit.value > 200_000:
                edit.value = edit.value / 200
                edit.value = edit.value.quantize(Decimal("0.01"))
        return deal

    def _plan_null_currency(self) -> Deal:
        while True:
            deal = self.plain()
            if deal.currency == "EUR":
                break
        deal.currencies[0].value = None
        return deal

    def _plan_no_close_date(self) -> Deal:
        deal = self.still_open()
        deal.closes = [Edit(deal.created, None, deal.stages[0].by)]
        return deal

    def _plan_pushed_and_back_same_day(self) -> Deal:
        deal = self.still_open()
        last = deal.closes[-1]
        day = business_date(max(last.at, deal.stages[-1].at) + 2 * DAY)
        morning = local(day, 9, 12)
        if morning + 5 * HOUR < self.end_of_history:
            user = deal.stages[-1].by
            deal.closes.append(Edit(morning, last.value + 100 * DAY, user))
            deal.closes.append(Edit(morning + 4 * HOUR, last.value, user))
        else:
            deal.tags.add("plain")
        return deal

    def _plan_close_at_2330_quarter_end(self) -> Deal:
        deal = self.still_open()
        today = quarter(business_date(self.world.today))
        _, last_day = quarter_bounds(today)
        deal.closes.append(
            Edit(deal.closes[-1].at + HOUR, local(last_day, 23, 30), deal.stages[-1].by)
        )
        return deal

    def _plan_won_late_evening_quarter_end(self) -> Deal:
        """Won at 23:30 in Berlin on the last day of a fiscal quarter: 21:30 or 22:30 UTC."""
        deal = self.finished("won", 200)
        _, last_day = quarter_bounds(quarter(business_date(deal.stages[-1].at)))
        at = local(last_day, 23, 30) + self.rng.randint(0, 20) * MINUTE
        if at > self.end_of_history:
            deal.tags.add("plain")
            return deal
        deal.stages[-1].at = at
        deal.closes.append(Edit(at + 40, at, deal.stages[-1].by, "CALCULATED"))
        self._keep_employed(deal)
        return deal

    def _plan_pipeline_switched(self) -> Deal:
        deal = self.make(NEW_BUSINESS, "won", self.created(120, 300))
        at, user = deal.stages[1].at, deal.stages[0].by
        deal.stages = [deal.stages[0], Edit(at, RENEWALS.stages[1].id, user)]
        deal.pipelines.append(Edit(at, RENEWALS.id, user))
        end = journeys.office_time(self.rng, at + 12 * DAY)
        deal.stages.append(Edit(end, RENEWALS.won.id, user))
        deal.closes = [deal.closes[0], Edit(end + 40, end, user, "CALCULATED")]
        deal.amounts, deal.owners = deal.amounts[:1], deal.owners[:1]
        deal.amounts[0].value = deal.amounts[0].value or Decimal(7_500)
        deal.loss_reason, deal.health = None, None
        deal.tags.discard("owner_changed")
        self._keep_employed(deal)
        return deal

    def _plan_unknown_owner(self) -> Deal:
        deal = self.plain()
        deal.owners = [Edit(deal.created, UNKNOWN_OWNER_ID, None, MACHINE)]
        deal.tags.discard("owner_changed")
        return deal

    def _plan_no_owner(self) -> Deal:
        deal = self.plain()
        deal.owners = [Edit(deal.created, None, None, MACHINE)]
        deal.tags.discard("owner_changed")
        return deal

    def _plan_left_behind(self) -> Deal:
        """Open today and still in the name of somebody who left."""
        local_part, left_on = self.rng.choice(
            (("nora.berg", date(2026, 9, 1)), ("joris.maes", date(2026, 4, 1)))
        )
        rep = BY_EMAIL[mail(local_part)]
        team = rep.rows[-1].team
        accounts = [one for one in self.market if one.country.team == team]
        created = journeys.office_time(self.rng, midnight(left_on) - 20 * DAY)
        stages = NEW_BUSINESS.open_stages
        path = [(created, stages[0].id), (created + 6 * DAY, stages[1].id)]
        account = self.rng.choice([one for one in accounts if one.created < created])
        deal = self.make(NEW_BUSINESS, "won", created, account=account, path=path)
        deal.owners = [Edit(created, rep.owner_id, rep.user_id)]
        return deal

    def _plan_deleted(self) -> Deal:
        deal = self.plain()
        since = max(self.world.today - 80 * DAY, deal.stages[-1].at + DAY)
        deal.archived_at = min(since + self.rng.randint(0, 30) * DAY, self.end_of_history)
        return deal

    def _plan_deleted_won(self) -> Deal:
        deal = self.finished("won", 250)
        deal.archived_at = self.world.today - self.rng.randint(5, 80) * DAY
        return deal


def run_sales(world: World, customers: Customers) -> None:
    """Fill the world with its deals, about 4 000 at scale 1, ids in order of creation."""
    desk = DealDesk(world, customers)
    deals: list[Deal] = []
    for plan, count in PLANS.items():
        for _ in range(max(2, round(count * world.scale))):
            for deal in desk.planned(plan):
                deal.tags.add(plan)
                deals.append(deal)
    target = round(4_000 * world.scale)
    while len(deals) < target:
        deals.append(desk.plain())
    deals.sort(key=lambda deal: deal.created)
    for deal in deals:
        deal.id = world.next_id("deals")
        if deal.status == "won" and desk.rng.random() < 0.3:
            desk.po_number += desk.rng.randint(1, 9)
            deal.po_number = f"PO-{desk.po_number}"
    world.deals = deals
    _merge_deals(world, desk.rng)
    for deal in deals:
        if "plain" not in deal.tags:
            for tag in sorted(deal.tags):
                world.mark(tag, deal.id)


def _merge_deals(world: World, rng: random.Random) -> None:
    for deal in world.deals:
        times = 2 if "merge_of_merges_deals" in deal.tags else 1
        if not deal.tags & {"merged_deals", "merge_of_merges_deals"}:
            continue
        for turn in range(times):
            loser, primary = world.next_id("merged_deals"), deal.id
            at = min(deal.stages[-1].at + (2 + 5 * turn) * DAY, world.today - (15 - turn) * HOUR)
            world.aliases.append(Alias("deals", loser, primary, at, replace(deal, id=loser)))
            deal.merged_ids.append(loser)
            if times == 2 or rng.random() < 0.5:
                # The merged record gets a new id, so the first one is gone as well.
                deal.id = world.next_id("merged_deals")
                world.aliases[-1].survivor = deal.id
                world.aliases.append(
                    Alias("deals", primary, deal.id, at, replace(deal, id=primary))
                )
                deal.merged_ids.append(primary)
            deal.touched = max(deal.touched, at)
            deal.amounts.append(Edit(at, deal.amount, None, MERGE))
