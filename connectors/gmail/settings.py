"""How Gmail mailboxes are described in pipeledger.toml.

[sources.gmail.mail]
mailboxes = ["sales@example.com"]
# service_account, the key file's JSON, from PIPELEDGER__SOURCES__GMAIL__MAIL__SERVICE_ACCOUNT
# or …__SERVICE_ACCOUNT_FILE; for a single mailbox client_id, client_secret and refresh_token.
"""

import json
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.base.envelope import MailPrivacy

UNITS_PER_MINUTE = {"2026": 6_000, "legacy": 15_000}
"""What Google grants per user and minute, by the age of the project."""


class GmailSettings(MailPrivacy):
    """Mailboxes of a Workspace, or one mailbox of a person."""

    mailboxes: tuple[str, ...] = Field(min_length=1)
    """The addresses to read; nothing else of the Workspace is."""
    service_account: SecretStr | None = None
    """The JSON of the key of a service account with domain-wide delegation."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    """In place of the service account, for a single mailbox."""
    base_url: str = "https://gmail.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    ca_file: str | None = None
    quota_profile: Literal["2026", "legacy"] = "2026"
    """``legacy`` for projects that used the API before May 2026: 15,000 units a minute."""
    months: int = Field(default=24, ge=1, le=600)
    """Mail that arrived before does not land."""
    page_size: int = Field(default=500, ge=1, le=500)

    @field_validator("service_account", mode="before")
    @classmethod
    def _key_as_text(cls, given: Any) -> Any:
        """The key file's JSON; a variable that holds it arrives as the table that it says."""
        return json.dumps(given) if isinstance(given, dict) else given

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
        single = (self.client_id, self.client_secret, self.refresh_token)
        if self.service_account is None and not all(single):
            problems.append(
                "give `service_account`, or `client_id`, `client_secret` and `refresh_token`"
            )
        if self.service_account is not None and any(single):
            problems.append("give either `service_account` or a refresh token, not both")
        if self.service_account is None and len(self.mailboxes) > 1:
            problems.append("a refresh token opens one mailbox; many need `service_account`")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def key(self) -> dict[str, Any]:
        """The service account's key file: ``client_email`` and ``private_key`` (PEM).

        Raises:
            ValueError: it is no such file.
        """
        text = self.service_account.get_secret_value() if self.service_account else ""
        try:
            key = json.loads(text)
            held = {name: str(key[name]) for name in ("client_email", "private_key")}
        except (ValueError, KeyError, TypeError):
            # The text itself is the secret: no part of it may be in the message.
            raise ValueError("not the JSON key of a service account") from None
        return held
