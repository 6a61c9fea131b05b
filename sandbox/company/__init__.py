"""A seeded fictional company: the same seed gives the same bytes.

Three years of a sales organisation, from 2023-10-15 to the frozen today of
2026-10-15T06:00:00Z, in the shapes of the vendors that the sandbox servers play, with
the truth about it counted while it is made. It imports neither connectors nor pipeledger.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sandbox.company import (
    chargebee,
    hubspot,
    odoo,
    pipedrive,
    quickbooks,
    salesforce,
    stripe,
    vtiger,
    xero,
    zoho,
)
from sandbox.company.changes import Difference, difference, second_day
from sandbox.company.clock import SECOND_DAY, instant
from sandbox.company.files import Export, crm_export
from sandbox.company.files import render as render_files
from sandbox.company.mail import deliver
from sandbox.company.mailboxes import MailFolder, MailMessage, Post
from sandbox.company.model import World
from sandbox.company.truth import Truth, count
from sandbox.company.world import build_world

__all__ = ["Changes", "Company", "build"]


@dataclass(frozen=True)
class Changes:
    """What the second day brings, in the vendors' terms.

    ``hubspot`` and ``stripe`` hold new and changed objects by type or stream and the ids
    that are gone (merged away, in HubSpot's case); Stripe's new events are among the
    changed. ``mail`` holds the new messages by mailbox and folder, ``files`` the files
    whose bytes differ. ``after`` is the company then, with its truth.
    """

    at: datetime
    hubspot: Difference
    stripe: Difference
    mail: dict[tuple[str, str], list[MailMessage]]
    files: dict[str, bytes]
    after: "Company"


@dataclass(frozen=True)
class Company:
    """The company at one instant; each vendor's part is made when first asked for."""

    world: World
    written: Post | None = None
    """Mail that is known already, when it is not to be drawn from the world."""

    @cached_property
    def hubspot(self) -> dict[str, Any]:
        """Objects per type as HubSpot holds them (``sandbox.company.hubspot``)."""
        return hubspot.render(self.world)

    @cached_property
    def stripe(self) -> dict[str, Any]:
        """Objects per stream as Stripe holds them (``sandbox.company.stripe``)."""
        return stripe.render(self.world)

    @cached_property
    def odoo(self) -> dict[str, dict[int, dict[str, Any]]]:
        """Records per model as Odoo holds them (``sandbox.company.odoo``)."""
        return odoo.render(self.world)

    @cached_property
    def pipedrive(self) -> dict[str, Any]:
        """Rows per kind as Pipedrive holds them (``sandbox.company.pipedrive``)."""
        return pipedrive.render(self.world)

    @cached_property
    def salesforce(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Records per object as Salesforce holds them (``sandbox.company.salesforce``)."""
        return salesforce.render(self.world)

    @cached_property
    def chargebee(self) -> dict[str, list[dict[str, Any]]]:
        """Objects per list as Chargebee holds them (``sandbox.company.chargebee``)."""
        return chargebee.render(self.world)

    @cached_property
    def vtiger(self) -> dict[str, list[dict[str, Any]]]:
        """Records per module as Vtiger holds them (``sandbox.company.vtiger``)."""
        return vtiger.render(self.world)

    @cached_property
    def quickbooks(self) -> quickbooks.Tables:
        """Rows per entity as QuickBooks holds them (``sandbox.company.quickbooks``)."""
        return quickbooks.render(self.world)

    @cached_property
    def xero(self) -> xero.Tables:
        """Objects per list as Xero holds them (``sandbox.company.xero``)."""
        return xero.render(self.world)

    @cached_property
    def zoho(self) -> dict[str, Any]:
        """Records, histories and settings as Zoho CRM holds them (``sandbox.company.zoho``)."""
        return zoho.render(self.world)

    @cached_property
    def post(self) -> Post:
        """All mail with what is known of it by construction."""
        return self.written or deliver(self.world)

    @property
    def mail(self) -> dict[str, dict[str, MailFolder]]:
        """Mailbox address -> folder name on the wire -> folder with its messages."""
        return self.post.mailboxes

    @cached_property
    def files(self) -> dict[str, bytes]:
        """File name -> CSV bytes; ``export/`` is the small company's own export."""
        return render_files(self.world)

    @cached_property
    def export_truth(self) -> Export:
        """What is true of the company behind ``export/``."""
        return crm_export(self.world)

    @cached_property
    def truth(self) -> Truth:
        """What the warehouse shall find (``sandbox.company.truth``)."""
        return count(self.world, self.post)

    def changes(self) -> Changes:
        """The second day, from 2026-10-15T06:00Z to the same hour of the 16th."""
        after = Company(*second_day(self.world.seed, self.world.scale))
        held = {
            (box, name): len(folder.messages)
            for box, folders in self.mail.items()
            for name, folder in folders.items()
        }
        arrived = {
            (box, name): folder.messages[held[box, name] :]
            for box, folders in after.mail.items()
            for name, folder in folders.items()
        }
        return Changes(
            at=instant(SECOND_DAY),
            hubspot=difference(self.hubspot, after.hubspot),
            stripe=difference(self.stripe, after.stripe),
            mail={place: messages for place, messages in arrived.items() if messages},
            files={
                name: content
                for name, content in after.files.items()
                if self.files[name] != content
            },
            after=after,
        )


def build(seed: int = 7, scale: float = 1.0) -> Company:
    """The company of a seed; ``scale`` 0.05 makes a small one fast."""
    return Company(build_world(seed, scale))
