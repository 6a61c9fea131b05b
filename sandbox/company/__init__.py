"""A seeded fictional company: the same seed gives the same bytes.

Three years of a sales organisation, from 2023-10-15 to the frozen today of
2026-10-15T06:00:00Z, in the shapes of the vendors that the sandbox servers play, with
the truth about it counted while it is made. It imports neither connectors nor pipeledger.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.company import hubspot, stripe
from sandbox.company.files import Export, crm_export
from sandbox.company.files import render as render_files
from sandbox.company.mail import MailFolder, Post, deliver
from sandbox.company.model import World
from sandbox.company.truth import Truth, count
from sandbox.company.world import build_world

__all__ = ["Company", "build"]


@dataclass(frozen=True)
class Company:
    """The company at one instant; each vendor's part is made when first asked for."""

    world: World

    @cached_property
    def hubspot(self) -> dict[str, Any]:
        """Objects per type as HubSpot holds them (``sandbox.company.hubspot``)."""
        return hubspot.render(self.world)

    @cached_property
    def stripe(self) -> dict[str, Any]:
        """Objects per stream as Stripe holds them (``sandbox.company.stripe``)."""
        return stripe.render(self.world)

    @cached_property
    def post(self) -> Post:
        """All mail with what is known of it by construction."""
        return deliver(self.world)

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


def build(seed: int = 7, scale: float = 1.0) -> Company:
    """The company of a seed; ``scale`` 0.05 makes a small one fast."""
    return Company(build_world(seed, scale))
