"""The Odoo sandbox refuses what Odoo refuses; a server that answers anything proves nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.odoo import API_KEY, DATABASE, LOGIN, OdooServer, OdooState

SHOWN: dict[str, Any] = {"active_test": False, "allowed_company_ids": [1, 2]}
SECOND = "2026-10-15 06:00:00"


@pytest.fixture(params=[17, 19], ids=["json_rpc", "json_2"])
def server(request: pytest.FixtureRequest) -> Iterator[OdooServer]:
    with OdooServer(OdooState(), major=request.param) as running:
        yield running
        assert [] == running.errors


def rpc(server: OdooServer, service: str, method: str, *args: Any) -> Any:
    """A call of JSON-RPC: its result, or its error."""
    params = {"service": service, "method": method, "args": args}
    body = {"jsonrpc": "2.0", "method": "call", "id": 7, "params": params}
    answer = httpx.post(f"{server.url}/jsonrpc", json=body)
    assert 200 == answer.status_code
    content = answer.json()
    assert ("2.0", 7) == (content["jsonrpc"], content["id"])
    return content["error"] if "error" in content else content["result"]


def json_2(server: OdooServer, path: str, body: Any, **headers: str) -> httpx.Response:
    """A call of JSON-2 with the right key, unless a header says otherwise."""
    known = {"Authorization": f"Bearer {API_KEY}", "X-Odoo-Database": DATABASE, **headers}
    return httpx.post(f"{server.url}/json/2/{path}", json=body, headers=known)


def call(server: OdooServer, model: str, method: str, **named: Any) -> Any:
    """A call in the server's own dialect: its result, or the name of its exception."""
    if server.major >= 19:
        answer = json_2(server, f"{model}/{method}", named)
        return answer.json() if answer.status_code == 200 else answer.json()["name"]
    place: list[Any] = [named.pop("ids")] if "ids" in named else []
    answered = rpc(
        server, "object", "execute_kw", DATABASE, 2, API_KEY, model, method, place, named
    )
    is_error = isinstance(answered, dict) and "data" in answered
    return answered["data"]["name"] if is_error else answered


def ids(server: OdooServer, *leaves: Any, context: Any = None, **more: Any) -> Any:
    """Ids of deals that meet a condition."""
    context = SHOWN if context is None else context
    named = {"domain": list(leaves), "context": context, "order": "id asc", **more}
    return call(server, "crm.lead", "search", **named)


def test_archived_records_and_other_companies_hide_without_a_word(server: OdooServer) -> None:
    """Whoever does not ask for them loses every lost deal, and sees no error."""
    shown = server.state.add("crm.lead", company_id=1)
    lost = server.state.add("crm.lead", company_id=1, active=False)
    branch = server.state.add("crm.lead", company_id=2)

    assert [shown] == ids(server, context={})
    assert [shown, lost] == ids(server, context={"active_test": False})
    assert [shown, lost, branch] == ids(server)


def test_a_company_that_is_not_ours_is_refused(server: OdooServer) -> None:
    context = {"allowed_company_ids": [1, 9]}

    assert "odoo.exceptions.AccessError" == ids(server, context=context)


def test_clocks_are_compared_by_microseconds_and_shown_by_seconds(server: OdooServer) -> None:
    """A keyset over (write_date, id) must be able to fail here as it does there."""
    deal = server.state.add("crm.lead")

    row = call(server, "crm.lead", "read", ids=[deal], fields=["write_date"])[0]

    assert SECOND == row["write_date"]
    assert [] == ids(server, ["write_date", "=", SECOND])
    assert [deal] == ids(server, ["write_date", ">", SECOND])
    assert [] == ids(server, ["write_date", "<", SECOND])


def test_without_an_order_the_newest_come_first(server: OdooServer) -> None:
    first, second = server.state.add("crm.lead"), server.state.add("crm.lead")

    assert [second] == ids(server, order=None, limit=1)
    assert [first] == ids(server, limit=1)


def test_links_come_with_names_unless_they_are_not_wanted(server: OdooServer) -> None:
    """A renamed stage would make a version of each of its deals."""
    deal = server.state.add("crm.lead", stage_id=1)

    named = call(server, "crm.lead", "read", ids=[deal], fields=["stage_id"])
    plain = call(server, "crm.lead", "read", ids=[deal], fields=["stage_id"], load=None)

    assert [1, "record 1"] == named[0]["stage_id"]
    assert 1 == plain[0]["stage_id"]


def test_nothing_is_false_for_all_but_numbers(server: OdooServer) -> None:
    deal = server.state.add("crm.lead")
    fields = ["name", "stage_id", "date_deadline", "expected_revenue", "tag_ids"]

    row = call(server, "crm.lead", "read", ids=[deal], fields=fields)[0]

    assert [False, False, False, 0.0, []] == [row[name] for name in fields]


