"""How a deal travels: stages with their stays, close dates with their pushes, amounts.

Pure draws from a random source; ``deals`` decides which deal gets which journey.
"""

import random
from decimal import Decimal

from sandbox.company.clock import DAY, HOUR, SECOND, business_date, local, midnight
from sandbox.company.model import Edit
from sandbox.company.money import rounded
from sandbox.company.pipelines import Pipeline

LONG_STAY = (38, 52)
"""Days of the slowest fifth of stays: the p90 of won stays lies inside."""


def office_time(rng: random.Random, at: int) -> int:
    """A moment of the same working day; a weekend moves to Monday."""
    day = business_date(at)
    if day.weekday() >= 5:
        day = business_date(at + (7 - day.weekday()) * DAY)
    return local(day, rng.randint(8, 17), rng.randint(0, 59)) + rng.randint(0, 59_999)


def stay(rng: random.Random) -> int:
    """Milliseconds in one stage: mostly under three weeks, a fifth above five."""
    days = rng.randint(1, 20) if rng.random() < 0.8 else rng.randint(*LONG_STAY)
    return days * DAY + rng.randint(0, 8) * HOUR


def walk(
    rng: random.Random, pipeline: Pipeline, created: int, outcome: str
) -> list[tuple[int, str]]:
    """The stages a deal enters, from creation to its end: (instant, stage id).

    Steps go forward by one, sometimes by two or three, now and then back by one. A won
    deal leaves from one of the last two stages, a lost one from anywhere.
    """
    stages = pipeline.open_stages
    last = len(stages) - 1
    place = 0 if rng.random() < 0.9 else rng.randint(1, last - 1)
    at, path = created, [(created, stages[place].id)]
    while True:
        at = max(office_time(rng, at + stay(rng)), at + HOUR)
        if outcome == "lost" and rng.random() < 0.24:
            path.append((at, pipeline.lost.id))
            return path
        draw = rng.random()
        if draw < 0.06 and place > 0:
            place -= 1
        elif place == last or (place == last - 1 and draw > 0.9):
            path.append((at, (pipeline.won if outcome == "won" else pipeline.lost).id))
            return path
        else:
            place = min(last, place + (3 if draw > 0.97 else 2 if draw > 0.86 else 1))
        path.append((at, stages[place].id))


def drag(
    rng: random.Random, pipeline: Pipeline, path: list[tuple[int, str]]
) -> list[tuple[int, str]]:
    """The same path with its first jump dragged through the stages between, in seconds."""
    order = [stage.id for stage in pipeline.open_stages]
    for index in range(1, len(path)):
        before, after = path[index - 1][1], path[index][1]
        if before in order and after in order and order.index(after) - order.index(before) == 1:
            # Make room for a drag: pass over one more stage than the deal meant to.
            end = order.index(after)
            if end + 1 < len(order):
                at = path[index][0]
                step = rng.randint(2, 25) * SECOND
                there = order[end + 1]
                rest = path[index + 1 :]
                if rest and rest[0][1] == there:
                    rest = rest[1:]
                return [*path[:index], (at, after), (at + step, there), *rest]
    return path


def close_instant(rng: random.Random, day_at: int) -> int:
    """How HubSpot stores a picked close date: an instant whose Berlin day is meant."""
    day = business_date(day_at)
    draw = rng.random()
    if draw < 0.6:
        return midnight(day)
    if draw < 0.85:
        return local(day, 12)
    return local(day, 23, 30)


def close_dates(
    rng: random.Random, created: int, end: int, by: int | None, *, overdue: bool = False
) -> list[Edit]:
    """The close dates that were believed in, pushed while the deal outlived them.

    ``overdue`` leaves the last one in the past.
    """
    expected = created + rng.randint(35, 140) * DAY
    edits = [Edit(created, close_instant(rng, expected), by)]
    while expected < end and len(edits) < 12:
        at = office_time(rng, expected - rng.randint(-3, 12) * DAY)
        at = max(at, edits[-1].at + HOUR)
        if at >= end or (overdue and expected > end - 60 * DAY):
            break
        expected += rng.randint(14, 80) * DAY
        edits.append(Edit(at, close_instant(rng, expected), by))
    return edits


def draw_amount(rng: random.Random, currency: str) -> Decimal:
    """A net deal amount: about 2 000 to 90 000 euro, cents on a third, yen whole."""
    euro = int(10 ** (3.3 + rng.random() * 1.65))
    if currency == "JPY":
        yen = euro * 160
        return Decimal(yen - yen % 1_000 if rng.random() < 0.7 else yen + rng.randint(0, 999))
    if rng.random() < 0.35:
        return Decimal(euro * 100 + rng.randint(1, 99)).scaleb(-2)
    return Decimal(euro - euro % 50)


def changed_amount(rng: random.Random, amount: Decimal, currency: str) -> Decimal:
    """Another amount, 12 to 35 per cent away."""
    percent = rng.randint(12, 35) * rng.choice((-1, 1))
    return rounded(amount * (100 + percent) / 100, currency)


def amounts(
    rng: random.Random, created: int, end: int, currency: str, by: int | None
) -> list[Edit]:
    """What the amount was believed to be, edited up to twice before the end."""
    value = draw_amount(rng, currency)
    if rng.random() < 0.15 and end - created > 4 * DAY:
        first = office_time(rng, created + DAY)
        edits = [Edit(created, None, by), Edit(max(first, created + HOUR), value, by)]
    else:
        edits = [Edit(created, value, by)]
    for _ in range(rng.choice((0, 0, 1, 2))):
        since = edits[-1].at + HOUR
        if since + 2 * DAY >= end:
            break
        at = office_time(rng, rng.randint(since + DAY, end - DAY))
        if edits[-1].at < at < end - HOUR:
            value = changed_amount(rng, value, currency)
            edits.append(Edit(at, value, by))
    return edits
