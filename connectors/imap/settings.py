"""How a mailbox is described in pipeledger.toml.

[sources.imap.sales_mail]
host = "imap.example.com"
username = "sales@example.com"
# password from PIPELEDGER__SOURCES__IMAP__SALES_MAIL__PASSWORD or …__PASSWORD_FILE
own_domains = ["example.com"]
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from connectors.base.envelope import MailPrivacy


class ImapSettings(MailPrivacy):
    """One mailbox, read-only."""

    host: str
    port: int = Field(default=993, ge=1, le=65535)
    security: Literal["tls", "starttls", "plain"] = "tls"
    """plain is refused off this machine."""
    ca_file: Path | None = None
    """A private certificate authority; verification itself cannot be turned off."""
    username: str
    password: SecretStr | None = None
    access_token: SecretStr | None = None
    """OAuth 2.0 token for XOAUTH2, where the provider has no passwords any more."""
    token_url: str | None = None
    """Where XOAUTH2 tokens are given, with ``client_id`` and ``client_secret``: Google's or
    Microsoft's token endpoint. They end after an hour, and are renewed here."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    """A person's grant; without it the application's own (client credentials)."""
    scope: str | None = None
    folders: tuple[str, ...] = ()
    """Only these folders; without it all but junk, trash and drafts."""
    months: int = Field(default=24, ge=1, le=600)
    """Mail that arrived before is never read."""
    batch: int = Field(default=300, ge=1, le=500)
    timeout_seconds: float = Field(default=120.0, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        ways = (self.password, self.access_token, self.token_url)
        if sum(one is not None for one in ways) != 1:
            problems.append("give either `password`, `access_token` or `token_url`")
        if self.token_url is not None and not (self.client_id and self.client_secret):
            problems.append("`token_url` needs `client_id` and `client_secret`")
        if self.security == "plain" and not _is_loopback(self.host):
            problems.append('security = "plain" sends the password in the open, use "tls"')
        problems += self.privacy_problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
