"""Build the world: customers, deals, offers, activities, leads, merges, billing, delivery."""

from datetime import date

from sandbox.company.accounts import merge_customers, people_the_market
from sandbox.company.activities import fill_diary, find_leads
from sandbox.company.billing_plans import do_billing
from sandbox.company.clock import TODAY, business_date
from sandbox.company.goods import deliver_goods
from sandbox.company.model import World
from sandbox.company.money import Rates
from sandbox.company.offers import make_offers
from sandbox.company.sales import run_sales

FIRST_RATE = date(2023, 8, 1)


def build_world(seed: int, scale: float, today: int = TODAY) -> World:
    """The company at ``today``; the same arguments give the same world.

    ``today`` only moves the end of the rates: what happens on later days is added by
    ``changes``.
    """
    world = World(seed, scale, TODAY, Rates(seed, FIRST_RATE, business_date(today)))
    customers = people_the_market(world)
    run_sales(world, customers)
    make_offers(world)
    fill_diary(world)
    find_leads(world, customers)
    merge_customers(world)
    world.books = do_billing(world)
    world.goods = deliver_goods(world)
    return world
