"""The same mail through IMAP, Gmail and Microsoft 365 gives the same rows, each message once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipeledger.pipeline import warehouse_of
from sandbox.company.mail import direction
from sandbox.demo import mailbox_name
from tests.e2e.every import Every
from tests.e2e.road import connect
from tests.e2e.vendors import cases
from tests.e2e.vendors.imap import STORES_BODIES
from tests.e2e.vendors.letters import ODD

SOURCES = ("gmail", "imap", "msgraph")

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("every"), pytest.mark.timeout(900)),
    pytest.mark.skipif(
        not set(SOURCES) <= {case.source for case in cases()},
        reason="the vendors of this run lack one",
    ),
]

SAME = (
    *("message_id", "in_reply_to", "reference_ids", "from_address", "from_name"),
    *("to_addresses", "cc_addresses", "bcc_addresses", "subject", "sent_at_basis", "list_id"),
    *("has_message_id", "has_attachment", "is_bounce", "is_auto_reply", "sent_at", "received_at"),
    *("is_deleted", "change", "observed_at"),
)
"""All staged columns but where it lies, the vendor's own flags, and the size."""


@pytest.fixture(scope="module")
def warehouse(every: Every) -> Iterator[duckdb.DuckDBPyConnection]:
    """The built models, staging among them."""
    with connect(Path(warehouse_of(every.road.settings))) as db:
        yield db


def test_three_systems_stage_every_message_of_every_mailbox_alike(
    every: Every, warehouse: duckdb.DuckDBPyConnection
) -> None:
    """Field by field: a team that changes its mail system sees no step in its numbers."""
    mailboxes = {mailbox_name(address): address for address in every.road.company.mail}
    staged: dict[str, list[tuple[object, ...]]] = {}
    for source in SOURCES:
        place = "connection" if source == "imap" else "mailbox"
        rows = warehouse.execute(
            f"select {place}, {', '.join(SAME)} from staging.stg_{source}__messages order by all"
        ).fetchall()
        staged[source] = sorted(
            ((mailboxes.get(row[0], row[0]), *row[1:]) for row in rows), key=repr
        )

    for source in ("gmail", "msgraph"):
        pairs = zip(staged["imap"], staged[source], strict=True)
        assert [] == [(one, other) for one, other in pairs if one != other]
    landed = {key for odd in ODD.values() if (key := odd.key)}
    assert landed <= {row[1] for row in staged["imap"]}
    assert "thrown@odd.test" not in {row[1] for row in staged["imap"]}


def test_a_message_is_one_row_and_every_mailbox_a_sighting(every: Every) -> None:
    """Three systems and all their mailboxes, and the CRMs that logged it."""
    expected: dict[str, set[str]] = {}
    for letter in every.road.company.post.letters:
        if letter.message_id and direction(letter) != "internal":
            expected[letter.message_id] = _places(letter.boxes)
    expected |= {odd.key: _places(odd.at) for odd in ODD.values() if odd.key}

    found = every.road.rows(
        "select email_key, mailboxes, n_mailboxes from marts.fct_email "
        "where source_system in ('gmail', 'imap', 'msgraph') and email_key not like 'sha256-%'"
    )

    assert {key: len(boxes) for key, boxes, _ in found} == {key: n for key, _, n in found}
    told = {key: {one for one in boxes if not one.endswith(":crm")} for key, boxes, _ in found}
    assert expected == told


def test_a_message_without_an_id_is_recognised_in_every_mailbox(every: Every) -> None:
    """By second, sender, recipients and subject; the answer's mark and the encoding differ."""
    unnamed = [one for one in every.road.company.post.letters if one.message_id is None]
    odd = [one for one in ODD.values() if one.key is None]
    expected = Counter(len(one.boxes) * 3 for one in unnamed)
    expected.update(len(one.at) * 3 for one in odd)

    found = every.road.rows(
        "select n_mailboxes from marts.fct_email where email_key like 'sha256-%'"
    )

    assert expected == Counter(row[0] for row in found)
    assert odd


