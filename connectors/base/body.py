"""The text of a message, where a mail source is told to land it.

Plain text counts before HTML, which is reduced to its text; nothing else of a message is ever
kept. Every source lands the same two fields, cut at the same length.
"""

import base64
import quopri
import re
from email.message import Message
from html.parser import HTMLParser
from typing import Any

from connectors.base.mail import decode_as

BODY_CHARACTERS = 65_536
"""What is longer is cut; the mark ``is_body_cut`` says so."""
MARKUP_CHARACTERS = 4 * BODY_CHARACTERS
"""As much of HTML is looked at."""
_COMMENTS = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CONDITIONS = re.compile(r"<!\[[^>]*(?:>|\Z)")
_HIDDEN = frozenset({"head", "script", "style", "title", "template"})
_BLOCKS = frozenset(
    {
        *("address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section"),
        *("table", "tr", "ul"),
    }
)
_CELLS = frozenset({"td", "th"})


def shown_body(
    text: str | None, html: str | None = None, *, is_cut: bool = False
) -> dict[str, Any]:
    """The fields that all mail sources land of a body; null where a message has no text.

    ``is_cut`` says that a source itself gave only the beginning.
    """
    if text and text.strip():
        shown = tidy(text)
    else:
        markup = html or ""
        shown = html_text(markup[:MARKUP_CHARACTERS])
        is_cut = is_cut or len(markup) > MARKUP_CHARACTERS
    return {
        "body_text": shown[:BODY_CHARACTERS] or None,
        "is_body_cut": is_cut or len(shown) > BODY_CHARACTERS,
    }


def html_text(html: str) -> str:
    """HTML as its reader sees it: blocks on lines of their own, no markup, no scripts."""
    reader = _Reader()
    # The parser stops at Outlook's <![if ...]>, and looks for the end of each open comment anew.
    reader.feed(_CONDITIONS.sub("", _COMMENTS.sub("", html)))
    reader.close()
    return tidy("".join(reader.pieces))


def tidy(text: str) -> str:
    """Lines without trailing space, at most one empty line in a row, no NUL."""
    clean = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    clean = re.sub(r"[ \t\f\v\u00a0]+\n", "\n", clean)
    return re.sub(r"\n{3,}", "\n\n", clean).strip()


def charset_of(content_type: str | None) -> str:
    """The encoding that a Content-Type names; us-ascii where it names none."""
    message = Message()
    message["Content-Type"] = content_type or "text/plain"
    return message.get_content_charset("us-ascii")


def decoded_body(data: bytes, charset: str, *, is_cut: bool = False) -> str:
    """Bytes as text by what their sender declared; half a character at a cut is left out."""
    text = decode_as(data, charset)
    return text.rstrip("\ufffd") if is_cut else text


def decoded_transfer(data: bytes, encoding: str) -> bytes:
    """The octets behind a transfer encoding; the beginning of some is taken as it comes."""
    if encoding == "quoted-printable":
        return quopri.decodestring(data)
    if encoding == "base64":
        plain = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        return base64.b64decode(plain[: len(plain) - len(plain) % 4] + _padded(plain))
    return data


def _padded(plain: bytes) -> bytes:
    """The last group of base64, filled up; a single digit says nothing."""
    rest = plain[len(plain) - len(plain) % 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


class _Reader(HTMLParser):
    """Collects what is shown; the standard library's parser takes broken markup as it comes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._hidden.clear()
        elif tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]
        elif tag in _CELLS:
            self.pieces.append("\t")
        elif tag in _BLOCKS and tag != "br":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(re.sub(r"\s+", " ", data))
