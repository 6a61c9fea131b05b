"""Quotas and forecasts: what people were asked for, and what they said would come."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.company.clock import START, business_date, iso, local, quarter_bounds, quarters
from sandbox.company.model import World
from sandbox.company.people import ROSTER, mail

MEASURE = "bookings"
TEAM_BASE = {
    "dach": (150_000, "EUR"),
    "west": (110_000, "EUR"),
    "north": (105_000, "EUR"),
    "americas": (140_000, "EUR"),
    "japan": (17_000_000, "JPY"),
    "renewals": (260_000, "EUR"),
}
OWN_TEAM_QUOTAS = ("dach", "americas")
"""Teams whose quota is set for the team and is not the sum of its members'."""
RAISED_FOR = mail("anton.behr")
"""Gets a raise in the middle of the current quarter, in force today."""
RAISE_AHEAD_FOR = mail("doris.lang")
"""Gets one that is written down but not in force yet."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota version: who, which fiscal quarter, how much, from when on."""

    scope_type: str
    scope_id: str
    period: str
    amount: Decimal
    currency: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class Submission:
    """A forecast that somebody handed in at an instant (milliseconds)."""

    submitter: str
    team: str
    period: str
    category: str
    amount: Decimal
    submitted_at: int
    level: str


def periods(today: int) -> list[str]:
    """Every fiscal quarter from the first of the history to the one after today's."""
    return quarters(business_date(START), business_date(today) + timedelta(days=92))


def make_quotas(world: World) -> list[Quota]:
    """The quotas of all people and of two teams, raises as later versions."""
    rng = random.Random(f"{world.seed}:quotas")
    rows: list[Quota] = []
    current = periods(world.today)[-2]
    for place, period in enumerate(periods(world.today)[:-1]):
        first, last = quarter_bounds(period)
        totals: dict[str, Decimal] = {}
        for rep in ROSTER:
            row = rep.row(first)
            if row is None or not row.quota_carrying:
                continue
            base, currency = TEAM_BASE[row.team]
            step = 500 if currency == "EUR" else 50_000
            amount = Decimal(base * (100 + 3 * place + rng.randint(-12, 12)) // 100 // step * step)
            if rep.email == mail("yannick.roux") and period == "FY2026-Q2":
                amount = Decimal(0)  # on leave: a quota of nothing is no missing quota
            rows.append(Quota("user", rep.email, period, amount, currency, first))
            totals[row.team] = totals.get(row.team, Decimal(0)) + amount
            raised = amount * 110 // 100
            if period == current and rep.email == RAISED_FOR:
                start = last - timedelta(days=46)
                rows.append(Quota("user", rep.email, period, raised, currency, start))
            elif period == current and rep.email == RAISE_AHEAD_FOR:
                start = last - timedelta(days=11)
                rows.append(Quota("user", rep.email, period, raised, currency, start))
            elif period < current and rng.random() < 0.05:
                start = first + timedelta(days=rng.randint(20, 70))
                rows.append(Quota("user", rep.email, period, raised, currency, start))
        for team in OWN_TEAM_QUOTAS:
            amount = totals[team] * 105 // 100
            rows.append(Quota("team", team, period, amount, TEAM_BASE[team][1], first))
    return rows


def quota_in_force(rows: list[Quota], day: date) -> dict[tuple[str, str, str], Quota]:
    """The version of each quota that a day knows: (scope type, scope, period) -> quota."""
    held: dict[tuple[str, str, str], Quota] = {}
    for row in sorted(rows, key=lambda one: one.valid_from):
        if row.valid_from <= day:
            held[row.scope_type, row.scope_id, row.period] = row
    return held


def make_submissions(world: World) -> list[Submission]:
    """What team managers submitted, three times a quarter and category."""
    rng = random.Random(f"{world.seed}:submissions")
    rows = []
    today = business_date(world.today)
    for period in periods(world.today)[:-1]:
        first, _ = quarter_bounds(period)
        for rep in ROSTER:
            for week in (1, 5, 10):
                day = first + timedelta(days=7 * week + (2 - first.weekday()) % 7)
                row = rep.row(day)
                if day >= today or row is None or row.role != "manager":
                    continue
                base = TEAM_BASE[row.team][0] * (100 if row.team != "japan" else 1)
                for category, share in (("commit", 55), ("best_case", 80), ("pipeline", 130)):
                    amount = Decimal(base * 4 * (share + rng.randint(-9, 9)) // 100)
                    if row.team != "japan":
                        amount = (amount / 100).quantize(Decimal("0.01"))
                    at = local(day, 17) + rng.randint(0, 50) * 60_000
                    rows.append(
                        Submission(rep.email, row.team, period, category, amount, at, "manager")
                    )
    return rows


def submitted(row: Submission) -> str:
    """The instant of a submission with its offset."""
    return iso(row.submitted_at)
