"""The deals behind a number: each set is a query of deals, and what each adds to the number."""

_COUNTS = "not d.is_deleted and not d.is_excluded and d.duplicate_of_deal_key is null"
_OWNED = """
($user is null or d.owner_user_key = $user)
and ($team is null or d.owner_user_key in
    (select user_key from dim_user where is_current and team_key = $team))
and ($pipeline is null or d.pipeline_key = $pipeline)
"""
_OPEN = f"d.status = 'open' and {_COUNTS} and {_OWNED}"

# A win stays with whoever had the credit, and in the team of that moment (mart_quota_gap).
_WON = f"""
select d.deal_key, sum(cast(d.amount_at_won_rc * case when $user is null and $team is null
    then 1 else credit.share end as decimal(18, 4))) as value_rc
from fct_deal as d
left join bridge_deal_credit as credit
    on d.deal_key = credit.deal_key and credit.credit_type = 'revenue' and not credit.is_deleted
    and d.won_at >= credit.valid_from and (credit.valid_to is null or d.won_at < credit.valid_to)
    and not ($user is null and $team is null)
left join dim_user as u
    on credit.user_key = u.user_key and d.won_at >= u.valid_from
    and (u.valid_to is null or d.won_at < u.valid_to)
where d.status = 'won' and {_COUNTS} and d.closed_date between $first_day and $last_day
    and ($user is null or credit.user_key = $user)
    and ($team is null or coalesce(u.team_key, 'unassigned') = $team)
    and ($pipeline is null or d.pipeline_key = $pipeline)
group by d.deal_key
"""

_MOVED = """
select m.deal_key, sum(m.amount_rc) as value_rc from fct_pipeline_movement as m
where m.basis = 'restated' and m.window_type = 'period' and m.ledger = 'pipeline'
    and m.period_key = $period and m.reason = $a
    and (($user is null and $team is null and $pipeline is null and m.is_company_row)
        or ($user is not null and m.is_owner_row and m.owner_user_key = $user)
        or ($team is not null and m.is_team_row and m.team_key = $team)
        or ($user is null and $team is null and $pipeline is not null
            and m.is_pipeline_row and m.pipeline_key = $pipeline))
group by m.deal_key
"""

SETS = {
    "all": f"""
select d.deal_key, d.amount_rc as value_rc from fct_deal as d where {_COUNTS} and {_OWNED}
""",
    "open": f"select d.deal_key, d.amount_rc as value_rc from fct_deal as d where {_OPEN}",
    "due": f"""
select d.deal_key, d.amount_rc as value_rc from fct_deal as d
where {_OPEN} and d.expected_close_date between $first_day and $last_day and d.amount_rc >= 0
""",
    "stage": f"""
select d.deal_key, d.amount_rc as value_rc from fct_deal as d where {_OPEN} and d.stage_key = $a
""",
    "won": _WON,
    "moved": _MOVED,
    "stalled": f"""
select h.deal_key, h.amount_rc as value_rc from mart_deal_health as h
inner join fct_deal as d on h.deal_key = d.deal_key
where h.is_stalled and {_OWNED}
""",
    "billing": f"""
select d.deal_key, sum(r.booked_net_rc) as value_rc from mart_deal_billing_recon as r
inner join fct_deal as d on r.deal_key = d.deal_key
where r.billing_status = $a and ($b is null or coalesce(r.payment_status, '-') = $b) and {_OWNED}
group by d.deal_key
""",
    "changed": f"""
select m.deal_key, sum(m.amount_rc) as value_rc from fct_pipeline_movement as m
inner join fct_deal as d on m.deal_key = d.deal_key
where m.basis = 'restated' and m.window_type = 'period' and m.ledger = 'pipeline'
    and m.period_key = $period and m.is_company_row and m.reason = $a
    and m.posted_date > cast($as_of as date) - 7 and {_OWNED}
group by m.deal_key
""",
    "check": f"""
select distinct d.deal_key, d.amount_rc as value_rc from fct_check_result as c
inner join fct_deal as d on c.deal_key = d.deal_key
where c.check_id = $a and {_OWNED}
""",
    "locked": f"""
select d.deal_key, d.amount_rc as value_rc from fct_deal as d
inner join mart_deal_health as h on d.deal_key = h.deal_key
where {_OPEN} and d.stage_key = $a and h.is_stage_age_exceeded
""",
}

COLUMNS = {
    "name": "text",
    "stage_name": "text",
    "owner_name": "text",
    "status": "code",
    "value_rc": "money",
    "amount": "amount",
    "expected_close_date": "day",
    "closed_date": "day",
    "health_score": "count",
    "days_in_stage": "number",
}
"""Columns of a list of deals, with the kind of each."""


def listing(name: str, order: str = "") -> str:
    """The deals of a set with what a list shows of each.

    ``$basis`` is ``deal`` for amounts in the deal's own currency.
    """
    column, _, direction = order.partition(" ")
    sorting = "value_rc desc nulls last"
    if column in COLUMNS and direction in {"asc", "desc"}:
        sorting = f"{column} {direction} nulls last"
    return f"""
with chosen as ({SETS[name]})
select
    chosen.deal_key, deal.name, stage.stage_name, owner.name as owner_name, stage.pipeline_name,
    deal.status, chosen.value_rc,
    case when $basis = 'deal' then deal.amount_amt else deal.amount_rc end as amount,
    case when $basis = 'deal' then deal.currency_code else builds.reporting_currency end
        as currency_code,
    deal.expected_close_date, deal.closed_date, health.health_score, health.days_in_stage
from chosen
inner join fct_deal as deal on chosen.deal_key = deal.deal_key
cross join meta.builds as builds
left join dim_stage as stage on deal.stage_key = stage.stage_key and stage.is_current
left join dim_user as owner on deal.owner_user_key = owner.user_key and owner.is_current
left join mart_deal_health as health on deal.deal_key = health.deal_key
order by {sorting}, chosen.deal_key
"""


def total(name: str) -> str:
    """How many deals a set has, and what they come to."""
    return f"select count(*) as n, sum(value_rc) as value_rc from ({SETS[name]})"
