"""The one rule of who may be written to: an address of the company's own mail domains."""

import re
from collections.abc import Collection

# One plain address. A comma, a line's end or a second @ could smuggle in another recipient.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")


def outside(address: str, own_domains: Collection[str]) -> str | None:
    """Why nothing may be sent to an address; None for one of the company's own.

    A subdomain is another domain: mail.example.com may be a customer's portal.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return f"{address!r} is no plain mail address"
    if not own_domains:
        return "company.own_domains is empty, so no address is known to be the company's own"
    if found[1].lower() not in own_domains:
        return f"{address} is outside company.own_domains; nothing is sent there"
    return None
