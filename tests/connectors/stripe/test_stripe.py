"""Stripe: the whole account, then only what changed, from a log that runs backwards."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base.errors import AccessDenied, ProtocolError
from connectors.base.stream import ReadRequest, Resources
from connectors.stripe import CONNECTOR, check
from connectors.stripe.session import open_account
from connectors.stripe.settings import StripeSettings
from sandbox.exchange import Reply, Request
from sandbox.stripe import TEST_KEY, Key, StripeServer
from tests.connectors.stripe.shelf import Reader, ids, records, settings

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)


def test_the_first_load_reads_every_object_once(server: StripeServer, reader: Reader) -> None:
    """Four hundred objects of one second and three pages: none lost at the seams."""
    made = [server.state.has("charges", amount=n)["id"] for n in range(400)]

    assert sorted(made) == ids(reader.read("charges"))


def test_the_second_run_fetches_what_the_log_names_and_nothing_else(
    server: StripeServer, reader: Reader
) -> None:
    """An event is a signal; the object is asked for in today's shape."""
    kept = server.state.has("invoices", status="open")
    changed = server.state.has("invoices", status="open")
    server.state.advance(hours=1)
    reader.read("invoices")
    server.state.advance(hours=1)
    server.state.change("invoices", changed["id"], "paid", status="paid")
    fresh = server.state.has("invoices", status="draft")
    server.state.advance(minutes=2)

    second = reader.read("invoices")

    assert sorted([changed["id"], fresh["id"]]) == ids(second)
    assert 0 == server.count(f"/v1/invoices/{kept['id']}$")
    paid = next(r for r in records(second) if r.record_id == changed["id"])
    assert "paid" == json.loads(paid.payload or b"")["status"]
    assert datetime(2026, 10, 15, 8, tzinfo=UTC) == paid.source_updated_at


def test_what_happened_during_the_first_load_is_found_by_the_second(
    server: StripeServer, reader: Reader
) -> None:
    """The log is read from the load's start on, not from its end."""
    for number in range(150):
        server.state.has("customers", name=f"c{number}")
    first = next(iter(server.state.objects["customers"]))
    reader.read("customers", stop_after=1)
    server.state.change("customers", first, name="renamed")
    server.state.has("customers", name="new on page one")
    reader.read("customers")
    server.state.advance(minutes=5)

    second = reader.read("customers")

    names = {json.loads(r.payload or b"")["name"] for r in records(second)}
    assert {"renamed", "new on page one"} <= names


def test_a_load_that_was_interrupted_goes_on_where_it_stopped(
    server: StripeServer, reader: Reader
) -> None:
    """A million charges must not start over for one lost connection."""
    made = [server.state.has("charges", amount=n)["id"] for n in range(350)]
    first = reader.read("charges", stop_after=2)

    rest = reader.read("charges")

    assert 150 == len(ids(rest))
    assert sorted(made) == sorted(ids(first) + ids(rest))


def test_a_load_whose_last_object_was_deleted_starts_again(
    server: StripeServer, reader: Reader
) -> None:
    """Stripe answers 400 for a vanished starting_after; that is no end of the list."""
    for number in range(250):
        server.state.has("customers", name=f"c{number}")
    reader.read("customers", stop_after=1)
    server.state.delete("customers", reader.cursors["customers"]["spans"][0]["after"])

    rest = reader.read("customers")

    assert set(server.state.objects["customers"]) <= set(ids(rest))


def test_a_deleted_object_lands_as_deleted_with_its_last_content(
    server: StripeServer, reader: Reader
) -> None:
    """No list shows it any more; only the event does."""
    draft = server.state.has("invoices", status="draft", number="D-1")
    reader.read("invoices")
    server.state.advance(hours=1)
    server.state.delete("invoices", draft["id"])
    server.state.advance(minutes=2)

    (gone,) = records(reader.read("invoices"))

    assert (draft["id"], "deleted") == (gone.record_id, gone.change)
    assert "D-1" == json.loads(gone.payload or b"")["number"]


def test_a_gap_longer_than_the_logs_reach_reads_the_whole_list(
    server: StripeServer, reader: Reader
) -> None:
    """After forty days the log has forgotten ten; a list forgets nothing."""
    forgotten = server.state.has("invoices", status="open")
    reader.read("invoices")
    server.state.change("invoices", forgotten["id"], "paid", status="paid")
    server.state.advance(days=40)

    second = reader.read("invoices")

    (record,) = records(second)
    assert "paid" == json.loads(record.payload or b"")["status"]


