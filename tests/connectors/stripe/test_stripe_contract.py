"""Stripe, held to its own contract: spans, children, limits, retries, what is asked and how."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base.errors import AccessDenied, VendorError
from connectors.base.stream import Resources
from connectors.stripe import CONNECTOR, check
from connectors.stripe.kinds import KINDS
from connectors.stripe.session import ENDPOINTS, VERSION, endpoint, open_account
from connectors.stripe.settings import StripeSettings
from sandbox.exchange import Reply, Request
from sandbox.stripe import StripeServer
from tests.connectors.stripe.shelf import Reader, children, ids, records, set_aside, settings

DAY = 86_400


def old_charges(server: StripeServer, count: int, days: int) -> list[str]:
    """Charges spread evenly over so many days before now."""
    now = int(server.state.now.timestamp())
    made = [now - days * DAY * place // count for place in range(count, 0, -1)]
    return [server.state.has("charges", None, created=at, amount=at)["id"] for at in made]


def test_a_long_list_is_read_in_spans_without_loss_or_repeat(
    server: StripeServer, reader: Reader
) -> None:
    """Six years, and spans whose borders fall between objects: each comes exactly once."""
    made = old_charges(server, 900, days=2_190)

    pages = reader.read("charges")

    assert sorted(made) == ids(pages)
    asked = [one.query for one in server.requests if one.path == "/v1/charges"]
    assert 4 < sum("created[lt]" in query for query in asked)


@pytest.mark.parametrize("stopped_after", [1, 2, 3, 5])
def test_every_span_goes_on_where_it_stood(
    server: StripeServer, reader: Reader, stopped_after: int
) -> None:
    """Stopped after any page, nothing is lost and no page that landed is read again."""
    made = old_charges(server, 900, days=2_190)

    first = reader.read("charges", stop_after=stopped_after)
    rest = reader.read("charges")

    assert sorted(made) == sorted(ids(first) + ids(rest))


def test_a_short_list_costs_one_request(server: StripeServer, reader: Reader) -> None:
    """Spans are for those who have years; an account of one page shall not pay for them."""
    old_charges(server, 80, days=2_190)

    reader.read("charges")

    assert 1 == server.count("/v1/charges$")


def test_a_cursor_of_an_older_release_is_understood(server: StripeServer, reader: Reader) -> None:
    """Its list was read in one go, behind one id."""
    made = old_charges(server, 250, days=100)
    reader.cursors["charges"] = {
        "phase": "list",
        "began": server.state.now.isoformat(),
        "after": made[150],
    }

    assert sorted(made[:150]) == ids(reader.read("charges"))


def test_an_object_deleted_under_a_span_costs_no_other_object(
    server: StripeServer, reader: Reader
) -> None:
    """Each span whose resume point is gone begins again from that point's second."""
    now = int(server.state.now.timestamp())
    for place in range(600):
        server.state.has("customers", None, created=now - place * 2 * DAY)
    seen = set(ids(reader.read("customers", stop_after=4)))
    for span in reader.cursors["customers"]["spans"]:
        if span["after"] is not None:
            server.state.delete("customers", span["after"])

    rest = set(ids(reader.read("customers")))

    assert set(server.state.objects["customers"]) <= seen | rest
    assert len(rest) < 500


def test_all_lines_of_every_quote_land_with_their_quote(
    server: StripeServer, reader: Reader
) -> None:
    """A quote's lines are no part of it unless asked for, and do not say whose they are."""
    short, long = (server.state.has("quotes", status="open")["id"] for _ in range(2))
    for quote, count in ((short, 3), (long, 137)):
        server.state.lines["quotes", quote] = [
            {"id": f"li_{quote}_{n:03}", "object": "item", "amount_total": n} for n in range(count)
        ]

    lines = children(reader.read("quotes"), "quote_line_items")

    assert 140 == len({line.record_id for line in lines})
    assert {short, long} == {json.loads(line.payload or b"")["quote"] for line in lines}
    assert 0 == server.count(f"/v1/quotes/{short}/line_items")


