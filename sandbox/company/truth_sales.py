"""Deals, quotas, funnels, win rates and health, counted deal by deal."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise

from sandbox.company.clock import DAY, MINUTE, business_date, quarter, quarter_bounds
from sandbox.company.model import Deal, World
from sandbox.company.money import HOME, rounded
from sandbox.company.names import JUNK_LOSS_REASONS
from sandbox.company.people import BY_EMAIL, BY_OWNER
from sandbox.company.pipelines import PIPELINE_OF_STAGE, PIPELINES, STAGES
from sandbox.company.plan import make_quotas, periods, quota_in_force

ZERO = Decimal(0)
UNKNOWN = "unknown"
UNASSIGNED = "unassigned"


@dataclass(slots=True)
class DealTruth:
    """One deal as the marts shall show it; money in ``currency``, ``*_home`` in euro."""

    id: str
    status: str
    pipeline: str
    stage: str
    owner: str
    currency: str
    is_currency_assumed: bool
    amount: Decimal | None
    amount_home: Decimal
    probability: Decimal
    weighted_home: Decimal
    booked: Decimal | None
    won_home: Decimal
    won_owner: str | None
    won_team: str | None
    closed_date: date | None
    expected_close: date | None
    n_reopened: int
    is_archived: bool
    days_in_stage: Decimal


@dataclass(slots=True)
class Sum:
    """Deals added up in one currency."""

    count: int = 0
    without_amount: int = 0
    amount: Decimal = ZERO
    amount_home: Decimal = ZERO


@dataclass(slots=True)
class Gap:
    """A scope's quarter, in euro; ``quota`` None where nobody set one."""

    quota: Decimal | None = None
    won: Decimal = ZERO
    won_count: int = 0
    open: Decimal = ZERO
    overdue: Decimal = ZERO
    weighted: Decimal = ZERO

    @property
    def gap(self) -> Decimal | None:
        """Quota less won, negative when passed."""
        return None if self.quota is None else self.quota - self.won


@dataclass(slots=True)
class Quarter:
    """A fiscal quarter: the company, its users and its teams (direct members)."""

    company: Gap = field(default_factory=Gap)
    users: dict[str, Gap] = field(default_factory=dict)
    teams: dict[str, Gap] = field(default_factory=dict)
    lost: int = 0
    lost_home: Decimal = ZERO
    excluded: int = 0
    """Lost for a reason that is no loss (junk)."""


@dataclass(slots=True)
class Funnel:
    """Deals by stage order 1..n and n+1 = won."""

    deals: int = 0
    touched: list[int] = field(default_factory=list)
    touched_any: list[int] = field(default_factory=list)
    reached: list[int] = field(default_factory=list)
    strict: list[int] = field(default_factory=list)


@dataclass(slots=True)
class SalesTruth:
    """Everything about deals."""

    deals: dict[str, DealTruth] = field(default_factory=dict)
    totals: dict[tuple[str, str], Sum] = field(default_factory=dict)
    """(status, currency); won is booked, open and lost the amount of today."""
    quarters: dict[str, Quarter] = field(default_factory=dict)
    no_close_date: Sum = field(default_factory=Sum)
    past_due_other: Decimal = ZERO
    """Open, expected to close before the current quarter."""
    funnels: dict[str, Funnel] = field(default_factory=dict)
    """By pipeline id, all deals."""
    cohorts: dict[tuple[str, str], Funnel] = field(default_factory=dict)
    """By pipeline id and fiscal quarter of the first entry."""
    stage_limits: dict[str, Decimal] = field(default_factory=dict)
    rotting: list[str] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)
    ghosted: list[str] = field(default_factory=list)
    open_ids: list[str] = field(default_factory=list)


def person(owner_id: str | None) -> str:
    """The user key of an owner id."""
    rep = BY_OWNER.get(owner_id or "")
    return rep.email if rep else UNKNOWN


def team_of(user: str, day: date) -> str:
    """A user's team on a day."""
    rep = BY_EMAIL.get(user)
    return (rep.team(day) if rep else None) or UNASSIGNED


