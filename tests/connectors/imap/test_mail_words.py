"""What stands in headers and answers, as their senders meant it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base.mail import (
    addresses,
    automatic,
    decode_text,
    fallback_id,
    message_ids,
    parse_headers,
    sent_at,
)
from connectors.imap.responses import fetched, has_attachment, uid_set, uids


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"=?iso-8859-1?Q?Ana_Wei=DF?=", "Ana Weiß"),
        (b"=?UTF-8?B?UmU6IEFuZ2Vib3QgNDcx?=\r\n =?UTF-8?B?MQ==?=", "Re: Angebot 4711"),
        (b"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?ISO-2022-JP?B?GyRCLSEbKEI=?=", "①"),
        ("見積①".encode("cp932"), "見積①"),
        ("Angebot für Müller".encode(), "Angebot für Müller"),
        (b"=?utf-8?q?=E2=9C?= =?utf-8?q?=93_done?=", "✓ done"),
        (b"=?x-unknown?Q?abc?=", "abc"),
    ],
)
def test_subjects_are_read_as_their_senders_meant_them(raw: bytes, expected: str) -> None:
    """Split characters, NEC rows and undeclared bytes all occur in one Japanese inbox."""
    headers = parse_headers(b"Subject: " + raw + b"\r\n\r\n")

    assert expected == decode_text(headers["subject"][0])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<a@x>", ["a@x"]),
        ("<[abc@x>", ["[abc@x"]),
        ("<a@x>\r\n <b@y> <a@x>", ["a@x", "b@y"]),
        ("bare@x", ["bare@x"]),
        ("<>", []),
        ("<abc def@x>", ["abcdef@x"]),
    ],
)
def test_message_ids_survive_what_the_standard_parser_cuts(raw: str, expected: list[str]) -> None:
    """A cut id joins two strangers in one thread."""
    assert expected == message_ids(raw)


def test_address_groups_commas_and_foreign_domains_are_understood() -> None:
    """The domain is what links a message to its company."""
    found = addresses('"Seller, Sam" <Sam@Acme.test>, undisclosed-recipients:;, <x@Bücher.example>')

    assert ["sam@acme.test", "x@xn--bcher-kva.example"] == [one["address"] for one in found]
    assert "Seller, Sam" == found[0]["name"]


@pytest.mark.parametrize(
    ("date", "expected", "basis"),
    [
        ("Thu, 01 Oct 2026 11:00:00 +0200", datetime(2026, 10, 1, 9, tzinfo=UTC), "date"),
        ("Thu, 01 Oct 2026 18:00:00 JST", datetime(2026, 10, 1, 9, tzinfo=UTC), "date"),
        ("Thu, 01 Oct 2026 09:00:00 -0000", datetime(2026, 10, 1, 9, tzinfo=UTC), "date"),
        (
            "Fri, 01 Oct 2032 09:00:00 +0000",
            datetime(2026, 10, 1, 9, 1, tzinfo=UTC),
            "internaldate",
        ),
        ("nonsense", datetime(2026, 10, 1, 9, 1, tzinfo=UTC), "internaldate"),
    ],
)
def test_a_senders_clock_is_believed_only_near_the_arrival(
    date: str, expected: datetime, basis: str
) -> None:
    """A mail from 2032 would make every deal look freshly touched."""
    arrived = datetime(2026, 10, 1, 9, 1, tzinfo=UTC)

    assert (expected, basis) == sent_at(date, arrived)


def test_a_message_without_an_id_is_the_same_in_every_mailbox_and_no_other() -> None:
    """Second, sender, recipients and subject; the mark of an answer and the order tell nothing."""
    moment = datetime(2026, 10, 1, 9, tzinfo=UTC)
    shown = fallback_id(moment, "a@x", ["b@y", "c@z"], "Offer  7", None)

    later = moment + timedelta(milliseconds=900)
    assert shown == fallback_id(later, "a@x", ["c@z", "b@y", "b@y"], "AW: RE[2]: offer 7", None)
    others = {
        fallback_id(moment + timedelta(seconds=1), "a@x", ["b@y", "c@z"], "Offer 7", None),
        fallback_id(moment, "b@x", ["b@y", "c@z"], "Offer 7", None),
        fallback_id(moment, "a@x", ["b@y"], "Offer 7", None),
        fallback_id(moment, "a@x", ["b@y", "c@z"], "Offer 8", None),
        fallback_id(moment, "a@x", ["b@y", "c@z"], "Offer 7", "key"),
    }
    assert 5 == len(others - {shown})


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Automatic reply: Offer", True),
        ("AUTO-REPLY: Offer", True),
        ("Out of Office AutoReply: Offer", True),
        ("Abwesenheitsnotiz: Angebot", True),
        ("=?utf-8?Q?R=C3=A9ponse?= automatique : Offre", True),
        ("自動応答：見積", True),
        ("Re: Automatic reply: Offer", False),
        ("Automatic reply machines for your office", False),
        ("Out of office furniture", False),
    ],
)
def test_an_absence_is_told_by_how_the_subject_begins(subject: str, expected: bool) -> None:
    """Old servers mark nothing else; whoever answers such a mail is a person."""
    headers = parse_headers(f"Subject: {subject}\r\n\r\n".encode())

    assert expected is automatic(headers)["is_absence_subject"]


def test_a_fetch_answer_split_in_two_is_merged_by_uid() -> None:
    """Gmail sends the flags a second time, on their own."""
    pieces = [
        (b"1 (UID 7 BODY[HEADER.FIELDS (FROM)] {13}", b"From: a@b.c\r\n"),
        b" FLAGS (\\Seen))",
        b"1 (FLAGS (\\Seen \\Answered) UID 7)",
        b"9 (FLAGS (\\Seen))",
    ]

    found = fetched(pieces)

    assert [7] == list(found)
    assert [b"\\Seen", b"\\Answered"] == found[7]["FLAGS"]
    assert b"From: a@b.c\r\n" == found[7]["BODY[HEADER.FIELDS]"]


def test_an_inline_picture_is_no_attachment() -> None:
    """Every signature has a logo."""
    inline = [[b"TEXT", b"HTML"], [b"IMAGE", b"PNG", b"NIL", b"<logo>"], b"RELATED"]
    offer = [[b"TEXT", b"PLAIN"], [b"APPLICATION", b"PDF", b"NIL", b"NIL"], b"MIXED"]

    assert not has_attachment(inline)
    assert has_attachment(offer)


def test_uid_sets_round_trip_and_tolerate_zero() -> None:
    """Dovecot once sent VANISHED 0:1; zero is no UID."""
    assert "1:3,7,9:10" == uid_set({1, 2, 3, 7, 9, 10})
    assert {1} == uids("0:1")
    assert {1, 2, 3, 7} == uids("3:1,7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb'1 (UID 7 X "a\"b\\c")', rb'a"b\c'),
        (rb'1 (UID 7 X "")', b""),
        (rb'1 (UID 7 X "a (b) c")', b"a (b) c"),
        (rb"1 (UID 7 X NIL)", b"NIL"),
        (rb"1 (UID 7 X (a (b)))", [b"a", [b"b"]]),
    ],
    ids=["escaped", "empty", "parentheses in quotes", "nil", "nested"],
)
def test_an_answer_is_cut_into_its_atoms_quotes_and_lists(text: bytes, expected: Any) -> None:
    """A quote cut at the wrong place moves every later value by one."""
    assert {7: {"UID": b"7", "X": expected}} == fetched([text])


def test_an_item_name_may_hold_blanks_and_parentheses() -> None:
    """The header block stands under the fields that were asked for."""
    found = fetched([(b"1 (UID 7 BODY[HEADER.FIELDS (DATE FROM)] {4}", b"x: y"), b")"])

    assert {7: {"UID": b"7", "BODY[HEADER.FIELDS]": b"x: y"}} == found