def test_lines_of_a_changed_quote_come_with_it(server: StripeServer, reader: Reader) -> None:
    """The object asked for by its id must bring its lines as the list does."""
    quote = server.state.has("quotes", status="draft")["id"]
    reader.read("quotes")
    server.state.advance(hours=1)
    server.state.lines["quotes", quote] = [{"id": "li_1", "object": "item", "amount_total": 5}]
    server.state.change("quotes", quote, "finalized", status="open")
    server.state.advance(minutes=2)

    assert ["li_1"] == [
        line.record_id for line in children(reader.read("quotes"), "quote_line_items")
    ]


def test_a_credit_notes_line_past_the_tenth_names_its_note(
    server: StripeServer, reader: Reader
) -> None:
    """Stripe leaves the note out of its lines; without it a line belongs to nothing."""
    note = server.state.has("credit_notes", status="issued")["id"]
    server.state.lines["credit_notes", note] = [
        {"id": f"cnli_{n:02}", "object": "credit_note_line_item", "amount": n} for n in range(12)
    ]

    lines = children(reader.read("credit_notes"), "credit_note_line_items")

    assert 12 == len(lines)
    assert {note} == {json.loads(line.payload or b"")["credit_note"] for line in lines}


def test_items_of_a_large_subscription_land(server: StripeServer, reader: Reader) -> None:
    """A subscription shows twenty; the twenty-first is revenue too."""
    one = server.state.has("subscriptions", status="active")["id"]
    server.state.lines["subscriptions", one] = [
        {"id": f"si_{n:02}", "object": "subscription_item", "subscription": one} for n in range(23)
    ]

    assert 23 == len(children(reader.read("subscriptions"), "subscription_items"))


def test_tiers_of_a_price_are_asked_for(server: StripeServer, reader: Reader) -> None:
    """Left out of answers by default; a tiered price without them has no amount at all."""
    tiers = [{"up_to": 10, "unit_amount": 500}, {"up_to": None, "unit_amount": 400}]
    one = server.state.has("prices", billing_scheme="tiered", tiers=tiers)["id"]
    (listed,) = records(reader.read("prices"))
    server.state.advance(hours=1)
    server.state.change("prices", one, nickname="volume")
    server.state.advance(minutes=2)

    (fetched,) = records(reader.read("prices"))

    assert tiers == json.loads(listed.payload or b"")["tiers"]
    assert tiers == json.loads(fetched.payload or b"")["tiers"]


def test_payouts_follow_their_events(server: StripeServer, reader: Reader) -> None:
    """A payout that failed comes back to the balance."""
    one = server.state.has("payouts", amount=900, status="in_transit")["id"]
    reader.read("payouts")
    server.state.advance(hours=1)
    server.state.change("payouts", one, "failed", status="failed")
    server.state.advance(minutes=2)

    (record,) = records(reader.read("payouts"))

    assert "failed" == json.loads(record.payload or b"")["status"]


def test_payments_outside_stripe_are_read_with_the_invoices_that_they_paid(
    server: StripeServer, reader: Reader
) -> None:
    """The pinned version has no list of them; the bank transfer is money all the same."""
    record = server.state.has("payment_records", None, amount={"currency": "eur", "value": 500})
    by_card = {"type": "payment_intent", "payment_intent": "pi_1"}
    outside = {"type": "payment_record", "payment_record": record["id"]}
    for payment in (by_card, outside):
        server.state.has("invoice_payments", payment=payment, status="paid")

    (landed,) = records(reader.read("payment_records"))

    assert record["id"] == landed.record_id
    assert 500 == json.loads(landed.payload or b"")["amount"]["value"]


def test_what_is_set_aside_keeps_what_stripe_sent(server: StripeServer, reader: Reader) -> None:
    """Whoever mends it must see the object, but no card and no street of it."""
    one = server.state.has("charges", amount=77, livemode=True, receipt_url="CANARY")

    (bad,) = set_aside(reader.read("charges"))

    assert one["id"] == bad.record_id
    assert 77 == json.loads(bad.raw)["amount"]
    assert b"CANARY" not in bad.raw


@pytest.mark.parametrize(("status", "tries"), [(500, 1), (503, 1)])
def test_should_retry_false_ends_the_tries(
    server: StripeServer, reader: Reader, status: int, tries: int
) -> None:
    """Stripe knows that asking again gives the same; a 5xx says otherwise by itself."""
    server.fail("/v1/charges", told(status, "false"), times=9)

    with pytest.raises(VendorError):
        reader.read("charges")

    assert tries == server.count("/v1/charges$")


