"""The deals behind a number: each set is a query of deals, and what each adds to the number.

A set in ``OF_A_DAY`` asks the table ``deals``, which is fct_deal or, where a reader chose an
earlier day, the deals as they stood at the end of that day.
"""

from dashboard import record_sets
from dashboard.sql import OWNED, of_people

_COUNTS = "not d.is_deleted and not d.is_excluded and d.duplicate_of_deal_key is null"
_OPEN = f"d.status = 'open' and {_COUNTS} and {OWNED}"
_DUE = f"{_OPEN} and d.expected_close_date between $first_day and $last_day and d.amount_rc >= 0"

# The view has no duplicates of its own; what merged away or was deleted by then is out.
_THEN = """(
    select daily.*, deal.duplicate_of_deal_key
    from fct_deal_daily as daily
    inner join fct_deal as deal on daily.survivor_deal_key = deal.deal_key
    where daily.basis = 'restated' and daily.date = $day and not daily.is_merged_away
)"""

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
    and d.closed_date <= $day
    and ($user is null or credit.user_key = $user)
    and ($team is null or coalesce(u.team_key, 'unassigned') = $team)
    and ($pipeline is null or d.pipeline_key = $pipeline)
group by d.deal_key
"""

_LEDGER = """
select m.deal_key, sum(
    case when $b = 'slip' then case when m.is_slip then m.amount_rc else 0 end
        when $b = 'transient' then case when
            case when $user is not null then m.is_transient_for_owner
                when $team is not null then m.is_transient_for_team
                when $pipeline is not null then m.is_transient_for_pipeline
                else m.is_transient end
            then m.amount_rc else 0 end
        else m.amount_rc end) as value_rc
from fct_pipeline_movement as m
where m.basis = 'restated' and m.window_type = 'period' and m.ledger = '{ledger}'
    and m.period_key = $period and m.reason = $a and m.posted_date <= $day
    and (($user is null and $team is null and $pipeline is null and m.is_company_row)
        or ($user is not null and m.is_owner_row and m.owner_user_key = $user)
        or ($team is not null and m.is_team_row and m.team_key = $team)
        or ($user is null and $team is null and $pipeline is not null
            and m.is_pipeline_row and m.pipeline_key = $pipeline))
group by m.deal_key
"""

# By the owner and the team of the decision (mart_win_rate). Lost ones that the settings leave out
# of the rate, such as tests, are in the list.
_DECIDED = """
select d.deal_key,
    case when d.status = 'won' then d.amount_at_won_rc else d.amount_rc end as value_rc
from fct_deal as d
left join dim_user as u
    on coalesce(d.owner_at_won_user_key, d.owner_user_key) = u.user_key
    and coalesce(d.won_at, d.lost_at, d.created_at) >= u.valid_from
    and (u.valid_to is null or coalesce(d.won_at, d.lost_at, d.created_at) < u.valid_to)
where not d.is_deleted and not d.is_excluded and d.status in ('won', 'lost')
    and ($a is null or d.status = $a)
    and d.closed_date between $first_day and $last_day
    and ($user is null or coalesce(d.owner_at_won_user_key, d.owner_user_key, 'unknown') = $user)
    and ($team is null or coalesce(u.team_key, 'unassigned') = $team)
    and ($pipeline is null or d.pipeline_key = $pipeline)
"""

# Standing in the pipeline and due in the period, at the end of the day before it or of the day that
# is looked at; in the team of that moment, as in mart_pipeline_movement.
_SIDE = "case when $a = 'start' then $first_day - 1 else least($last_day, $day) end"
_SIDE_ENDED = f"(cast({_SIDE} + 1 as timestamp) at time zone $zone)"
STANDING = f"""
select d.deal_key, d.amount_rc as value_rc from fct_deal_daily as d
left join dim_user as u
    on d.owner_user_key = u.user_key and {_SIDE_ENDED} > u.valid_from
    and (u.valid_to is null or {_SIDE_ENDED} <= u.valid_to)
where d.basis = 'restated' and not d.is_merged_away and not d.is_deleted and not d.is_excluded
    and d.date = {_SIDE} and d.status = 'open'
    and d.expected_close_date between $first_day and $last_day
    and ($user is null or d.owner_user_key = $user)
    and ($team is null or coalesce(u.team_key, 'unassigned') = $team)
    and ($pipeline is null or d.pipeline_key = $pipeline)
"""

_COHORT = """
select d.deal_key, d.amount_rc as value_rc
from fct_deal as d
inner join (
    select deal_key, min(entered_date) as entered_date from fct_deal_stage
    where pipeline_key = $a group by deal_key
) as entry on d.deal_key = entry.deal_key
where not d.is_deleted and not d.is_excluded
    and entry.entered_date between $first_day and $last_day
"""

_CREATED = f"""
select d.deal_key,
    case when d.status = 'won' then d.amount_at_won_rc else d.amount_rc end as value_rc
from fct_deal as d
inner join fct_deal_stage as stay on d.deal_key = stay.deal_key and stay.stay_no = 1
where not d.is_deleted and not d.is_excluded
    and d.created_date between $first_day and $last_day and {of_people("stay.owner_user_key")}
"""

OF_A_DAY = {
    "all": f"""
select d.deal_key, d.amount_rc as value_rc from deals as d where {_COUNTS} and {OWNED}
""",
    "open": f"""
select d.deal_key, d.stage_key, d.amount_rc as value_rc from deals as d where {_OPEN}
""",
    "due": f"select d.deal_key, d.amount_rc as value_rc from deals as d where {_DUE}",
    "stage": f"""
select d.deal_key, d.amount_rc as value_rc from deals as d where {_OPEN} and d.stage_key = $a
""",
    "category": f"""
