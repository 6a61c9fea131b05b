"""What flowed through the stages, quarter by quarter, and how long deals stayed, by the edits."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sandbox.company.clock import DAY, MINUTE, business_date, quarter_bounds
from sandbox.company.model import Deal, World
from sandbox.company.pipelines import PIPELINE_OF_STAGE, STAGES
from sandbox.company.plan import periods
from sandbox.company.truth_sales import stays

ZERO = Decimal(0)


@dataclass
class StageFlow:
    """One stage in one quarter: who was there, came, left and is there, in deals and euro."""

    start: int = 0
    start_home: Decimal = ZERO
    entered: Counter[str] = field(default_factory=Counter)
    exited: Counter[str] = field(default_factory=Counter)
    end: int = 0
    end_home: Decimal = ZERO


@dataclass
class Lengths:
    """Stays of a stage in days: those that ended, those that last, and how many ended back."""

    ended: list[Decimal] = field(default_factory=list)
    lasting: list[Decimal] = field(default_factory=list)
    went_back: int = 0

    @property
    def median(self) -> Decimal | None:
        """Kaplan and Meier's: the first length by which half had left."""
        left = Decimal(1)
        for length in sorted(set(self.ended)):
            at_risk = sum(one >= length for one in [*self.ended, *self.lasting])
            left *= 1 - Decimal(self.ended.count(length)) / at_risk
            if left <= Decimal("0.5"):
                return length
        return None


def move(before: str | None, after: str) -> str:
    """The way from one stage to another."""
    if before is None:
        return "created"
    if PIPELINE_OF_STAGE[before] is not PIPELINE_OF_STAGE[after]:
        return "other_pipeline"
    if STAGES[after].kind != "open":
        return STAGES[after].kind
    if STAGES[before].kind != "open":
        return "reopened"
    return "backward" if STAGES[after].order < STAGES[before].order else "forward"


def count_flows(world: World) -> dict[tuple[str, str], StageFlow]:
    """(quarter, stage) -> its flow; archived deals flowed as well."""
    bounds = {period: quarter_bounds(period) for period in periods(world.today)[:-1]}
    found: dict[tuple[str, str], StageFlow] = defaultdict(StageFlow)
    for deal in world.deals:
        before: str | None = None
        told = stays(deal)
        for place, (stage, at, left) in enumerate(told):
            if STAGES[stage].kind == "open":
                after = told[place + 1][0] if left is not None else None
                _add_stay(
                    found,
                    bounds,
                    stage,
                    (business_date(at), move(before, stage)),
                    None if left is None or after is None else (business_date(left), after),
                    _worth(world, deal, at),
                )
            before = stage
    return found


def _worth(world: World, deal: Deal, at: int) -> Decimal:
    amount = deal.at(deal.amounts, at)
    currency = deal.at(deal.currencies, at) or deal.currency
    return ZERO if amount is None else world.rates.to_home(amount, currency, business_date(at))


def _add_stay(
    found: dict[tuple[str, str], StageFlow],
    bounds: dict[str, tuple[date, date]],
    stage: str,
    entry: tuple[date, str],
    exit_: tuple[date, str] | None,
    worth: Decimal,
) -> None:
    came, how = entry
    for period, (first, last) in bounds.items():
        if came > last:
            continue
        flow = found[period, stage]
        if came < first and (exit_ is None or exit_[0] >= first):
            flow.start += 1
            flow.start_home += worth
        if came >= first:
            flow.entered[how] += 1
        if exit_ is not None and first <= exit_[0] <= last:
            flow.exited[move(stage, exit_[1])] += 1
        if exit_ is None or exit_[0] > last:
            flow.end += 1
            flow.end_home += worth


def count_lengths(world: World) -> dict[str, Lengths]:
    """Stage -> how long its deals stayed; slips of the mouse are no stays."""
    found: dict[str, Lengths] = defaultdict(Lengths)
    for deal in world.live_deals:
        told = stays(deal)
        for place, (stage, at, left) in enumerate(told):
            if STAGES[stage].kind != "open":
                continue
            if left is None:
                found[stage].lasting.append(_days(world.today - at))
            elif left - at >= MINUTE:
                found[stage].ended.append(_days(left - at))
                found[stage].went_back += move(stage, told[place + 1][0]) == "backward"
    return found


def _days(length: int) -> Decimal:
    return (Decimal(length) / DAY).quantize(Decimal("0.01"))
