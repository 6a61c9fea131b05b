"""The fictional company's mailboxes and spreadsheets."""

import csv
import hashlib
import io
from email import message_from_bytes
from email.header import decode_header, make_header

import pytest

from sandbox.company import Company, build
from sandbox.company.mailboxes import MailMessage


@pytest.fixture(scope="module")
def company() -> Company:
    """A tenth of the company."""
    return build(seed=7, scale=0.1)


def messages(company: Company) -> list[MailMessage]:
    return [
        message
        for folders in company.mail.values()
        for folder in folders.values()
        for message in folder.messages
    ]


def test_the_same_seed_gives_the_same_mail_and_files(company: Company) -> None:
    """Bytes, not just counts: the landing's hashes depend on them."""
    again = build(seed=7, scale=0.1)

    digests = [
        hashlib.sha256(
            b"".join(message.raw for message in messages(one)) + b"".join(one.files.values())
        ).hexdigest()
        for one in (company, again)
    ]
    assert digests[0] == digests[1]


def test_mail_parses_and_every_body_can_be_found_again(company: Company) -> None:
    """The marker in each body is how a test proves that bodies are not kept."""
    for message in messages(company):
        parsed = message_from_bytes(message.raw)
        part = parsed.get_payload()[0] if parsed.is_multipart() else parsed  # type: ignore[index]

        assert parsed["From"]
        assert b"BODY-OF-" in part.get_payload(decode=True)  # type: ignore[union-attr]


def test_subjects_come_in_japanese_and_german_and_several_charsets(company: Company) -> None:
    """A warehouse that reads UTF-8 alone loses half of them."""
    subjects = [str(message_from_bytes(one.raw)["Subject"]) for one in messages(company)]
    charsets = {charset for one in subjects for _, charset in decode_header(one) if charset}
    decoded = {str(make_header(decode_header(one))) for one in subjects}

    assert {"utf-8", "iso-2022-jp", "iso-8859-1"} <= charsets
    assert any("見積" in one for one in decoded)
    assert any("Rückfrage" in one for one in decoded)


def test_one_message_lies_in_several_boxes(company: Company) -> None:
    """Counted per box, mail would be counted twice."""
    truth = company.truth.email

    assert truth.sightings > truth.messages > 0
    assert sum(truth.by_direction.values()) == truth.messages
    assert set(truth.by_kind) == {"person", "auto", "bounce", "list"}


def test_uids_rise_in_every_folder(company: Company) -> None:
    """IMAP promises strictly ascending UIDs."""
    for folders in company.mail.values():
        for folder in folders.values():
            uids = [message.uid for message in folder.messages]
            assert uids == sorted(set(uids))


def test_candidates_write_from_domains_that_the_crm_does_not_know(company: Company) -> None:
    """An unknown sender of a known company is a contact, not a lead candidate."""
    known = {account.domain for account in company.world.accounts}

    assert company.truth.email.candidates
    for address in company.truth.email.candidates:
        assert address.split("@")[1] not in known


def test_versions_of_a_person_follow_each_other_without_gap_or_overlap(company: Company) -> None:
    """Half-open rows: the day a row ends is the day the next begins."""
    rows = list(csv.DictReader(io.StringIO(company.files["users.csv"].decode())))
    last: dict[str, str] = {}
    for row in rows:
        if row["email"] in last:
            assert row["valid_from"] == last[row["email"]]
        last[row["email"]] = row["valid_to"]

    assert sum(row["role"] == "rep" for row in rows) >= 25


def test_a_quota_has_versions_some_of_them_in_the_future(company: Company) -> None:
    """A raise that is written down but not in force yet must not count."""
    rows = list(csv.DictReader(io.StringIO(company.files["quotas.csv"].decode())))
    keys = [(row["scope_id"], row["period"]) for row in rows]
    today = company.truth.as_of_date.isoformat()

    assert len(keys) > len(set(keys))
    assert any(row["valid_from"] > today for row in rows)


def test_rates_exist_on_business_days_only_and_end_before_today(company: Company) -> None:
    """Today's fixing is not out at eight in the morning; weekends take Friday's."""
    rows = list(csv.DictReader(io.StringIO(company.files["fx_rates.csv"].decode())))
    spot = [row["rate_date"] for row in rows if row["rate_type"] == "spot"]

    assert max(spot) == "2026-10-14"
    assert "2026-10-10" not in spot


def test_the_small_export_is_german_to_the_last_comma(company: Company) -> None:
    """It is the proof that a CRM without connector can be read."""
    text = company.files["export/deals.csv"].decode("cp1252")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    won = [row for row in rows if row["Phase"] == "Gewonnen"]

    assert len(won) == sum(company.export_truth.won_count.values())
    assert all("," in row["Betrag"] for row in rows)
