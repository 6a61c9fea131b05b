"""Deals with a plan: the one uncommon thing that happens to each, so that it can be counted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sandbox.company import journeys
from sandbox.company.clock import (
    DAY,
    HOUR,
    MINUTE,
    business_date,
    local,
    midnight,
    quarter,
    quarter_bounds,
)
from sandbox.company.deals import DealDesk
from sandbox.company.model import BULK, MACHINE, Deal, Edit
from sandbox.company.names import LOSS_REASONS
from sandbox.company.people import (
    BY_EMAIL,
    BY_OWNER,
    UNKNOWN_OWNER_ID,
    mail,
    sellers,
)
from sandbox.company.pipelines import NEW_BUSINESS, RENEWALS

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


class TroubleDesk(DealDesk):
    """Makes deals of a plan."""

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
        if deal.amount and rng.random() < 0.4:
            # A machine's edit is no touch: the deal stays as unwell as it is.
            nudged = deal.amount + (1_000 if deal.currency == "JPY" else 10)
            at = self.world.today - 3 * DAY + rng.randint(0, 3_600) * 1_000
            deal.amounts.append(Edit(at, nudged, None, MACHINE))
            deal.tags.add("edited_by_machine")
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