def test_every_page_of_the_log_is_read_before_the_cursor_moves(
    server: StripeServer, reader: Reader
) -> None:
    """The log runs newest first: a pass that stops half way has not seen the older half."""
    reader.read("charges")
    server.state.advance(hours=1)
    made = [server.state.has("charges", amount=n)["id"] for n in range(120)]
    server.state.advance(minutes=2)
    before = dict(reader.cursors["charges"])
    reader.read("charges", stop_after=1)
    assert before == reader.cursors["charges"]

    assert sorted(made) == ids(reader.read("charges"))


def test_events_of_the_last_minute_are_left_to_the_next_run(
    server: StripeServer, reader: Reader
) -> None:
    """The log is filled with a delay; a cursor at now would skip the late ones."""
    reader.read("charges")
    server.state.advance(hours=1)
    late = server.state.has("charges", amount=1)

    assert [] == ids(reader.read("charges"))
    server.state.advance(minutes=3)
    assert [late["id"]] == ids(reader.read("charges"))


def test_all_lines_of_a_long_invoice_land(server: StripeServer, reader: Reader) -> None:
    """An invoice shows ten; the eleventh is money too."""
    invoice = server.state.has("invoices", status="open")
    server.state.lines["invoices", invoice["id"]] = [
        {"id": f"il_{n:03}", "object": "line_item", "amount": n, "invoice": invoice["id"]}
        for n in range(137)
    ]

    pages = reader.read("invoices")

    lines = [r for page in pages for r in page.children.get("invoice_line_items", ())]
    assert [f"il_{n:03}" for n in range(137)] == [line.record_id for line in lines]


def test_payments_are_listed_again_after_an_event_of_their_invoice(
    server: StripeServer, reader: Reader
) -> None:
    """A cancelled invoice payment has no event of its own."""
    invoice = server.state.has("invoices", status="open")
    payment = server.state.has("invoice_payments", None, invoice=invoice["id"], status="open")
    reader.read("invoice_payments")
    server.state.advance(hours=1)
    payment["status"] = "canceled"
    server.state.change("invoices", invoice["id"], "voided", status="void")
    server.state.advance(minutes=2)

    (record,) = records(reader.read("invoice_payments"))

    assert "canceled" == json.loads(record.payload or b"")["status"]


def test_cancelled_subscriptions_are_read_on_the_first_load(
    server: StripeServer, reader: Reader
) -> None:
    """The list hides them unless asked; churn would be invisible."""
    gone = server.state.has("subscriptions", status="canceled")

    assert [gone["id"]] == ids(reader.read("subscriptions"))


def test_balance_transactions_are_read_again_until_their_status_has_settled(
    server: StripeServer, reader: Reader
) -> None:
    """They have no events, and turn from pending to available within a week."""
    pending = server.state.has("balance_transactions", None, status="pending", fee=35)
    reader.read("balance_transactions")
    server.state.advance(days=5)
    pending["status"] = "available"

    (record,) = records(reader.read("balance_transactions"))

    assert "available" == json.loads(record.payload or b"")["status"]


def test_only_customers_whose_balance_moved_are_asked_for_their_ledger(
    server: StripeServer, reader: Reader
) -> None:
    """One request per customer and run would cost thousands."""
    rich = server.state.has("customers", balance=-500)
    poor = server.state.has("customers", balance=0)
    server.state.balances[rich["id"]] = [
        {"id": "cbtxn_1", "object": "customer_balance_transaction", "amount": -500}
    ]

    assert ["cbtxn_1"] == ids(reader.read("customer_balance_transactions"))
    assert 0 == server.count(f"/v1/customers/{poor['id']}/balance_transactions")


def test_bearer_links_cards_and_streets_never_land(server: StripeServer, reader: Reader) -> None:
    """A hosted invoice link opens the invoice to whoever holds it."""
    server.state.has(
        "charges",
        amount=119000,
        receipt_url="https://pay.example/CANARY",
        payment_method_details={"card": {"last4": "CANARY"}},
        billing_details={"address": {"line1": "CANARY", "country": "DE"}, "phone": "CANARY"},
        source="card_1",
    )

    (record,) = records(reader.read("charges"))

    content = json.loads(record.payload or b"")
    assert b"CANARY" not in (record.payload or b"")
    assert "DE" == content["billing_details"]["address"]["country"]
    assert (119000, "card_1") == (content["amount"], content["source"])


