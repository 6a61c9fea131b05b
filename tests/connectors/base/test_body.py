"""The text of mail: HTML reduced to what is read, transfer encodings, cuts."""

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.body import (
    BODY_CHARACTERS,
    charset_of,
    decoded_body,
    decoded_transfer,
    html_text,
    shown_body,
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello&nbsp;<b>Sam</b>,</p><p>see   you<br>soon</p>", "Hello Sam,\n\nsee you\nsoon"),
        ("<head><title>t</title><style>p{}</style></head><body>x</body>", "x"),
        ("<head><title>never closed<body>x", "x"),
        ("a<script>alert(1)</script>b", "ab"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1\t2\n\n3"),
        ("<![if !supportLists]>1.<![endif]> first<!--[if mso]>hidden<![endif]-->", "1. first"),
        ("5 &lt; 6 &amp; &#8364;7", "5 < 6 & €7"),
        ("an open <!-- comment", "an open"),
    ],
)
def test_html_becomes_what_its_reader_sees(html: str, text: str) -> None:
    """Markup, styles and scripts in a text would be searched and counted as words."""
    assert text == html_text(html).replace("\u00a0", " ")


@given(st.text(alphabet="<>!-[]/abp&;\"'= \n\0", max_size=200))
def test_no_markup_stops_the_reading_of_a_mailbox(html: str) -> None:
    """One broken mail in a million must not keep the others from landing."""
    assert "\0" not in html_text(html)


def test_markup_that_never_ends_is_read_in_a_moment() -> None:
    """Each comment left open would make a careless parser read the rest anew."""
    assert {"body_text": None, "is_body_cut": True} == shown_body(
        None, "<!--" * BODY_CHARACTERS * 2
    )


def test_plain_text_counts_before_html_and_a_long_one_is_cut_and_says_so() -> None:
    """Ten megabytes of quoted history are no sentence more."""
    assert {"body_text": "plain", "is_body_cut": False} == shown_body("plain\r\n", "<p>html")
    assert {"body_text": "html", "is_body_cut": False} == shown_body(" \n", "<p>html")
    assert {"body_text": None, "is_body_cut": False} == shown_body(None)

    cut = shown_body("x" * (BODY_CHARACTERS + 1))

    assert (BODY_CHARACTERS, True) == (len(cut["body_text"]), cut["is_body_cut"])


@given(st.binary(max_size=60), st.integers(0, 90))
def test_the_beginning_of_base64_is_the_beginning_of_what_it_says(data: bytes, cut: int) -> None:
    """A part is asked for up to a limit, which ends it anywhere."""
    written = base64.encodebytes(data)

    assert data.startswith(decoded_transfer(written[:cut], "base64"))
    assert data == decoded_transfer(written, "base64")


def test_what_senders_write_in_their_encodings_is_read() -> None:
    """Umlauts and yen signs are most of the mail of some customers."""
    written = quopri.encodestring("Grüße".encode("latin-1"))
    assert "Grüße" == decoded_body(decoded_transfer(written, "quoted-printable"), "iso-8859-1")
    assert "見積" == decoded_body("見積".encode("iso-2022-jp"), "iso-2022-jp")
    assert "5 " == decoded_body("5 €".encode()[:-1], "utf-8", is_cut=True)
    assert ("utf-8", "us-ascii") == (charset_of('text/plain; charset="UTF-8"'), charset_of(None))
