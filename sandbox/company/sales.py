"""The deals of the company: 4 000 at scale 1, with their ids, merges and bulk edits."""

import random
from dataclasses import replace

from sandbox.company.accounts import Customers
from sandbox.company.clock import (
    DAY,
    HOUR,
    business_date,
    midnight,
)
from sandbox.company.model import BULK, MERGE, Alias, Deal, Edit, World
from sandbox.company.people import (
    BY_EMAIL,
    mail,
)
from sandbox.company.troubles import PLANS, TroubleDesk


def run_sales(world: World, customers: Customers) -> None:
    """Fill the world with its deals, about 4 000 at scale 1, ids in order of creation."""
    desk = TroubleDesk(world, customers)
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
    _push_in_bulk(world, desk.rng)
    _merge_deals(world, desk.rng)
    for deal in deals:
        if "plain" not in deal.tags:
            for tag in sorted(deal.tags):
                world.mark(tag, deal.id)


def _push_in_bulk(world: World, rng: random.Random) -> None:
    """Somebody moves the close dates of many deals at once: no touch either."""
    movable = [deal for deal in world.deals if deal.health == "healthy" and deal.tags <= {"plain"}]
    at = midnight(business_date(world.today - 9 * DAY)) + 11 * HOUR
    for place, deal in enumerate(rng.sample(movable, min(len(movable), 26))):
        last = deal.closes[-1]
        if last.value and max(last.at, deal.stages[-1].at) < at - DAY:
            moved = last.value + 21 * DAY
            deal.closes.append(
                Edit(at + place * 700, moved, BY_EMAIL[mail("tom.baker")].user_id, BULK)
            )
            deal.tags.add("bulk_edited")


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
