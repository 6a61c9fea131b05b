"""[alerts] and [[exports]]: who is told what by which way, and which marts go to a folder."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from pipeledger.settings.section import Section, is_loopback


def _country(text: str) -> str:
    import holidays

    country, _, part = text.partition("-")
    known = holidays.list_supported_countries()
    if country not in known or (part and part not in known[country]):
        raise ValueError(f"{text!r} is no country with known holidays, such as DE or DE-BY")
    return text


def _locale(text: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(text)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"{text!r} is no locale, such as en_GB or de_DE") from error
    return text


Country = Annotated[str, AfterValidator(_country)]
Topic = Literal["owner", "manager", "finance", "data"]


class Smtp(Section):
    """[alerts.smtp]: the company's own mail server."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["tls", "starttls", "plain"] = "starttls"
    """plain is refused off this machine."""
    username: str | None = None
    password: SecretStr | None = None
    sender: str
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=30, gt=0)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.security == "plain" and not is_loopback(self.host):
            raise ValueError('security = "plain" sends deals in the open, use "starttls" or "tls"')
        if (self.username is None) != (self.password is None):
            raise ValueError("give both `username` and `password`, or neither")
        return self


class Webhook(Section):
    """[alerts.webhooks.<name>]: a room of Slack or Teams, or an address that takes JSON.

    Its address holds the right to post, so it is a secret as a whole.
    """

    kind: Literal["slack", "teams", "webhook"]
    url: SecretStr
    topics: tuple[Literal["manager", "finance", "data"], ...] = Field(min_length=1)

    @field_validator("url")
    @classmethod
    def _address(cls, url: SecretStr) -> SecretStr:
        """Its text must not show in the error, so the address is never repeated."""
        try:
            parts = urlsplit(url.get_secret_value())
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("is no web address") from None
        if parts.scheme == "https" and host:
            return url
        if parts.scheme == "http" and is_loopback(host):
            return url
        raise ValueError("is no https address (http is for 127.0.0.1 only)")


class Alerts(Section):
    """[alerts]."""

    country: Country | None = None
    """Its public holidays are no working days; without it only the company's own."""
    countries: dict[str, Country] = Field(default_factory=dict)
    """By address or team, for those who work elsewhere."""
    locale: Annotated[str, AfterValidator(_locale)] = "en_GB"
    reminder_time: time = time(9)
    deals_listed: int = Field(default=30, ge=1)
    finance: tuple[str, ...] = ()
    data_team: tuple[str, ...] = ()
    smtp: Smtp | None = None
    webhooks: dict[str, Webhook] = Field(default_factory=dict)


class ScheduledExport(Section):
    """[[exports]]: a mart that is written to a folder after each publication, and to a bucket."""

    mart: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    folder: Path
    format: Literal["csv", "xlsx", "parquet"] = "csv"
    where: str | None = None
    file: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    decimal_comma: bool = False
    bare: bool = False
    bucket: str | None = None
    """``s3://<bucket>/<prefix>``, with ``?region=`` or ``?endpoint_override=`` where needed."""

    @field_validator("bucket")
    @classmethod
    def _bucket(cls, address: str | None) -> str | None:
        if address is None:
            return None
        try:
            parts = urlsplit(address)
            host, secret = parts.hostname, parts.username or parts.password
        except ValueError:
            host, secret = None, None
        if secret is not None:
            # Not repeated: it would stand in the message.
            raise ValueError("holds credentials; give them by AWS_ACCESS_KEY_ID and the like")
        if parts.scheme != "s3" or not host:
            raise ValueError(f"{address!r} is no address such as s3://bucket/folder")
        return address.rstrip("/")

    @property
    def path(self) -> Path:
        """The file that is written."""
        return self.folder / (self.file or f"{self.mart}.{self.format}")
