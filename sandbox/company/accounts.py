"""Customers: companies and the people who work there, in nine countries."""

import random
from dataclasses import replace

from sandbox.company.clock import DAY, START, TODAY
from sandbox.company.model import Account, Alias, Contact, World
from sandbox.company.names import (
    COUNTRIES,
    FIRM_STEMS,
    FIRM_TRADES,
    INDUSTRIES,
    JAPANESE_FIRMS,
    JOB_TITLES,
    Country,
)
from sandbox.company.people import sellers

JAPANESE_PLACES = ("東京", "大阪", "札幌", "福岡", "名古屋", "京都", "仙台")
PLACES = ("Nord", "Süd", "International", "Services", "Group", "Ost", "Holding")


class Customers:
    """Makes companies and contacts whose names, domains and addresses are unique."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world = world
        self.rng = rng
        self.domains: set[str] = set()
        self.names: set[str] = set()
        self.addresses: set[str] = set()

    def country(self) -> Country:
        """A country, by how much is sold there."""
        return self.rng.choices(COUNTRIES, [country.weight for country in COUNTRIES])[0]

    def _named(self, country: Country) -> tuple[str, str]:
        rng = self.rng
        japanese = country.code == "JP"
        if japanese:
            firm, stem = rng.choice(JAPANESE_FIRMS)
            front, back = ("株式会社", "") if rng.random() < 0.3 else ("", "株式会社")
        else:
            stem, trade = rng.choice(FIRM_STEMS), rng.choice(FIRM_TRADES)
            firm, stem = f"{stem} {trade}", f"{stem}-{trade}".lower()
            front, back = "", f" {rng.choice(country.forms)}"
        name, domain, attempt = f"{front}{firm}{back}", f"{stem}.example", 1
        while name in self.names:
            place = rng.choice(JAPANESE_PLACES if japanese else PLACES)
            number = attempt if attempt > 6 else ""
            gap = "" if japanese else " "
            name = f"{front}{firm}{gap}{place}{number}{back}"
            attempt += 1
        attempt = 2
        while domain in self.domains:
            domain = f"{stem}{attempt}.example"
            attempt += 1
        self.names.add(name)
        self.domains.add(domain)
        return name, domain

    def account(
        self,
        created: int,
        country: Country | None = None,
        *,
        quiet: bool = False,
        solo: bool = False,
        people: int | None = None,
    ) -> Account:
        """A new company with one to four people, created in the CRM at an instant."""
        country = country or self.country()
        name, domain = self._named(country)
        account = Account(
            self.world.next_id("companies"),
            name,
            domain,
            country,
            created,
            self.rng.choice(INDUSTRIES),
            quiet=quiet,
            solo=solo,
            modified=created,
        )
        self.world.accounts.append(account)
        for _ in range(people or self.rng.choice((1, 2, 2, 3, 4))):
            self.contact(account, created + self.rng.randint(0, 20) * 60_000)
        return account

    def contact(self, account: Account, created: int) -> Contact:
        """A new person at a company, with an address nobody else has."""
        rng, country = self.rng, account.country
        given, given_ascii = rng.choice(country.given)
        family, family_ascii = rng.choice(country.family)
        local_part, attempt = f"{given_ascii}.{family_ascii}", 2
        while f"{local_part}@{account.domain}" in self.addresses:
            local_part = f"{given_ascii}.{family_ascii}{attempt}"
            attempt += 1
        address = f"{local_part}@{account.domain}"
        self.addresses.add(address)
        reps = sellers(country.team, max(created, START))
        contact = Contact(
            self.world.next_id("contacts"),
            given,
            family,
            address,
            account,
            created,
            rng.choice(reps).owner_id if reps else None,
            rng.choice(JOB_TITLES),
            modified=created + rng.randint(0, 90) * DAY if created < TODAY - 100 * DAY else created,
        )
        account.contacts.append(contact)
        self.world.contacts.append(contact)
        return contact


def people_the_market(world: World) -> Customers:
    """Fill the world with its customers: about 1 500 companies at scale 1."""
    rng = random.Random(f"{world.seed}:accounts")
    customers = Customers(world, rng)
    count = max(40, round(1_500 * world.scale))
    span = (TODAY - START) // DAY - 30
    for created in sorted(rng.randint(0, span * 3 // 4) for _ in range(count)):
        customers.account(START + created * DAY + rng.randint(7, 15) * 3_600_000)
    return customers


def merge_customers(world: World) -> None:
    """Merge duplicates of companies and contacts away, some of them twice.

    HubSpot gives the merged record a new id for half of them here and keeps the
    first record's id for the others; either way the survivor lists every loser in
    ``hs_merged_object_ids``, also those of earlier merges.
    """
    rng = random.Random(f"{world.seed}:merges")
    pool = [account for account in world.accounts if not (account.quiet or account.solo)]
    for place, account in enumerate(rng.sample(pool, max(4, round(24 * world.scale)))):
        times = 2 if place % 8 == 0 else 1
        for _ in range(times):
            _merge(world, rng, "companies", account)
        world.mark("merged_companies", account.id)
        if times > 1:
            world.mark("merge_of_merges", account.id)
    people = [contact for contact in world.contacts if not contact.account.quiet]
    for place, contact in enumerate(rng.sample(people, max(4, round(45 * world.scale)))):
        times = 2 if place % 8 == 0 else 1
        for _ in range(times):
            _merge(world, rng, "contacts", contact)
        world.mark("merged_contacts", contact.id)
        if times > 1:
            world.mark("merge_of_merges", contact.id)


def _merge(world: World, rng: random.Random, kind: str, record: Account | Contact) -> None:
    latest = world.today - 5 * DAY
    at = rng.randint(min(record.created + 10 * DAY, latest - DAY), latest)
    at = max(at, record.modified)
    loser = world.next_id(kind)
    snapshot: Account | Contact
    if isinstance(record, Contact):
        # The loser's address lives on in old mail and in hs_additional_emails.
        local_part, domain = record.email.split("@")
        old = f"{local_part[0]}-{local_part.split('.')[-1]}{len(record.old_emails) or ''}@{domain}"
        record.old_emails.append(old)
        snapshot = replace(record, id=loser, email=old, merged_ids=[], old_emails=[])
    else:
        snapshot = replace(record, id=loser, name=f"{record.name} (dup)", merged_ids=[])
    record.modified = at
    if rng.random() < 0.5:
        world.aliases.append(Alias(kind, loser, record.id, at, snapshot))
        record.merged_ids.append(loser)
        return
    primary, record.id = record.id, world.next_id(kind)
    world.aliases.append(Alias(kind, loser, record.id, at, snapshot))
    world.aliases.append(
        Alias(kind, primary, record.id, at, replace(record, id=primary, merged_ids=[]))
    )
    record.merged_ids += [loser, primary]