@pytest.mark.parametrize(
    ("status", "word"), [(400, "true"), (409, "true"), (409, None), (424, None)]
)
def test_should_retry_true_and_passing_faults_are_tried_again(
    server: StripeServer, reader: Reader, status: int, word: str | None
) -> None:
    """A lock on an object is over in a moment; the run must not fail for it."""
    made = server.state.has("charges", amount=1)["id"]
    server.fail("/v1/charges", told(status, word), times=1)

    assert [made] == ids(reader.read("charges"))


def told(status: int, word: str | None) -> Any:
    """An answer of this status, with Stripe's word on trying again."""

    def answer(_: Request, reply: Reply) -> Reply:
        reply.status = status
        reply.body = b'{"error": {"type": "api_error", "message": "not now"}}'
        if word is not None:
            reply.headers = {**reply.headers, "Stripe-Should-Retry": word}
        return reply

    return answer


def test_every_request_is_a_get_in_the_pinned_version(server: StripeServer, reader: Reader) -> None:
    """The key may be allowed to write; the connector never does."""
    for kind in KINDS:
        reader.read(kind.name)

    assert {"GET"} == {one.method for one in server.requests}
    assert {VERSION} == {one.headers.get("stripe-version") for one in server.requests}
    assert not [one for one in server.requests if "stripe-account" in one.headers]


def test_a_connected_account_is_named_in_every_request(
    server: StripeServer, tmp_path: Path
) -> None:
    """Without the header the platform's own books would be read in its place."""
    server.state.accounts.add("acct_1")
    made = server.state.has("charges", amount=1)["id"]
    reader = Reader(server, tmp_path, account="acct_1")

    assert [made] == ids(reader.read("charges"))
    assert {"acct_1"} == {one.headers.get("stripe-account") for one in server.requests}


def test_a_connected_account_out_of_reach_is_denied(server: StripeServer, tmp_path: Path) -> None:
    """A slip in the account's id must not read as an empty account."""
    with pytest.raises(AccessDenied, match="acct_other"):
        Reader(server, tmp_path, account="acct_other").read("charges")


def test_doctor_tells_the_mode_and_the_account(server: StripeServer, tmp_path: Path) -> None:
    """Numbers of the test world look exactly like money."""
    server.state.accounts.add("acct_1")

    async def ask() -> Any:
        config = settings(server, account="acct_1")
        clock = server.state.now
        async with open_account(config, Resources("s", str(tmp_path), lambda: clock)) as session:
            return await check(session)

    report = asyncio.run(ask())

    assert "Stripe connected account acct_1 in test mode" == report.account
    assert any("not real" in note for note in report.notes)


@pytest.mark.parametrize(
    ("key", "given", "account", "one"),
    [
        ("rk_live_1", None, 80, 20),
        ("rk_test_1", None, 20, 20),
        ("rk_live_1", 10, 10, 10),
        ("rk_live_1", 400, 400, 100),
    ],
)
def test_limits_follow_the_mode_and_the_setting(
    key: str, given: int | None, account: int, one: int
) -> None:
    """Live 100 and test 25 a second, each endpoint 25, four fifths of which are ours."""
    made = StripeSettings.model_validate({"api_key": key, "requests_per_second": given})

    assert (account, one) == (made.per_second, made.endpoint_per_second)


def test_one_endpoint_is_never_asked_more_than_stripe_allows(tmp_path: Path) -> None:
    """Thirty objects by id at once: the account has room, their endpoint has not."""
    with StripeServer(per_second=100, per_endpoint=25) as server:
        reader = Reader(server, tmp_path, requests_per_second=80)
        reader.read("charges")
        server.state.advance(hours=1)
        made = [server.state.has("charges", amount=n)["id"] for n in range(30)]
        server.state.advance(minutes=2)

        assert sorted(made) == ids(reader.read("charges"))
        assert 30 == server.count("/v1/charges/.+")


def test_every_path_that_is_asked_has_a_bucket() -> None:
    """A path without one would fail at its first request, in the middle of a load."""
    paths = [kind.path for kind in KINDS]
    paths += [f"{kind.path}/x" for kind in KINDS]
    paths += [k.children.address(k.path, "x")[0] for k in KINDS if k.children is not None]

    assert {endpoint(path) for path in paths} <= set(ENDPOINTS)


