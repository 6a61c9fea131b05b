"""Pipedrive: budgets, refused credentials and scopes, and answers that are none."""

import pytest
from pydantic import ValidationError

from connectors.base.errors import AccessDenied, BudgetSpent, PipeledgerError, ProtocolError
from connectors.pipedrive import CONNECTOR, PipedriveSettings
from sandbox.exchange import Reply, Request, reply_html, reply_json
from sandbox.pipedrive import PipedriveServer, PipedriveState
from tests.connectors.pipedrive.shelf import Shelf


async def _error(shelf: Shelf, stream: str) -> PipeledgerError | None:
    return (await shelf.sync(stream))[stream].error


async def test_history_stops_before_the_budget_is_gone_and_goes_on(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """H-14: the past may take days; each run begins where the last ended, and pays once."""
    deals = [crm.add("deals") for _ in range(60)]
    crm.advance(hours=1)
    for deal in deals:
        crm.change("deals", deal, stage_id=2)
    crm.tokens_per_day, crm.tokens_used = 900, 0

    first = await _error(shelf, "deal_changelog")
    landed = len(shelf.versions["deal_changelog"])
    paid = server.count("changelog$")
    crm.tokens_per_day = 1_000_000
    shelf.state_dir /= "next_day"
    second = await _error(shelf, "deal_changelog")

    assert isinstance(first, BudgetSpent)
    assert landed == paid
    assert 0 < landed < 60
    assert landed % 20
    assert second is None
    assert 60 == server.count("changelog$")
    assert 60 == len(shelf.versions["deal_changelog"])


async def test_changes_that_the_budget_did_not_reach_are_read_the_next_day(
    crm: PipedriveState, shelf: Shelf
) -> None:
    """H-14: the bound moves on only when every deal that moved has been asked for."""
    deals = [crm.add("deals") for _ in range(60)]
    crm.advance(hours=1)
    await shelf.sync("deal_changelog")
    for deal in deals:
        crm.advance(minutes=1)
        crm.change("deals", deal, stage_id=2)
    shelf.state_dir /= "second_day"
    # Only the histories' share is used up; the lists go on.
    shelf.settings = {"daily_tokens": 1_000, "history_share": 0.5}

    first = await _error(shelf, "deal_changelog")
    landed = len(shelf.versions["deal_changelog"])
    shelf.settings = {}
    shelf.state_dir /= "third_day"
    crm.advance(days=1)
    second = await _error(shelf, "deal_changelog")

    assert isinstance(first, BudgetSpent)
    assert 25 == landed
    assert second is None
    assert 60 == len(shelf.versions["deal_changelog"])


async def test_a_spent_day_is_told_from_a_burst(
    server: PipedriveServer, crm: PipedriveState, shelf: Shelf
) -> None:
    """Trying on after the day's last token gets the address blocked."""
    crm.add("deals")
    crm.tokens_used = crm.tokens_per_day

    error = await _error(shelf, "deals")

    assert isinstance(error, BudgetSpent)
    assert 1 == server.count("/deals")


async def test_a_burst_is_waited_for(
    server: PipedriveServer, crm: PipedriveState, shelf: Shelf
) -> None:
    """A 429 of the two-second window is no fault of the run."""
    deal = crm.add("deals")
    again = {"x-ratelimit-reset": "0"}
    server.fail("/deals$", lambda _, __: reply_json({"success": False}, 429, again))

    await shelf.deals()

    assert [deal] == shelf.live("deals")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply_html("<h1>Blocked</h1>", 403), AccessDenied),
        (reply_json({"success": False, "error": "closed"}, 402), AccessDenied),
        (reply_json({"success": False, "error": "odd", "data": None}), ProtocolError),
        (reply_html("<h1>Sign in</h1>"), ProtocolError),
        (reply_json({"success": True}), ProtocolError),
    ],
    ids=["blocked", "closed", "false_under_200", "login_wall", "no_data"],
)
async def test_a_refusal_is_never_an_empty_list(
    server: PipedriveServer,
    crm: PipedriveState,
    shelf: Shelf,
    answer: Reply,
    kind: type[PipeledgerError],
) -> None:
    """An empty list would end the walk, and a comparison would delete everything."""
    crm.add("deals")
    server.fail("/deals$", lambda _, __: answer)

    error = await _error(shelf, "deals")

    assert isinstance(error, kind)


