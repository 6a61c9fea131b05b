"""What was won, open and called at fixed shares of every closed quarter, and what came of it.

Counted from the deals' own edits at those instants. The company has no history before its first
sync but HubSpot's, which knows stages, amounts, dates and owners of the time and no probability
or category: those are the stage's.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.company.clock import business_date, midnight, quarter, quarter_bounds
from sandbox.company.model import Deal, World
from sandbox.company.money import HOME, rounded
from sandbox.company.pipelines import CATEGORIES, STAGES
from sandbox.company.plan import make_submissions, periods
from sandbox.company.truth_sales import person, team_of

SHARES = tuple(map(Decimal, ("0.00", "0.25", "0.50", "0.75", "0.90", "1.00")))
FREEZE_DAYS = 5
ZERO = Decimal(0)


@dataclass(slots=True)
class Call:
    """A scope's quarter at one share of it, in euro; ``actual`` is read five days after its end."""

    open_count: int = 0
    won: Decimal = ZERO
    commit: Decimal = ZERO
    most_likely: Decimal = ZERO
    best_case: Decimal = ZERO
    pipeline: Decimal = ZERO
    weighted: Decimal = ZERO
    actual: Decimal = ZERO

    @property
    def said(self) -> tuple[Decimal, ...]:
        """Commit, most likely, best case, all pipeline, weighted: won is in each."""
        commit = self.won + self.commit
        likely = commit + self.most_likely
        best = likely + self.best_case
        return (commit, likely, best, best + self.pipeline, self.won + self.weighted)

    def add(self, held: "Held") -> None:
        """Count an open deal in the category of its stage."""
        name = CATEGORIES.get(held.stage, "pipeline")
        setattr(self, name, getattr(self, name) + held.home)


@dataclass(frozen=True, slots=True)
class Held:
    """An open deal at an instant; its amount in euro."""

    owner: str
    stage: str
    home: Decimal


@dataclass(frozen=True, slots=True)
class Win:
    """A spell in which a deal stood won."""

    at: int
    ended: int | None
    owner: str
    amount: Decimal

    def holds(self, moment: int) -> bool:
        """Was it won before the instant, and still so at it?"""
        return self.at < moment and (self.ended is None or self.ended > moment)


def wins_of(world: World, deal: Deal) -> Iterator[Win]:
    """Every win that was no move from another won stage."""
    edits = [*deal.stages]
    kinds = [STAGES[edit.value].kind for edit in edits]
    for place, (edit, kind) in enumerate(zip(edits, kinds, strict=True)):
        if kind != "won" or (place and kinds[place - 1] == "won"):
            continue
        ends = [one.at for one in edits[place:] if STAGES[one.value].kind != "won"]
        ended = [*ends[:1], *([deal.archived_at] if deal.archived_at else [])]
        amount = deal.at(deal.amounts, edit.at)
        currency = deal.at(deal.currencies, edit.at) or HOME
        yield Win(
            edit.at,
            min(ended) if ended else None,
            person(deal.at(deal.owners, edit.at)),
            ZERO
            if amount is None
            else world.rates.to_home(amount, currency, business_date(edit.at)),
        )


def cuts_of(world: World) -> Iterator[tuple[str, Decimal, date]]:
    """(quarter, share, day) of every point: what happened before the day counts."""
    for period in periods(world.today):
        first, last = quarter_bounds(period)
        if last < business_date(world.today):
            days = (last - first).days + 1
            for share in SHARES:
                yield period, share, first + timedelta(days=int(share * days))


def count_calls(world: World) -> dict[tuple[str, str, Decimal], Call]:
    """(company or user, quarter, share) -> what stood there."""
    found: dict[tuple[str, str, Decimal], Call] = defaultdict(Call)
    wins = [win for deal in world.deals for win in wins_of(world, deal)]
    for period, share, day in cuts_of(world):
        moment = midnight(day)
        frozen = midnight(quarter_bounds(period)[1] + timedelta(days=1 + FREEZE_DAYS))
        for win in wins:
            if quarter(business_date(win.at)) != period:
                continue
            for scope in ("company", win.owner):
                call = found[scope, period, share]
                call.won += win.amount if win.holds(moment) else ZERO
                call.actual += win.amount if win.holds(frozen) else ZERO
        for deal in world.deals:
            _add_open(world, found, deal, (period, share, day))
    return dict(found)


def _add_open(
    world: World,
    found: dict[tuple[str, str, Decimal], Call],
    deal: Deal,
    point: tuple[str, Decimal, date],
) -> None:
    """Add a deal that was open at the point and due in its quarter."""
    period, share, day = point
    held = _open_at(world, deal, period, midnight(day), day)
    if held is None:
        return
    for scope in ("company", held.owner):
        call = found[scope, period, share]
        call.open_count += 1
        call.weighted += rounded(held.home * Decimal(STAGES[held.stage].probability), HOME)
        call.add(held)


def _open_at(world: World, deal: Deal, period: str, moment: int, day: date) -> Held | None:
    """How the deal stood if it was open at the instant and due in the quarter."""
    if deal.created > moment or (deal.archived_at is not None and deal.archived_at <= moment):
        return None
    stage = deal.at(deal.stages, moment)
    due = deal.at(deal.closes, moment)
    is_due = due is not None and quarter(business_date(due)) == period
    amount = deal.at(deal.amounts, moment)
    if STAGES[stage].kind != "open" or not is_due or (amount is not None and amount < 0):
        return None
    currency = deal.at(deal.currencies, moment) or HOME
    home = ZERO if amount is None else world.rates.to_home(amount, currency, day)
    return Held(person(deal.at(deal.owners, moment)), stage, home)


@dataclass(frozen=True, slots=True)
class HandIn:
    """A forecast that a manager handed in, and what the team's deals said at that instant."""

    amount: Decimal
    home: Decimal
    system: Decimal


def count_hand_ins(world: World) -> dict[tuple[str, str, str, int], HandIn]:
    """(team, quarter, category, instant in milliseconds) -> what was said, by whom or what."""
    wins = [win for deal in world.deals for win in wins_of(world, deal)]
    calls: dict[tuple[str, str, int], Call] = {}
    found = {}
    for row in make_submissions(world):
        day = business_date(row.submitted_at)
        key = (row.team, row.period, row.submitted_at)
        if key not in calls:
            call = calls[key] = Call()
            for win in wins:
                won_on = business_date(win.at)
                is_ours = quarter(won_on) == row.period and team_of(win.owner, won_on) == row.team
                call.won += win.amount if is_ours and win.holds(row.submitted_at) else ZERO
            for deal in world.deals:
                held = _open_at(world, deal, row.period, row.submitted_at, day)
                if held is not None and team_of(held.owner, day) == row.team:
                    call.add(held)
        commit, _, best_case, pipeline, _ = calls[key].said
        said = {"commit": commit, "best_case": best_case, "pipeline": pipeline}
        currency = "JPY" if row.team == "japan" else HOME
        found[row.team, row.period, row.category, row.submitted_at] = HandIn(
            row.amount, world.rates.to_home(row.amount, currency, day), said[row.category]
        )
    return found
