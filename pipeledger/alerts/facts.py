"""Rows of the publication that digests are made of; every rule about them is the marts' own."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from pipeledger.serving import open_serving, rows
from pipeledger.settings import Settings

Row: TypeAlias = dict[str, Any]

_DUE = """
select deal_key, name, owner_user_key, manager_user_key, top_check_id, top_reason, all_reasons,
       suggested_action, value_at_stake_rc, days_open, suggested_next_date, first_flagged_date
from marts.mart_follow_up
where is_due
order by value_at_stake_rc desc nulls last, deal_key
"""
_USERS = """
select user_key, name, lower(email) as email, team_key, is_active
from marts.dim_user
where is_current and not is_placeholder and not is_deleted
order by user_key
"""
_GAPS = """
select user_key, period_key, measure, quota_rc, won_rc, gap_rc, remaining_gap_rc, attainment,
       coverage, required_coverage, open_pipeline_rc, overdue_open_rc, pace_delta_rc,
       business_days_left
from marts.mart_quota_gap
where scope_type = 'manager' and period_grain = 'quarter' and is_current_period
  and credit_type = 'revenue'
order by user_key, measure
"""
_MOVEMENT = """
select scope_key as team_key, period_key, measure, reason, row_type, amount_rc, n_events,
       slip_rc
from marts.mart_pipeline_movement
where scope_type = 'team' and basis = 'restated' and period_grain = 'quarter' and is_running
  and window_type = 'period' and ledger = 'pipeline' and movement_view = 'path'
order by scope_key, measure,
         case row_type when 'start' then 0 when 'movement' then 1 else 2 end, reason
"""
# The window that runs is the one whose bridge of the mart runs.
_PUSHED = """
select moved.team_key, moved.deal_key, deals.name, users.name as owner,
       -moved.amount_rc as pushed_rc,
       moved.old_expected_close_date, moved.expected_close_date, moved.posted_date, moved.is_slip
from marts.fct_pipeline_movement as moved
inner join marts.fct_deal as deals on moved.deal_key = deals.deal_key
left join marts.dim_user as users
  on moved.owner_user_key = users.user_key and users.is_current
where moved.basis = 'restated' and moved.window_type = 'period' and moved.ledger = 'pipeline'
  and moved.is_team_row and moved.reason = 'pushed_out' and moved.period_grain = 'quarter'
  and moved.period_key in (
    select period_key from marts.mart_pipeline_movement
    where is_running and period_grain = 'quarter' and window_type = 'period'
  )
order by moved.posted_date desc, moved.deal_key, moved.step_no
"""
_TREE = """
select distinct tree.ancestor_user_key as manager_key, users.team_key
from marts.bridge_user_hierarchy as tree
inner join marts.dim_user as users
  on tree.descendant_user_key = users.user_key and users.is_current and users.is_active
where tree.valid_to is null and users.team_key <> 'unassigned'
order by 1, 2
"""
_BILLING = """
select recon.recon_key, recon.deal_key, deals.name, users.name as owner, recon.billing_status,
       recon.booked_net_rc, recon.billed_net_rc, recon.won_date, recon.first_invoice_date,
       recon.deal_status
from marts.mart_deal_billing_recon as recon
left join marts.fct_deal as deals on recon.deal_key = deals.deal_key
left join marts.dim_user as users
  on recon.owner_user_key = users.user_key and users.is_current
where recon.billing_status in ('unbilled_late', 'billed_not_won')
order by recon.billing_status, coalesce(recon.booked_net_rc, recon.billed_net_rc) desc nulls last,
         recon.recon_key
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """One publication as digests see it; lists are in the order in which they are told."""

    build_id: str
    as_of: datetime
    as_of_date: date
    currency: str
    due: list[Row]
    users: dict[str, Row]
    gaps: list[Row]
    movement: list[Row]
    pushed: list[Row]
    teams: dict[str, list[str]]
    """Teams of the active people below each manager, by the manager's key."""
    billing: list[Row]


def read_facts(settings: Settings) -> Facts:
    """Read the current publication.

    Raises:
        PipeledgerError: nothing is published yet.
    """
    with open_serving(settings) as db:
        (build,) = rows(db, "select build_id, as_of, reporting_currency from meta.builds")
        (day,) = rows(db, "select max(as_of_date) as day from marts.mart_follow_up")
        teams: dict[str, list[str]] = {}
        for row in rows(db, _TREE):
            teams.setdefault(row["manager_key"], []).append(row["team_key"])
        return Facts(
            build["build_id"],
            build["as_of"],
            day["day"] or build["as_of"].date(),
            build["reporting_currency"],
            rows(db, _DUE),
            {row["user_key"]: row for row in rows(db, _USERS)},
            rows(db, _GAPS),
            rows(db, _MOVEMENT),
            rows(db, _PUSHED),
            teams,
            rows(db, _BILLING),
        )
