"""The sandbox HubSpot refuses what HubSpot refuses; a lenient one would prove nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.company import build
from sandbox.hubspot import (
    ALL_SCOPES,
    STATIC_TOKEN,
    Grant,
    HubspotServer,
    HubspotState,
    Limits,
    OAuthApp,
)

DEALS = "/crm/objects/2026-09/deals"


@pytest.fixture
def account() -> HubspotState:
    return HubspotState(index_lag=timedelta(minutes=5))


@pytest.fixture
def server(account: HubspotState) -> Iterator[HubspotServer]:
    limits = Limits(search_total=400)
    with HubspotServer(
        account, limits=limits, inline_associations=2, association_page=2
    ) as running:
        yield running
    assert not running.errors


@pytest.fixture
def client(server: HubspotServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {STATIC_TOKEN}"}
    with httpx.Client(base_url=server.url, headers=headers) as opened:
        yield opened


def find(client: httpx.Client, **body: Any) -> Any:
    return client.post(f"{DEALS}/search", json={"limit": 10, **body}).json()


@pytest.mark.parametrize(
    ("header", "status"),
    [("", 401), ("Bearer unknown-token", 401), ("Bearer a b", 530), ("Basic eDp5", 401)],
)
def test_a_wrong_credential_is_refused(server: HubspotServer, header: str, status: int) -> None:
    """401 with a category, and 530 for a token that is none."""
    answer = httpx.get(server.url + DEALS, headers={"Authorization": header} if header else {})

    assert answer.status_code == status


def test_a_missing_scope_is_named(server: HubspotServer, client: httpx.Client) -> None:
    """403 names the scopes, which is what doctor and the error message are made of."""
    server.gate.tokens[STATIC_TOKEN] = Grant(ALL_SCOPES - {"crm.objects.deals.read"})

    answer = client.get(DEALS)

    assert answer.status_code == 403
    body = answer.json()
    assert body["category"] == "MISSING_SCOPES"
    assert ["crm.objects.deals.read"] == body["errors"][0]["context"]["requiredGranularScopes"]


@pytest.mark.parametrize(
    "query", ["limit=101", "limit=51&propertiesWithHistory=dealstage", "limit=0", "limit=x"]
)
def test_a_list_page_over_the_cap_is_refused(client: httpx.Client, query: str) -> None:
    """100, and 50 with history; the vendor does not clamp."""
    assert client.get(f"{DEALS}?{query}").status_code == 400


def test_the_list_walks_ids_upwards_and_ends_without_paging(
    account: HubspotState, client: httpx.Client
) -> None:
    """``after`` excludes itself; no ``paging`` is the only sign of the end."""
    made = [account.has("deals", {}) for _ in range(5)]

    first = client.get(DEALS, params={"limit": 3}).json()
    rest = client.get(DEALS, params={"limit": 3, "after": first["paging"]["next"]["after"]}).json()

    assert made == [one["id"] for page in (first, rest) for one in page["results"]]
    assert "paging" not in rest


def test_a_batch_over_the_cap_is_refused_and_gone_ids_give_207(
    account: HubspotState, client: httpx.Client
) -> None:
    """100 ids, 50 with history; missing ones are reported beside the others."""
    deal = account.has("deals", {})
    many = [{"id": str(number)} for number in range(51)]

    over = client.post(f"{DEALS}/batch/read", json={"inputs": many, "propertiesWithHistory": ["x"]})
    some = client.post(f"{DEALS}/batch/read", json={"inputs": [{"id": deal}, {"id": "5"}]})

    assert over.status_code == 400
    assert some.status_code == 207
    assert [deal] == [one["id"] for one in some.json()["results"]]
    assert ["5"] == some.json()["errors"][0]["context"]["ids"]


def test_requested_but_empty_is_null_and_not_requested_is_absent(
    account: HubspotState, client: httpx.Client
) -> None:
    """The difference tells a cleared field from one we did not ask for."""
    account.has("deals", {"dealname": "Acme", "amount": "125000.5"})

    record = client.get(DEALS, params={"properties": "amount,dealtype"}).json()["results"][0]

    assert record["properties"]["amount"] == "125000.5"
    assert record["properties"]["dealtype"] is None
    assert "dealname" not in record["properties"]


def test_search_shows_a_change_only_after_the_index_lag(
    account: HubspotState, client: httpx.Client
) -> None:
    """Search is eventually consistent; the list is not."""
    account.has("deals", {})

    at_once = find(client)["total"]
    account.advance(minutes=5)
    later = find(client)["total"]

    assert (0, 1) == (at_once, later)


def test_search_refuses_a_page_over_200_and_an_offset_past_its_cap(
    account: HubspotState, client: httpx.Client
) -> None:
    """Beyond 10,000 (here 400) there is an error, not an end."""
    for _ in range(5):
        account.has("deals", {})

    page = client.post(f"{DEALS}/search", json={"limit": 201})
    reach = client.post(f"{DEALS}/search", json={"limit": 100, "after": "301"})
    within = client.post(f"{DEALS}/search", json={"limit": 100, "after": "300"})

    assert [400, 400, 200] == [page.status_code, reach.status_code, within.status_code]


def test_search_shows_no_archived_record_and_no_history(
    account: HubspotState, client: httpx.Client
) -> None:
    """What search cannot show must be read elsewhere."""
    account.index_lag = timedelta(0)
    kept, gone = (account.has("deals", {"dealstage": "new"}) for _ in range(2))
    account.archive("deals", gone)

    answer = find(client, properties=["dealstage"])

    assert [kept] == [one["id"] for one in answer["results"]]
    assert "propertiesWithHistory" not in answer["results"][0]


def test_search_compares_at_the_millisecond_and_sorts(
    account: HubspotState, client: httpx.Client
) -> None:
    """The cursor depends on inclusive bounds and on the order."""
    account.index_lag = timedelta(0)
    made = []
    for _ in range(3):
        made.append(account.has("deals", {}))
        account.advance(milliseconds=1)
    middle = account.entry("deals", made[1])
    assert middle is not None
    bound = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": middle.updated_at}

    answer = find(
        client,
        filterGroups=[{"filters": [bound]}],
        sorts=[{"propertyName": "hs_lastmodifieddate", "direction": "DESCENDING"}],
    )

    assert [made[2], made[1]] == [one["id"] for one in answer["results"]]


def test_an_archived_record_is_listed_for_90_days_in_the_archive_alone(
    account: HubspotState, client: httpx.Client
) -> None:
    """After that it is gone as if purged."""
    deal = account.has("deals", {})
    account.archive("deals", deal)

    live = client.get(DEALS).json()["results"]
    archive = client.get(DEALS, params={"archived": "true"}).json()["results"]
    account.advance(days=91)
    later = client.get(DEALS, params={"archived": "true"}).json()["results"]

    assert [] == live == later
    assert [deal] == [one["id"] for one in archive]
    assert archive[0]["archivedAt"]


def test_merged_records_are_in_no_list_and_named_by_the_survivor(
    account: HubspotState, client: httpx.Client
) -> None:
    """The survivor's property is the only trace."""
    first, second = account.has("deals", {}), account.has("deals", {})
    survivor = account.merge("deals", first, second, new_id="777000")

    live = client.get(DEALS, params={"properties": "hs_merged_object_ids"}).json()["results"]
    archive = client.get(DEALS, params={"archived": "true"}).json()["results"]

    assert [survivor] == [one["id"] for one in live]
    assert live[0]["properties"]["hs_merged_object_ids"] == f"{first};{second}"
    assert archive == []