select d.deal_key, d.amount_rc as value_rc from deals as d
where {_DUE} and coalesce(d.forecast_category, 'pipeline') = $a
""",
}

SETS = {
    **OF_A_DAY,
    "won": _WON,
    "expected": f"{_WON} union all select d.deal_key, d.amount_rc as value_rc from fct_deal as d "
    f"where {_DUE}",
    "moved": _LEDGER.format(ledger="pipeline"),
    "booked": _LEDGER.format(ledger="bookings"),
    "standing": STANDING,
    "decided": _DECIDED,
    "cohort": _COHORT,
    "created": _CREATED,
    "undated": f"""
select d.deal_key, d.amount_rc as value_rc from fct_deal as d
where {_OPEN} and d.expected_close_date is null
""",
    "stalled": f"""
select h.deal_key, h.amount_rc as value_rc from mart_deal_health as h
inner join fct_deal as d on h.deal_key = d.deal_key
where h.is_stalled and {OWNED}
""",
    "signals": f"""
select h.deal_key, h.amount_rc as value_rc from mart_deal_health as h
inner join fct_deal as d on h.deal_key = d.deal_key
where array_length(h.signals, 1) > 0 and {OWNED}
""",
    "billing": f"""
select d.deal_key, sum(r.booked_net_rc) as value_rc from mart_deal_billing_recon as r
inner join fct_deal as d on r.deal_key = d.deal_key
where r.billing_status = $a and ($b is null or coalesce(r.payment_status, '-') = $b)
    and {OWNED}
group by d.deal_key
""",
    "changed": f"""
select m.deal_key, sum(m.amount_rc) as value_rc from fct_pipeline_movement as m
inner join fct_deal as d on m.deal_key = d.deal_key
where m.basis = 'restated' and m.window_type = 'period' and m.ledger = 'pipeline'
    and m.period_key = $period and m.is_company_row and m.reason = $a
    and m.posted_date > $day - 7 and m.posted_date <= $day and {OWNED}
group by m.deal_key
""",
    "candidates": """
select link.deal_key, max(invoice.net_rc) as value_rc from bridge_deal_invoice as link
inner join fct_invoice as invoice on link.invoice_key = invoice.invoice_key
where link.method in ('company_amount', 'domain_amount') and not link.is_manual
    and not link.is_deleted
group by link.deal_key
""",
}

LISTS = {**SETS, **record_sets.RECORDS}
"""Every list that a number leads to: of deals, and of records that hang on deals."""

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


def columns(name: str) -> dict[str, str]:
    """The columns of a list."""
    return COLUMNS if name in SETS else record_sets.COLUMNS


def chosen(name: str, *, is_past: bool = False) -> str:
    """The query of a list; ``is_past`` if a day before the publication is looked at."""
    sql = LISTS[name]
    if name in OF_A_DAY:
        return sql.replace("from deals as d", f"from {_THEN if is_past else 'fct_deal'} as d")
    return sql


def listing(name: str, order: str = "", *, is_past: bool = False) -> str:
    """The rows of a list with what it shows of each.

    ``$basis`` is ``deal`` for amounts in the deal's own currency.
    """
    column, _, direction = order.partition(" ")
    sorting = "value_rc desc nulls last"
    if column in columns(name) and direction in {"asc", "desc"}:
        sorting = f"{column} {direction} nulls last"
    if name in record_sets.RECORDS:
        return f"""
with records as ({chosen(name)})
select records.*, coalesce(deal.name, deal.deal_key) as name, owner.name as owner_name
from records
left join fct_deal as deal on records.deal_key = deal.deal_key
left join dim_user as owner on deal.owner_user_key = owner.user_key and owner.is_current
order by {sorting}, record, records.deal_key
"""
    then = f"left join {_THEN} as then_ on chosen.deal_key = then_.deal_key" if is_past else ""
    of = {
        one: f"coalesce(then_.{one}, deal.{one})" if is_past else f"deal.{one}"
        for one in ("stage_key", "owner_user_key", "status", "amount_amt", "amount_rc")
    }
    of |= {
        one: f"then_.{one}" if is_past else f"deal.{one}"
        for one in ("expected_close_date", "closed_date")
    }
    days = "then_.days_in_stage" if is_past else "h.days_in_stage"
    health = "cast(null as bigint)" if is_past else "h.health_score"
    currency = (
        "coalesce(then_.currency_code, deal.currency_code)" if is_past else ("deal.currency_code")
    )
    return f"""
with chosen as ({chosen(name, is_past=is_past)})
select
    chosen.deal_key, deal.name, stage.stage_name, owner.name as owner_name, stage.pipeline_name,
    {of["status"]} as status, chosen.value_rc,
    case when $basis = 'deal' then {of["amount_amt"]} else {of["amount_rc"]} end as amount,
    case when $basis = 'deal' then {currency} else builds.reporting_currency end
        as currency_code,
    {of["expected_close_date"]} as expected_close_date, {of["closed_date"]} as closed_date,
    {health} as health_score, {days} as days_in_stage
from chosen
inner join fct_deal as deal on chosen.deal_key = deal.deal_key
cross join meta.builds as builds
{then}
left join dim_stage as stage on {of["stage_key"]} = stage.stage_key and stage.is_current
left join dim_user as owner on {of["owner_user_key"]} = owner.user_key and owner.is_current
left join mart_deal_health as h on deal.deal_key = h.deal_key
order by {sorting}, chosen.deal_key
"""


def total(name: str, *, is_past: bool = False) -> str:
    """How many rows a list has, and what they come to."""
    return (
        f"select count(*) as n, sum(value_rc) as value_rc "
        f"from ({chosen(name, is_past=is_past)}) as counted"
    )
