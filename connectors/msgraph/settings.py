"""How Microsoft 365 mailboxes are described in pipeledger.toml.

[sources.msgraph.mail]
tenant = "contoso.example"
client_id = "00000000-0000-0000-0000-000000000000"
mailboxes = ["sales@contoso.example"]
# client_secret from PIPELEDGER__SOURCES__MSGRAPH__MAIL__CLIENT_SECRET or …__CLIENT_SECRET_FILE;
# for the mailbox of a person who signed in refresh_token likewise.
"""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.base.envelope import MailPrivacy


class MsgraphSettings(MailPrivacy):
    """Mailboxes of one tenant, read as an application, or the one of a person."""

    tenant: str = Field(min_length=1)
    """The directory's id or one of its domains."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    refresh_token: SecretStr | None = None
    """A person's grant of Mail.ReadBasic and offline_access, for their own mailbox; without it
    the application's own permission is used."""
    mailboxes: tuple[str, ...] = Field(min_length=1)
    """The addresses to read, shared mailboxes among them: nothing else of the tenant is."""
    base_url: str = "https://graph.microsoft.com/v1.0"
    login_url: str = "https://login.microsoftonline.com"
    """Other hosts for national clouds."""
    ca_file: str | None = None
    months: int = Field(default=24, ge=1, le=600)
    """Mail that arrived before does not land."""
    headers: bool = True
    """Ask for each new message's References and marks of machines: one request a message."""
    page_size: int = Field(default=100, ge=1, le=1000)

    @field_validator("mailboxes")
    @classmethod
    def _addresses(cls, mailboxes: tuple[str, ...]) -> tuple[str, ...]:
        """Lower-case and each once; what is no address would be part of a path."""
        clean = tuple(dict.fromkeys(one.strip().lower() for one in mailboxes))
        wrong = [one for one in clean if one.count("@") != 1 or set(one) & set("/?#%: ")]
        if wrong:
            raise ValueError(f"no mail address: {', '.join(wrong)}")
        return clean

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = self.privacy_problems()
        if self.refresh_token is not None and len(self.mailboxes) > 1:
            problems.append("a refresh token opens one mailbox; many are the application's")
        if problems:
            raise ValueError("; ".join(problems))
        return self
