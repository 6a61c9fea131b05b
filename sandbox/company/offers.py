"""Line items and quotes of deals that came far enough to be offered something."""

import random
from decimal import Decimal

from sandbox.company.clock import DAY
from sandbox.company.model import Deal, Line, Quote, World
from sandbox.company.money import DIGITS, rounded
from sandbox.company.names import PRODUCTS


def split_amount(
    rng: random.Random, amount: Decimal, currency: str, parts: int
) -> list[tuple[int, Decimal, Decimal]]:
    """The amount in ``parts`` lines that add up to it: (quantity, unit price, amount)."""
    rest, lines = amount, []
    for left in range(parts, 0, -1):
        part = rest if left == 1 else rounded(rest * rng.randint(20, 60) / 100, currency)
        rest -= part
        quantity = rng.choice((1, 1, 2, 4, 5))
        price = part / quantity
        if price != rounded(price, currency):
            quantity, price = 1, part
        lines.append((quantity, price.quantize(Decimal(1).scaleb(-DIGITS[currency])), part))
    return lines


def make_offers(world: World) -> None:
    """Give two of three far-come deals line items, and half of those a quote."""
    rng = random.Random(f"{world.seed}:offers")
    quote_number = 2_000
    for deal in world.deals:
        reached = max(_order(deal, stage.value) for stage in deal.stages)
        share = reached / len(deal.pipeline.open_stages)
        amount = deal.booked if deal.status == "won" else deal.amount
        if share < 0.8 or not amount or rng.random() > 0.62:
            continue
        at = max(deal.created + DAY, deal.stages[-1].at - 6 * DAY)
        for quantity, price, part in split_amount(
            rng, amount, deal.currency, rng.choice((1, 1, 2, 3))
        ):
            product = rng.randrange(len(PRODUCTS))
            line_id = world.next_id("line_items")
            deal.lines.append(Line(line_id, product, quantity, price, part, at))
        if rng.random() < 0.55:
            quote_number += rng.randint(1, 4)
            status = "APPROVAL_NOT_NEEDED" if deal.status != "lost" else "REJECTED"
            deal.quotes.append(
                Quote(
                    world.next_id("quotes"),
                    f"Q-{quote_number}",
                    rng.choice((status, status, "APPROVED", "DRAFT")),
                    amount,
                    at,
                    at + 30 * DAY,
                )
            )


def _order(deal: Deal, stage_id: str) -> int:
    for stage in deal.pipeline.stages:
        if stage.id == stage_id:
            return 0 if stage.kind == "lost" else stage.order
    return 0
