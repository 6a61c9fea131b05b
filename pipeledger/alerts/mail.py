"""Mail by the company's own server: text, HTML and the calendar, to the company's own people."""

import smtplib
import ssl
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from connectors.base.errors import PipeledgerError
from connectors.base.redact import redact
from pipeledger.settings.alerts import Smtp
from pipeledger.settings.domains import outside


class DeliveryError(PipeledgerError):
    """A message did not arrive; it is not noted as sent, and goes out with the next call."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to one person; equal ``message_id``s are one message to mail programs."""

    to: str
    message_id: str
    subject: str
    text: str
    html: str
    calendars: Sequence[tuple[str, str, bytes]] = ()
    """File name, method and content."""


class Mailer:
    """A session with the mail server, opened by the first letter."""

    def __init__(self, smtp: Smtp, own_domains: Collection[str]) -> None:
        self._smtp = smtp
        self._own_domains = own_domains
        self._session: smtplib.SMTP | None = None

    def send(self, letter: Letter, at: datetime) -> None:
        """Send one letter.

        Raises:
            DeliveryError: the address is not the company's own, or the server did not take it.
        """
        # The last gate before the network: whoever called, nothing goes outside.
        if (problem := outside(letter.to, self._own_domains)) is not None:
            raise DeliveryError(problem)
        message = composed(letter, self._smtp.sender, at)
        try:
            if self._session is None:
                self._session = self._signed_in()
            self._session.send_message(message, self._smtp.sender, [letter.to])
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            place = f"{self._smtp.host}:{self._smtp.port}"
            raise DeliveryError(f"{letter.to}: {place} refused: {redact(str(error))}") from None

    def _signed_in(self) -> smtplib.SMTP:
        smtp = self._smtp
        trusted = ssl.create_default_context(cafile=smtp.ca_file)
        session: smtplib.SMTP
        if smtp.security == "tls":
            session = smtplib.SMTP_SSL(
                smtp.host, smtp.port, timeout=smtp.timeout_seconds, context=trusted
            )
        else:
            session = smtplib.SMTP(smtp.host, smtp.port, timeout=smtp.timeout_seconds)
            if smtp.security == "starttls":
                session.starttls(context=trusted)
        if smtp.username is not None and smtp.password is not None:
            session.login(smtp.username, smtp.password.get_secret_value())
        return session

    def close(self) -> None:
        """End the session; a later letter opens a new one."""
        if self._session is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._session.quit()
            self._session = None


def composed(letter: Letter, sender: str, at: datetime) -> EmailMessage:
    """The letter as it goes over the wire; a header with a line's end in it is refused there."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = letter.message_id
    # No out-of-office reply to a machine (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    for name, method, content in letter.calendars:
        message.add_attachment(
            content.decode(), subtype="calendar", filename=name, params={"method": method}
        )
    return message