def reopenings(deal: Deal) -> int:
    """How often a closed deal was taken up again."""
    kinds = [STAGES[edit.value].kind for edit in deal.stages]
    return sum(a != "open" and b == "open" for a, b in pairwise(kinds))


def true_deal(world: World, deal: Deal) -> DealTruth:
    """One deal."""
    closed_at = deal.closed_at
    closed = business_date(closed_at) if closed_at else None
    amount = deal.amount
    day = closed or business_date(world.today)
    home = ZERO if amount is None else world.rates.to_home(amount, deal.currency, day)
    probability = Decimal(deal.probability)
    won_at = deal.wins[-1] if deal.status == "won" else None
    won_owner = person(deal.at(deal.owners, won_at)) if won_at else None
    close = deal.closes[-1].value
    return DealTruth(
        id=deal.id,
        status=deal.status,
        pipeline=deal.pipeline.id,
        stage=deal.stage.id,
        owner=person(deal.owners[-1].value),
        currency=deal.currency,
        is_currency_assumed=deal.currencies[-1].value is None,
        amount=amount,
        amount_home=home,
        probability=probability,
        weighted_home=rounded(home * probability, HOME),
        booked=deal.booked,
        won_home=world.won_home(deal) if won_at else ZERO,
        won_owner=won_owner,
        won_team=team_of(won_owner, day) if won_owner else None,
        closed_date=closed,
        expected_close=None if close is None else business_date(close),
        n_reopened=reopenings(deal),
        is_archived=deal.archived_at is not None,
        days_in_stage=(Decimal(world.today - deal.stages[-1].at) / DAY).quantize(Decimal("0.01")),
    )


def count_sales(world: World) -> SalesTruth:
    """Count all deals at the world's today."""
    found = SalesTruth()
    for period in periods(world.today):
        found.quarters[period] = Quarter()
    for deal in world.deals:
        one = true_deal(world, deal)
        found.deals[one.id] = one
        if not one.is_archived:
            _add(world, found, deal, one)
    _set_quotas(world, found)
    _count_funnels(world, found)
    _judge_health(world, found)
    return found


def _gaps(of: Quarter, user: str, team: str) -> tuple[Gap, Gap, Gap]:
    return of.company, of.users.setdefault(user, Gap()), of.teams.setdefault(team, Gap())


def _add(world: World, found: SalesTruth, deal: Deal, one: DealTruth) -> None:
    today = business_date(world.today)
    booked = one.status == "won"
    amount, home = (one.booked, one.won_home) if booked else (one.amount, one.amount_home)
    total = found.totals.setdefault((one.status, one.currency), Sum())
    total.count += 1
    total.without_amount += amount is None
    total.amount += amount or 0
    total.amount_home += home
    if one.status == "open":
        found.open_ids.append(one.id)
        _add_open(found, one, today)
        return
    assert one.closed_date is not None  # noqa: S101 - a closed deal has a closing date
    of = found.quarters[quarter(one.closed_date)]
    if booked:
        for gap in _gaps(of, one.won_owner or UNKNOWN, one.won_team or UNASSIGNED):
            gap.won += home
            gap.won_count += 1
    elif deal.loss_reason in JUNK_LOSS_REASONS:
        of.excluded += 1
    else:
        of.lost += 1
        of.lost_home += home


def _add_open(found: SalesTruth, one: DealTruth, today: date) -> None:
    if one.expected_close is None:
        found.no_close_date.count += 1
        found.no_close_date.amount_home += one.amount_home
        return
    if one.expected_close < quarter_bounds(quarter(today))[0]:
        found.past_due_other += one.amount_home
    key = quarter(one.expected_close)
    of = found.quarters.setdefault(key, Quarter())
    for gap in _gaps(of, one.owner, team_of(one.owner, today)):
        gap.open += one.amount_home
        gap.weighted += one.weighted_home
        if one.expected_close < today:
            gap.overdue += one.amount_home