def test_an_event_page_that_the_log_forgot_leads_to_the_list(
    server: StripeServer, reader: Reader
) -> None:
    """The id behind which the log was to go on is gone: no end of changes, a list instead."""
    reader.read("charges")
    server.state.advance(hours=1)
    made = [server.state.has("charges", amount=n)["id"] for n in range(150)]
    server.state.advance(minutes=2)

    def forget(request: Request, reply: Reply) -> Reply:
        if request.param("starting_after") is not None:
            reply.status = 400
            reply.body = b'{"error": {"code": "resource_missing", "message": "No such event"}}'
        return reply

    server.fail("/v1/events", forget, times=2)

    assert set(made) <= set(ids(reader.read("charges")))


def test_streams_below_have_a_stream_above() -> None:
    """A child whose parent is misspelt would never land."""
    by_name = {stream.name for stream in CONNECTOR.streams}
    below = {kind.children.stream: kind.name for kind in KINDS if kind.children is not None}

    assert below == {s.name: s.parent for s in CONNECTOR.streams if s.parent is not None}
    assert set(below) <= by_name


def test_a_load_that_slept_too_long_is_read_again(server: StripeServer, reader: Reader) -> None:
    """Changes during the first part of it are in no log any more."""
    old_charges(server, 250, days=100)
    first = reader.read("charges", stop_after=1)
    changed = records(first)[0].record_id
    server.state.change("charges", changed, amount=-1)
    server.state.now = datetime(2026, 10, 15, 6, tzinfo=UTC) + timedelta(days=40)
    reader.read("charges")

    again = {r.record_id: json.loads(r.payload or b"") for r in records(reader.read("charges"))}

    assert -1 == again[changed]["amount"]


def test_a_subscriptions_discounts_come_with_what_they_take_off(
    server: StripeServer, reader: Reader
) -> None:
    """Unasked, they are bare ids, and what recurs would be counted before them."""
    coupon = server.state.has("coupons", percent_off=20.0, applies_to={"products": ["prod_1"]})
    whole, part = (
        {"id": id_, "object": "discount", "source": {"coupon": coupon, "type": "coupon"}}
        for id_ in ("di_whole", "di_part")
    )
    one = server.state.has(
        "subscriptions",
        status="active",
        discounts=[whole],
        items={"object": "list", "data": [{"id": "si_1", "discounts": [part]}], "has_more": False},
    )["id"]

    (listed,) = records(reader.read("subscriptions"))
    server.state.advance(hours=1)
    server.state.change("subscriptions", one, quantity=3)
    server.state.advance(minutes=5)
    (fetched,) = records(reader.read("subscriptions"))
    (landed,) = records(reader.read("coupons"))

    for record in (listed, fetched):
        shown = json.loads(record.payload or b"")
        assert 20.0 == shown["discounts"][0]["source"]["coupon"]["percent_off"]
        (item,) = shown["items"]["data"]
        assert coupon["id"] == item["discounts"][0]["source"]["coupon"]
    assert {"products": ["prod_1"]} == json.loads(landed.payload or b"")["applies_to"]


def test_a_discount_that_is_taken_off_calls_for_what_it_was_on(
    server: StripeServer, reader: Reader
) -> None:
    """Its own event names subscription and customer; theirs may not come."""
    customer = server.state.has("customers")["id"]
    one = server.state.has("subscriptions", status="active", customer=customer, discounts=[])["id"]
    for stream in ("subscriptions", "customers"):
        reader.read(stream)
    server.state.advance(hours=1)
    server.state.log(
        "customer.discount.deleted",
        {"id": "di_1", "object": "discount", "customer": customer, "subscription": one},
    )
    server.state.advance(minutes=5)

    assert [one] == ids(reader.read("subscriptions"))
    assert [customer] == ids(reader.read("customers"))


def test_a_coupon_is_found_whatever_it_is_called(server: StripeServer, reader: Reader) -> None:
    """Merchants choose the ids; one that reads like a path would be taken for deleted."""
    one = server.state.has("coupons", id="25% OFF/A?", percent_off=25.0)["id"]
    reader.read("coupons")
    server.state.advance(hours=1)
    server.state.change("coupons", one, name="Spring")
    server.state.advance(minutes=5)

    assert [("25% OFF/A?", "upsert")] == [
        (record.record_id, record.change) for record in records(reader.read("coupons"))
    ]