async def test_a_refused_scope_fails_its_stream_but_a_lacking_plan_does_not(
    server: PipedriveServer, shelf: Shelf
) -> None:
    """What exists and may not be read must be seen; what was never bought must not."""
    server.refused = {"currencies"}
    server.lacking = {"legacyTeams"}

    outcomes = await shelf.sync("currencies", "teams")

    assert isinstance(outcomes["currencies"].error, AccessDenied)
    assert outcomes["teams"].error is None
    assert ["skipped: the company has no teams"] == outcomes["teams"].notes


@pytest.mark.parametrize(("assignee", "is_refused"), [("team", False), ("person", True)])
async def test_goals_of_teams_alone_may_be_unknown_to_a_company(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf, assignee: str, is_refused: bool
) -> None:
    """Teams are of the dearer plans; a refusal of other goals would read as none at all."""
    crm.small["goals"] = [
        {"id": "5f1a", "type": {"name": "deals_won"}, "is_active": True,
         "assignee": {"type": "company", "id": 7}},
    ]  # fmt: skip

    def refuse(request: Request, reply: Reply) -> Reply:
        if request.param("assignee.type") != assignee:
            return reply
        return reply_json({"success": False, "error": "assignee.type is invalid"}, 400)

    server.fail("/goals/find$", refuse, times=9)

    error = await _error(shelf, "goals")

    assert is_refused == (error is not None)
    assert is_refused or ["5f1a"] == list(shelf.versions["goals"])


async def test_an_app_renews_its_token_once(crm: PipedriveState, shelf: Shelf) -> None:
    """An access token lives an hour, and a revoked one answers 401 like a wrong one."""
    deal = crm.add("deals")
    shelf.settings = {
        "api_token": None,
        "client_id": "app",
        "client_secret": "app-secret",
        "refresh_token": shelf.server.refresh_token,
        "token_url": f"{shelf.server.url}/oauth/token",
    }
    await shelf.deals()
    shelf.server.access_tokens.clear()

    await shelf.deals()

    assert [deal] == shelf.live("deals")


async def test_a_history_without_its_scope_fails_and_that_of_a_closed_deal_does_not(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """H-13: taken for deals that vanished, all of them would have no history for ever."""
    deals = [crm.add("deals") for _ in range(3)]
    crm.advance(hours=1)
    for deal in deals:
        crm.change("deals", deal, stage_id=2)
    server.refused = {"changelog"}

    refused = await _error(shelf, "deal_changelog")
    server.refused.clear()

    def close(_: Request, reply: Reply) -> Reply:
        crm.hidden.add(("deals", deals[0]))
        return reply

    server.fail("/deals$", close)
    closed = await _error(shelf, "deal_changelog")

    assert isinstance(refused, AccessDenied)
    assert closed is None
    assert 2 == len(shelf.versions["deal_changelog"])


async def test_doctor_names_account_and_missing_scopes(
    crm: PipedriveState, server: PipedriveServer, shelf: Shelf
) -> None:
    """Who set it up must see what is closed before the first night."""
    crm.add("deals")
    server.refused = {"goals", "changelog"}

    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)

    assert "Kontor (7), user Ada Admin" == report.account
    missing = {"goals": ("goals:read",), "deal_changelog": ("recents:read",)}
    assert missing == report.missing


def test_half_an_app_is_refused() -> None:
    """A missing secret shows at once, not as a 401 at night."""
    with pytest.raises(ValidationError, match="all of `client_id`"):
        PipedriveSettings.model_validate({"client_id": "app"})
