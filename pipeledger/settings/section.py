"""What every table of the settings shares, and the words that several of them check."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _domain(text: str) -> str:
    name = text.strip().lower()
    if "." not in name or "@" in name:
        raise ValueError(f"{text!r} is no mail domain, such as example.com")
    return name


Domain = Annotated[str, AfterValidator(_domain)]


class Section(BaseModel):
    """A table of the settings: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
