"""Headers of a message as vendors show them: unfolded, and in Unicode."""

import re
from email.header import decode_header, make_header


def unfolded(value: str) -> str:
    """A field on one line."""
    return re.sub(r"\r?\n[ \t]+", " ", str(value))


def decoded_words(value: str) -> str:
    """A field with its encoded words in Unicode."""
    return str(make_header(decode_header(value)))