def test_inline_associations_are_capped_and_the_rest_is_paged(
    account: HubspotState, client: httpx.Client
) -> None:
    """Whoever reads the inline part alone loses the third contact."""
    deal = account.has("deals", {})
    people = [account.has("contacts", {}) for _ in range(3)]
    for person in people:
        account.associate("deals", deal, "contacts", person)

    inline = client.get(DEALS, params={"associations": "contacts"}).json()["results"][0]
    path = "/crm/associations/2026-09/deals/contacts/batch/read"
    first = client.post(path, json={"inputs": [{"id": deal}]}).json()["results"][0]
    after = first["paging"]["next"]["after"]
    rest = client.post(path, json={"inputs": [{"id": deal, "after": after}]}).json()["results"][0]

    assert len(inline["associations"]["contacts"]["results"]) == 2
    assert "paging" in inline["associations"]["contacts"]
    assert people == [str(to["toObjectId"]) for page in (first, rest) for to in page["to"]]


def test_the_rolling_limit_answers_429_with_the_policys_name(account: HubspotState) -> None:
    """The policy decides whether to wait ten seconds or a day."""
    limits = Limits(per_ten_seconds=2)
    headers = {"Authorization": f"Bearer {STATIC_TOKEN}"}
    with HubspotServer(account, limits=limits) as server:
        answers = [httpx.get(server.url + DEALS, headers=headers) for _ in range(3)]

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert answers[-1].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert [answer.headers["x-hubspot-ratelimit-remaining"] for answer in answers[:2]] == ["1", "0"]


def test_search_answers_carry_no_rate_headers(client: httpx.Client) -> None:
    """The search allowance has to be kept blind."""
    answer = client.post(f"{DEALS}/search", json={"limit": 1})

    assert not [name for name in answer.headers if "ratelimit" in name]


def test_a_refresh_token_gives_an_access_token_that_can_expire(server: HubspotServer) -> None:
    """30 minutes at HubSpot; here at the test's word."""
    server.gate.apps["app"] = OAuthApp("app", "secret", {"refresh-1": ALL_SCOPES})
    form = {
        "grant_type": "refresh_token",
        "client_id": "app",
        "client_secret": "secret",
        "refresh_token": "refresh-1",
    }

    granted = httpx.post(f"{server.url}/oauth/2026-09/token", data=form).json()
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    before = httpx.get(server.url + DEALS, headers=headers)
    server.gate.expire_tokens()
    after = httpx.get(server.url + DEALS, headers=headers)

    assert granted["expires_in"] == 1800
    assert before.status_code == 200
    assert "x-hubspot-ratelimit-daily" not in before.headers
    assert (401, "EXPIRED_AUTHENTICATION") == (after.status_code, after.json()["category"])


def test_the_fictional_company_is_served_as_it_is() -> None:
    """The demo and the truth test read this company through this server."""
    company = build(scale=0.1).hubspot
    account = HubspotState()
    account.load(company)
    headers = {"Authorization": f"Bearer {STATIC_TOKEN}"}

    with HubspotServer(account) as server:
        deals = httpx.get(
            server.url + DEALS,
            headers=headers,
            params={"limit": 50, "propertiesWithHistory": "dealstage", "associations": "companies"},
        ).json()["results"]
        errors = list(server.errors)

    live = {one["id"]: one for one in company["deals"] if not one["archived"]}
    assert errors == []
    assert deals
    for deal in deals:
        stages = live[deal["id"]]["history"]["dealstage"]
        assert stages == deal["propertiesWithHistory"]["dealstage"]
        first = deal["associations"]["companies"]["results"][0]["id"]
        assert first == live[deal["id"]]["associations"]["companies"][0]