@pytest.mark.parametrize(
    ("method", "named"),
    [
        ("search_read", {"domain": [], "fields": ["lost_reason"]}),
        ("search", {"domain": [["lost_reason", "=", 1]]}),
        ("read", {"ids": [1], "fields": ["won_status"]}),
    ],
)
def test_a_field_of_another_release_is_refused(
    server: OdooServer, method: str, named: dict[str, Any]
) -> None:
    """A connector that asks blindly would work here and fail there."""
    server.state.add("crm.lead")

    assert "builtins.ValueError" == call(server, "crm.lead", method, **named)


def test_an_argument_that_the_method_has_not_is_refused(server: OdooServer) -> None:
    assert "Error" in ids(server, cursor="x") or "Unprocessable" in ids(server, cursor="x")


def test_a_read_leaves_out_what_is_gone_and_refuses_whole_what_is_closed(
    server: OdooServer,
) -> None:
    """The two are told apart by nothing else."""
    first, second = server.state.add("crm.lead"), server.state.add("crm.lead")
    read = {"ids": [first, second], "fields": ["name"]}

    server.state.unlink("crm.lead", second)
    assert [first] == [row["id"] for row in call(server, "crm.lead", "read", **read)]
    server.state.closed.add(("crm.lead", first))

    assert "odoo.exceptions.AccessError" == call(server, "crm.lead", "read", **read)
    assert [] == ids(server)


def test_a_search_of_messages_drops_after_the_limit(server: OdooServer) -> None:
    """So that an empty page is no end."""
    for number in range(1, 7):
        server.state.add("mail.message")
        if number < 5:
            server.state.closed.add(("mail.message", number))
    named = {"domain": [], "order": "id asc", "context": SHOWN}

    assert [] == call(server, "mail.message", "search", limit=4, **named)
    assert [5, 6] == call(server, "mail.message", "search", **named)


def test_a_payments_own_clock_stands_where_its_entry_is_posted(server: OdooServer) -> None:
    """Up to 17 its state, date and number are fields of the entry."""
    entry = server.state.add("account.move")
    payment = server.state.add("account.payment", move_id=entry)
    server.state.advance(hours=1)
    server.state.write("account.move", entry, state="posted")
    since = (server.state.now - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S")

    def found(name: str) -> Any:
        domain = [[name, ">=", since]]
        return call(server, "account.payment", "search", domain=domain, context=SHOWN)

    assert [] == found("write_date")
    assert [payment] == found("move_id.write_date")


def test_only_reading_methods_are_there(server: OdooServer) -> None:
    """Whatever writes is a defect of ours."""
    assert "builtins.AssertionError" == call(server, "crm.lead", "write")


def test_models_of_absent_apps_are_refused_by_name() -> None:
    """The words differ by dialect, the name of the model is in both."""
    with OdooServer(OdooState(), major=17) as server:
        args: tuple[Any, ...] = (DATABASE, 2, API_KEY, "helpdesk.ticket", "search", [[]], {})
        told = rpc(server, "object", "execute_kw", *args)
    assert "odoo.exceptions.UserError" == told["data"]["name"]
    assert "Object helpdesk.ticket doesn't exist" == told["data"]["message"]

    with OdooServer(OdooState(), major=19) as server:
        answer = json_2(server, "helpdesk.ticket/search", {"domain": []})
    assert 404 == answer.status_code
    assert "the model 'helpdesk.ticket' does not exist" == answer.json()["message"]


def test_json_rpc_signs_in_by_a_number_or_by_false() -> None:
    """No error tells of a wrong key; a wrong database raises."""
    with OdooServer(OdooState(), major=17) as server:
        assert 2 == rpc(server, "common", "authenticate", DATABASE, LOGIN, API_KEY, {})
        assert rpc(server, "common", "authenticate", DATABASE, LOGIN, "wrong", {}) is False
        told = rpc(server, "common", "authenticate", "other", LOGIN, API_KEY, {})
        assert "psycopg2.OperationalError" == told["data"]["name"]
        args: tuple[Any, ...] = (DATABASE, 2, "wrong", "crm.lead", "search", [[]], {})
        refused = rpc(server, "object", "execute_kw", *args)
        assert (200, "odoo.exceptions.AccessDenied") == (refused["code"], refused["data"]["name"])


def test_json_2_wants_a_key_a_post_and_named_arguments() -> None:
    with OdooServer(OdooState(), major=19) as server:
        wrong = json_2(server, "crm.lead/search", {}, Authorization="Bearer wrong")
        verb = httpx.get(f"{server.url}/json/2/crm.lead/search")
        meant = json_2(server, "crm.lead/search_read", {"ids": [1], "fields": ["name"]})

    assert (401, "Invalid apikey") == (wrong.status_code, wrong.json()["message"])
    assert 404 == verb.status_code
    assert 422 == meant.status_code


def test_older_releases_have_no_json_2() -> None:
    with OdooServer(OdooState(), major=17) as server:
        answer = json_2(server, "crm.lead/search", {"domain": []})

    assert 404 == answer.status_code
    assert "json" not in answer.headers["content-type"]
