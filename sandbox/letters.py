"""Headers and parts of a message as vendors show them."""

import re
from email.header import decode_header, make_header
from email.message import Message
from typing import cast


def unfolded(value: str) -> str:
    """A field on one line."""
    return re.sub(r"\r?\n[ \t]+", " ", str(value))


def decoded_words(value: str) -> str:
    """A field with its encoded words in Unicode."""
    return str(make_header(decode_header(value)))


def section(message: Message, number: str) -> bytes:
    """The text of a part as it was sent; part 1 of a message without parts is its text."""
    for place in number.split("."):
        inner = message.get_payload()
        part = inner[int(place) - 1] if isinstance(inner, list) else message
        message = cast("Message", part)
    text = message.get_payload()
    return text.encode("ascii", "surrogateescape") if isinstance(text, str) else b""