def _set_quotas(world: World, found: SalesTruth) -> None:
    today = business_date(world.today)
    held = quota_in_force(make_quotas(world), today)
    for (scope, who, period), row in held.items():
        first, last = quarter_bounds(period)
        of = found.quarters[period]
        home = world.rates.to_home(row.amount, row.currency, min(first, today))
        if scope == "user":
            of.users.setdefault(who, Gap()).quota = home
            of.company.quota = (of.company.quota or ZERO) + home
            team = team_of(who, min(last, today))
            if ("team", team, period) not in held:
                gap = of.teams.setdefault(team, Gap())
                gap.quota = (gap.quota or ZERO) + home
        else:
            of.teams.setdefault(who, Gap()).quota = home


# --- funnels ----------------------------------------------------------------


def stays(deal: Deal) -> list[tuple[str, int, int | None]]:
    """(stage, entered, left) of every stay; None for the stay of today."""
    edits = deal.stages
    ends = [edit.at for edit in edits[1:]] + [None]
    return [(edit.value, edit.at, end) for edit, end in zip(edits, ends, strict=True)]


def _count_funnels(world: World, found: SalesTruth) -> None:
    for pipeline in PIPELINES.values():
        size = len(pipeline.open_stages)
        found.funnels[pipeline.id] = _empty(size)
        for deal in world.live_deals:
            entered = [
                (STAGES[stage], at, end is not None and end - at < MINUTE)
                for stage, at, end in stays(deal)
                if PIPELINE_OF_STAGE[stage] is pipeline
            ]
            if not entered:
                continue
            key = (pipeline.id, quarter(business_date(entered[0][1])))
            cohort = found.cohorts.setdefault(key, _empty(size))
            first: dict[int, int] = {}
            for stage, at, passed in entered:
                if stage.kind == "open" and not passed:
                    first.setdefault(stage.order, at)
            any_stage = {stage.order for stage, _, _ in entered if stage.kind == "open"}
            won = deal.status == "won" and deal.pipeline is pipeline
            for funnel in (found.funnels[pipeline.id], cohort):
                _count_one(funnel, size, first, any_stage, won=won)


def _empty(size: int) -> Funnel:
    zeros = [0] * (size + 1)
    return Funnel(0, list(zeros), list(zeros), list(zeros), list(zeros))


def _count_one(
    funnel: Funnel, size: int, first: dict[int, int], any_stage: set[int], *, won: bool
) -> None:
    funnel.deals += 1
    furthest = size + 1 if won else max(first, default=0)
    in_order = True
    for order in range(1, size + 1):
        funnel.touched[order - 1] += order in first
        funnel.touched_any[order - 1] += order in any_stage
        funnel.reached[order - 1] += order <= furthest
        in_order = in_order and order in first
        in_order = in_order and first[order] >= first.get(order - 1, 0)
        funnel.strict[order - 1] += in_order
    for counts in (funnel.touched, funnel.touched_any, funnel.reached):
        counts[size] += won
    funnel.strict[size] += won and in_order


# --- health -----------------------------------------------------------------


def percentile_90(values: list[int]) -> Decimal:
    """The 90th percentile between the two nearest values, in days."""
    ordered = sorted(values)
    place = Decimal(len(ordered) - 1) * 9 / 10
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    inside = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    return inside / DAY


def _judge_health(world: World, found: SalesTruth) -> None:
    ended: dict[str, list[int]] = defaultdict(list)
    since = world.today - 365 * DAY
    for deal in world.live_deals:
        if deal.status == "won":
            for stage, at, end in stays(deal):
                if end is not None and end >= since and end - at >= MINUTE:
                    ended[stage].append(end - at)
    for stage_id in STAGES:
        limit, lengths = Decimal(30), ended[stage_id]
        if len(lengths) >= 20:
            limit = max(limit, percentile_90(lengths))
        found.stage_limits[stage_id] = limit
    for deal in world.live_deals:
        if deal.status != "open":
            continue
        one = found.deals[deal.id]
        slow = one.days_in_stage > found.stage_limits[one.stage]
        if deal.health in {"stalled", "rotting", "ghosted_cold"}:
            found.rotting.append(deal.id)
        if slow and deal.health not in {"healthy", "old_but_alive", "new"}:
            found.stalled.append(deal.id)
        if deal.health in {"ghosted", "ghosted_cold"}:
            found.ghosted.append(deal.id)