def test_digits_stay_as_stripe_sent_them(server: StripeServer, reader: Reader) -> None:
    """A rate that went through a float is another rate."""
    server.state.has("balance_transactions", None, fee=1)

    def exact(_: Request, reply: Reply) -> Reply:
        reply.body = reply.body.replace(b'"fee": 1', b'"fee": 1, "exchange_rate": 1.10').replace(
            b'"fee":1', b'"fee":1,"exchange_rate":1.10'
        )
        return reply

    server.fail("/v1/balance_transactions", exact)

    (record,) = records(reader.read("balance_transactions"))

    assert b'"exchange_rate":1.10' in (record.payload or b"")


def test_an_object_of_the_other_mode_is_set_aside(server: StripeServer, reader: Reader) -> None:
    """Test and live are different worlds with different money."""
    server.state.has("charges", amount=1, livemode=True)

    (page, *_) = reader.read("charges")

    assert [] == list(page.records)
    assert "other mode" in page.rejected[0].reason


def test_a_missing_right_fails_its_stream_and_names_the_right(
    server: StripeServer, reader: Reader
) -> None:
    """Rows that vanish for lack of access read as missing money."""
    server.state.keys[TEST_KEY] = Key(frozenset({"invoices"}))

    with pytest.raises(AccessDenied, match="403"):
        reader.read("invoices")

    assert [] == ids(reader.read("charges"))


def test_a_wrong_key_is_said_so_and_never_shown(server: StripeServer, tmp_path: Path) -> None:
    """The whole source is closed, and the key stays out of the text."""
    wrong = Reader(server, tmp_path, api_key="rk_test_wrongcanary00000")

    with pytest.raises(AccessDenied) as caught:
        wrong.read("charges")

    assert caught.value.whole_source
    assert "wrongcanary" not in str(caught.value)


def test_an_answer_in_another_version_is_refused(server: StripeServer, reader: Reader) -> None:
    """Old shapes under new names would be read as missing payments."""
    server.state.has("charges", amount=1)

    def old(_: Request, reply: Reply) -> Reply:
        reply.headers = {**reply.headers, "Stripe-Version": "2022-11-15"}
        return reply

    server.fail("/v1/charges", old)

    with pytest.raises(ProtocolError, match="2022-11-15"):
        reader.read("charges")


def test_a_server_that_repeats_its_page_is_stopped(server: StripeServer, reader: Reader) -> None:
    """A loop that is followed never ends and doubles everything."""
    for number in range(150):
        server.state.has("charges", amount=number)
    pages: list[bytes] = []

    def repeat(_: Request, reply: Reply) -> Reply:
        pages.append(reply.body)
        reply.body = pages[0]
        return reply

    server.fail("/v1/charges", repeat, times=10)

    with pytest.raises(ProtocolError, match="this page"):
        reader.read("charges")


def test_doctor_names_missing_rights_and_warns_of_a_secret_key(
    server: StripeServer, tmp_path: Path
) -> None:
    """A restricted key does not tell what it may; the answers do."""
    server.state.keys["sk_test_all00000"] = Key(frozenset({"disputes"}))

    async def ask() -> Any:
        config = settings(server, api_key="sk_test_all00000")
        async with open_account(config, Resources("s", str(tmp_path), lambda: NOW)) as session:
            return await check(session)

    report = asyncio.run(ask())

    assert {"disputes": ("Disputes (read)",)} == dict(report.missing)
    assert ("write",) == report.needless


@pytest.mark.parametrize("key", ["whsec_1", "pk_live_1", ""])
def test_a_key_of_the_wrong_kind_is_refused_before_any_call(key: str) -> None:
    """A publishable key or a webhook secret is an easy slip."""
    with pytest.raises(ValueError, match="rk_live_"):
        StripeSettings.model_validate({"api_key": key})


def test_a_delete_whose_event_has_expired_is_missing_from_the_listed_ids(
    server: StripeServer, reader: Reader
) -> None:
    """The log forgets after 30 days; only a list of what is left can tell."""
    kept = [server.state.has("customers")["id"] for _ in range(205)]
    lost = server.state.has("customers")["id"]
    reader.read("customers")
    server.state.delete("customers", lost)
    server.state.advance(days=40)
    stream = CONNECTOR.stream("customers")

    async def listed() -> list[str]:
        resources = Resources("stripe", str(reader.state), lambda: server.state.now)
        async with open_account(reader.settings, resources) as session:
            assert stream.list_ids is not None
            request = ReadRequest(stream, "stripe", server.state.now)
            return [one async for page in stream.list_ids(session, request) for one in page]

    assert sorted(kept) == sorted(asyncio.run(listed()))
    assert stream.sweep_every < timedelta(days=29)
