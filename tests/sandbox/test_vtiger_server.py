"""The Vtiger sandbox refuses what Vtiger refuses; a server that answers anything proves nothing."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.company import Company, build
from sandbox.company.vtiger import STAGE_NAMES
from sandbox.vtiger import ACCESS_KEY, ADMIN, VtigerServer, VtigerState, VtqlError, parse

PATH = "/webservice.php"


@pytest.fixture
def server() -> Iterator[VtigerServer]:
    with VtigerServer(VtigerState()) as running:
        yield running
        assert [] == running.errors


def ask(server: VtigerServer, operation: str, **params: str) -> dict[str, Any]:
    answer = httpx.get(server.url + PATH, params={"operation": operation, **params})
    assert 200 == answer.status_code
    content: dict[str, Any] = answer.json()
    return content


def signed_in(server: VtigerServer) -> str:
    token = ask(server, "getchallenge", username=ADMIN)["result"]["token"]
    return str(login(server, token)["result"]["sessionName"])


def login(server: VtigerServer, token: str) -> dict[str, Any]:
    proof = hashlib.md5((token + ACCESS_KEY).encode(), usedforsecurity=False).hexdigest()
    form = {"operation": "login", "username": ADMIN, "accessKey": proof}
    content: dict[str, Any] = httpx.post(server.url + PATH, data=form).json()
    return content


def test_a_new_challenge_voids_the_one_before(server: VtigerServer) -> None:
    """Two sign-ins side by side must be able to fail here as they do there."""
    first = ask(server, "getchallenge", username=ADMIN)["result"]["token"]
    second = ask(server, "getchallenge", username=ADMIN)["result"]["token"]

    assert "INVALID_USER_CREDENTIALS" == login(server, first)["error"]["code"]
    assert login(server, second)["success"]


@pytest.mark.parametrize(
    ("session", "code"),
    [("", "AUTHENTICATION_REQUIRED"), ("made-up", "INVALID_SESSIONID")],
)
def test_no_operation_without_a_session(server: VtigerServer, session: str, code: str) -> None:
    """Under status 200, as PHP says it."""
    assert code == ask(server, "listtypes", sessionName=session)["error"]["code"]


def test_a_page_is_clamped_and_shows_each_record_once(server: VtigerServer) -> None:
    """Joins multiply before the LIMIT; a test of paging needs short pages."""
    crm = server.state
    for _ in range(120):
        crm.entry(crm.has("Events")).copies = 2
    session = signed_in(server)

    text = "SELECT * FROM Events ORDER BY id LIMIT 0,500;"
    rows = ask(server, "query", query=text, sessionName=session)["result"]

    assert 50 == len(rows)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT * FROM Potentials", "QUERY_SYNTAX_ERROR"),
        ("SELECT * FROM Potentials WHERE amount IS NULL;", "QUERY_SYNTAX_ERROR"),
        ("SELECT * FROM Potentials WHERE id > '4711';", "INVALID_ID_ATTRIBUTE"),
        ("SELECT secret FROM Potentials;", "ACCESS_DENIED"),
        ("SELECT accesskey FROM Users;", "ACCESS_DENIED"),
        ("SELECT * FROM Reports;", "ACCESS_DENIED"),
    ],
)
def test_what_the_grammar_and_the_fields_do_not_hold_is_refused(
    server: VtigerServer, text: str, code: str
) -> None:
    """A connector that asks for it would work here and fail there."""
    server.state.has("Potentials")
    session = signed_in(server)

    assert code == ask(server, "query", query=text, sessionName=session)["error"]["code"]


def test_parentheses_are_parsed_and_dropped() -> None:
    """(a or b) and c means a or (b and c): whoever groups gets other rows, and no error."""
    query = parse("SELECT * FROM M WHERE (a = '1' OR b = '1') AND c = '1' LIMIT 5;")

    assert query.holds({"a": "1", "b": "0", "c": "0"})
    assert not query.holds({"a": "0", "b": "1", "c": "0"})
    assert 5 == query.limit


def test_a_string_without_its_quotes_is_no_value() -> None:
    """The lexer ends where it finds no token."""
    with pytest.raises(VtqlError, match="Unknown Error"):
        parse("SELECT * FROM M WHERE a = 2026.5;")


def test_sync_tells_deletes_and_calls_conversions_the_same(server: VtigerServer) -> None:
    """The trap that destroys conversion rates must be laid here, too."""
    crm = server.state
    kept, gone, converted = (crm.has("Leads") for _ in range(3))
    began = int(crm.now.timestamp())
    crm.advance(seconds=5)
    crm.delete(gone)
    crm.convert(converted)
    session = signed_in(server)

    params = {"modifiedTime": str(began), "elementType": "Leads", "syncType": "application"}
    result = ask(server, "sync", sessionName=session, **params)["result"]

    assert sorted([gone, converted]) == sorted(result["deleted"])
    assert [] == result["updated"]
    assert not result["more"]
    assert kept in {
        row["id"]
        for row in ask(server, "query", query="SELECT * FROM Leads;", sessionName=session)["result"]
    }


def test_the_cloud_counts_its_calls_and_says_so(server: VtigerServer) -> None:
    """A budget is followed by these headers alone."""
    server.per_day = 1
    key = httpx.BasicAuth(ADMIN, ACCESS_KEY)
    place = server.url + "/restapi/v1/vtiger/default/me"

    first, second = httpx.get(place, auth=key), httpx.get(place, auth=key)

    assert ADMIN == first.json()["result"]["user_name"]
    assert "0" == first.headers["X-RateLimit-Remaining"]
    assert 429 == second.status_code


# The company.


@pytest.fixture(scope="module")
def company() -> Company:
    return build(seed=7, scale=0.02)


def test_the_company_is_the_same_for_the_same_seed(company: Company) -> None:
    """Truth that changes between two runs proves nothing."""
    assert json.dumps(company.vtiger) == json.dumps(build(seed=7, scale=0.02).vtiger)


def test_every_stage_is_in_the_picklist_and_every_reference_leads_somewhere(
    company: Company,
) -> None:
    """A row that hangs in the air would be the sandbox's fault, not a finding."""
    crm = VtigerState()
    crm.load(company.vtiger)

    for one in company.vtiger["Potentials"]:
        assert one["row"]["sales_stage"] in STAGE_NAMES
        assert crm.entry(one["row"]["related_to"])
    assert len(crm.ids("Potentials")) == len(company.world.live_deals)


def test_the_second_day_changes_what_it_changes(company: Company) -> None:
    """The next sync must find edits, new records and leads that were converted."""
    crm = VtigerState()
    crm.load(company.vtiger)
    before = {one: crm.entry(one).row for one in crm.ids("Potentials")}

    crm.now = company.changes().at
    crm.load(company.changes().after.vtiger)

    after = {one: crm.entry(one).row for one in crm.ids("Potentials")}
    assert {one for one in before if one in after and before[one] != after[one]}
    assert set(after) - set(before)
