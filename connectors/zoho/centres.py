"""Zoho's data centres: separate installations, each with its own accounts and API hosts.

A credential works in the centre of its organisation alone; elsewhere it is "invalid". The
answer to a refresh names the API host. It is held against this list before a token goes
there, so that no answer can lead a token to a stranger.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectors.base.errors import OriginRefused
from connectors.base.transport import LOOPBACK_NAMES, Origin

DataCenter: TypeAlias = Literal["us", "eu", "in", "au", "jp", "cn", "ca", "sa", "uk", "ae"]
KINDS = ("www", "sandbox", "developer")
"""Production, sandbox and developer organisations of a centre."""


@dataclass(frozen=True, slots=True)
class Centre:
    """The hosts of a data centre."""

    accounts: str
    api: str
    """Without ``www.``; sandboxes and developer organisations have hosts of their own."""

    def holds(self, host: str) -> bool:
        """Whether an API host belongs to the centre."""
        return host == self.api or host in {f"{kind}.{self.api}" for kind in KINDS}


CENTRES: dict[DataCenter, Centre] = {
    "us": Centre("accounts.zoho.com", "zohoapis.com"),
    "eu": Centre("accounts.zoho.eu", "zohoapis.eu"),
    "in": Centre("accounts.zoho.in", "zohoapis.in"),
    "au": Centre("accounts.zoho.com.au", "zohoapis.com.au"),
    "jp": Centre("accounts.zoho.jp", "zohoapis.jp"),
    "cn": Centre("accounts.zoho.com.cn", "zohoapis.com.cn"),
    "ca": Centre("accounts.zohocloud.ca", "zohoapis.ca"),
    "sa": Centre("accounts.zoho.sa", "zohoapis.sa"),
    "uk": Centre("accounts.zoho.uk", "zohoapis.uk"),
    "ae": Centre("accounts.zoho.ae", "zohoapis.ae"),
}


def is_loopback(origin: Origin) -> bool:
    """Whether an origin is this machine, as in tests."""
    return origin.host in LOOPBACK_NAMES


def checked_domain(told: str, centre: DataCenter, accounts: Origin) -> str:
    """The API's address as the refresh answer names it, if it may be believed.

    Raises:
        OriginRefused: it is no host of the data centre.
    """
    origin = Origin.of(told)
    if is_loopback(accounts):
        is_right = is_loopback(origin)
    else:
        is_right = origin.scheme == "https" and CENTRES[centre].holds(origin.host)
        is_right = is_right and origin.port == 443
    if not is_right:
        raise OriginRefused(
            f"the token's api_domain is {origin}, which is no host of the data centre "
            f"{centre!r}: the token was not sent there. Set `data_center` to the one whose "
            "address you see when you are signed in to Zoho CRM."
        )
    return str(origin)