@pytest.mark.skipif(
    "zoho" not in {case.source for case in cases()}, reason="the vendors of this run lack it"
)
def test_a_log_that_names_no_message_is_recognised_in_the_mailboxes(every: Every) -> None:
    """Zoho's: what no mailbox holds is a message of its own, all else was there already."""
    company = every.road.company
    in_mailboxes = {letter.message_id for letter in company.post.letters if letter.boxes}
    logged = {
        one.id: one.message_id in in_mailboxes
        for one in company.world.activities
        if one.kind == "emails"
        and one.archived_at is None
        and one.deal is not None
        and one.deal.archived_at is None
    }

    found = every.road.rows(
        "select count(*) filter (email_key not like 'crm:%'), "
        "count(*) filter (email_key like 'crm:%') from marts.fct_email "
        "where list_contains(mailboxes, 'zoho:crm')"
    )

    assert [(sum(logged.values()), len(logged) - sum(logged.values()))] == found
    assert any(logged.values())


@pytest.mark.parametrize("what", [what for what, odd in ODD.items() if odd.key])
def test_an_odd_letter_is_what_it_is(every: Every, what: str) -> None:
    """Direction, machine and list, from whatever the three systems show."""
    odd = ODD[what]

    found = every.road.rows(
        "select direction, is_auto_reply, is_list from marts.fct_email "
        f"where email_key = '{odd.key}'"
    )

    assert [(odd.direction, odd.is_auto_reply, odd.is_list)] == found


def test_a_conversation_is_one_thread(every: Every) -> None:
    """Whoever wrote in it, and wherever its letters lie."""
    of_letter = {
        one.message_id: one.thread
        for one in every.road.company.post.letters
        if one.message_id and direction(one) != "internal"
    }
    threads: dict[str, set[str]] = defaultdict(set)

    for key, thread in every.road.rows("select email_key, thread_key from marts.fct_email"):
        if key in of_letter:
            threads[of_letter[key]].add(thread)

    assert {1} == {len(keys) for keys in threads.values()}
    assert len(threads) == len(set().union(*threads.values()))


@pytest.mark.parametrize("source", SOURCES)
def test_no_word_of_a_text_lands_unless_told(
    warehouse: duckdb.DuckDBPyConnection, source: str
) -> None:
    """Every body and one header holds a mark; in the clear and as it is encoded in mail."""
    marks = ("BODY-OF", "Qk9EWS1PRi", "SECRET-")

    found = {
        mark: warehouse.execute(
            f"select count(*), count(*) filter (strpos(cast(payload as varchar), '{mark}') > 0) "
            f"from raw.{source}__messages where connection <> '{mailbox_name(STORES_BODIES)}'"
        ).fetchone()
        for mark in marks
    }

    assert all(row is not None and row[0] > 100 and row[1] == 0 for row in found.values()), found


def test_text_is_served_of_the_mailbox_that_stores_it_and_of_no_other(every: Every) -> None:
    """Every message that it holds, in its encoding; the same mail elsewhere adds nothing."""
    name = mailbox_name(STORES_BODIES)
    expected = every.road.rows(
        f"select email_key from marts.fct_email where list_contains(mailboxes, '{name}')"
    )

    found = every.road.rows("select email_key, connection, body_text from marts.fct_email_body")

    assert len(found) > 100
    assert {name} == {row[1] for row in found}
    assert {row[0] for row in expected} == {row[0] for row in found}
    assert [] == [row for row in found if "BODY-OF-" not in row[2]]


def _places(boxes: Iterable[tuple[str, str]]) -> set[str]:
    """The names of a message's mailboxes in the three systems."""
    addresses = {box for box, _ in boxes}
    return {
        name
        for address in addresses
        for name in (mailbox_name(address), f"gmail:{address}", f"msgraph:{address}")
    }
