"""The records behind a number that is not counted in deals: quotas, stays, letters, documents.

Each set is a query of records: the deal that a record hangs on (null if none), what it is, and
what it adds to the number. A list of them has as many rows as the number counts, or sums up to it.
"""

from dashboard.sql import of_people, owned, rounded, scoped

_FLOWS = {
    "open_at_start_n": (
        "stay.entered_date < $first_day and (stay.exited_date is null "
        "or stay.exited_date >= $first_day or stay.exited_date > $today)"
    ),
    "entered_forward_n": (
        "stay.entered_date >= $first_day and stay.entry_kind in ('created', 'forward')"
    ),
    "entered_backward_n": "stay.entered_date >= $first_day and stay.entry_kind = 'backward'",
    "entered_reopened_n": (
        "stay.entered_date >= $first_day and stay.entry_kind in ('reopened', 'restored')"
    ),
    "entered_other_pipeline_n": (
        "stay.entered_date >= $first_day and stay.entry_kind = 'pipeline_changed'"
    ),
    **{
        f"exited_{kind}_n": f"{{left}} and stay.exit_kind = '{kind}'"
        for kind in ("forward", "backward", "won", "lost")
    },
    "exited_other_n": "{left} and stay.exit_kind in ('pipeline_changed', 'deleted', 'merged')",
    "exits": "{left}",
    "open_at_end_n": "(stay.exited_date is null or stay.exited_date > {end})",
}
"""By column of mart_funnel_flow: which stays of a stage it counts."""

_END = "least($last_day, $today)"
_FLOW = " or ".join(
    "($b = '{}' and {})".format(
        name,
        condition.format(
            end=_END, left=f"stay.exited_date >= $first_day and stay.exited_date <= {_END}"
        ),
    )
    for name, condition in _FLOWS.items()
)

_RECON_VALUE = "case when $c = 'billed' then r.billed_net_rc else r.booked_net_rc end"
_RECON_AMOUNT = "case when $c = 'billed' then r.billed_net_amt else r.booked_net_amt end"
_TO_CASH = (
    *("forecast_rc", "outcome_var_rc", "amount_var_rc", "not_yet_billed_rc", "over_billed_rc"),
    *("billed_earlier_rc", "prior_bookings_rc", "fx_var_rc", "unlinked_rc", "billed_rc"),
    "residual_rc",
)

# Who belongs to a team: on the period's last day, today while it lasts (int_quota_in_force).
_PLACED_AT = (
    "case when $last_day < $today then cast($last_day as timestamp) at time zone $zone "
    "else $as_of end"
)
_QUOTA = rounded("cast(q.quota_rc as decimal(28, 4)) * q.proration")
_DEAL_OF_INVOICE = """
    select invoice_key, min(deal_key) as deal_key from bridge_deal_invoice
    where is_accepted and not is_deleted group by invoice_key
"""
_PAID = rounded("cast(p.applied_amt as decimal(38, 4)) * coalesce(f.rate_to_rc, i.rate_to_rc)")

RECORDS = {
    # A scope's own quota counts; where it has none, the sum of its people's.
    "quotas": f"""
select cast(null as varchar) as deal_key, coalesce(u.name, q.scope_key) as record,
    q.scope_type as kind, {_QUOTA} as value_rc, q.quota_amt as amount, q.currency_code,
    cast(q.valid_from as date) as day
from fct_quota as q
left join dim_user as u
    on q.scope_key = u.user_key and {_PLACED_AT} >= u.valid_from
    and (u.valid_to is null or {_PLACED_AT} < u.valid_to)
where q.period_key = $period and q.is_in_force and not q.is_deleted and q.credit_type = 'revenue'
    and q.measure = 'bookings' and not q.is_period_unknown
    and ({scoped("q.scope_type", "q.scope_key")}
        or (q.scope_type = 'user' and $user is null
            and ($team is null or coalesce(u.team_key, 'unassigned') = $team)
            and not exists (
                select 1 from fct_quota as own
                where own.period_key = $period and own.is_in_force and not own.is_deleted
                    and own.credit_type = 'revenue' and own.measure = 'bookings'
                    and {scoped("own.scope_type", "own.scope_key")})))
""",
    "submissions": f"""
select cast(null as varchar) as deal_key, coalesce(u.name, s.submitter_user_key) as record,
    s.category as kind, s.forecast_rc as value_rc, s.forecast_amt as amount, s.currency_code,
    s.submitted_date as day
from fct_forecast_submission as s
left join dim_user as u on s.submitter_user_key = u.user_key and u.is_current
where s.period_key = $period and not s.is_deleted
    and ({scoped("s.scope_type", "s.scope_key")} or ($user is null and $team is null))
""",
    "stays": """
select stay.deal_key, stage.stage_name as record, coalesce(stay.exit_kind, 'open') as kind,
    stay.amount_at_entry_rc as value_rc, stay.amount_at_entry_amt as amount, stay.currency_code,
    stay.entered_date as day
from fct_deal_stage as stay
inner join fct_deal as d on stay.deal_key = d.deal_key
left join dim_stage as stage on stay.stage_key = stage.stage_key and stage.is_current
where stay.stage_key = $a and stay.is_duration_usable and not stay.is_deleted
    and not d.is_deleted and not d.is_excluded
    and ($pipeline is null or stay.pipeline_key = $pipeline)
""",
    "flow": f"""
select stay.deal_key, stage.stage_name as record,
    case when $b like 'entered%' then stay.entry_kind
        else coalesce(stay.exit_kind, 'open') end as kind,
    stay.amount_at_entry_rc as value_rc, stay.amount_at_entry_amt as amount, stay.currency_code,
    case when $b like 'entered%' then stay.entered_date
        else coalesce(stay.exited_date, stay.entered_date) end as day
from fct_deal_stage as stay
left join dim_stage as stage on stay.stage_key = stage.stage_key and stage.is_current
where stay.stage_key = $a and stay.stage_type not in ('won', 'lost')
    and stay.entered_date <= {_END}
    and not exists (select 1 from fct_deal as x
        where x.deal_key = stay.survivor_deal_key and x.is_excluded)
    and ({_FLOW})
""",
    "leads": """
select l.deal_key, coalesce(l.company_name, l.lead_key) as record, l.status as kind,
    d.amount_rc as value_rc, d.amount_amt as amount, d.currency_code, l.created_date as day
from fct_lead as l
left join fct_deal as d on l.deal_key = d.deal_key
where not l.is_deleted and l.created_date between $first_day and $last_day
    and l.created_date <= $today and coalesce(l.source_channel, 'unknown') = $a
    and ($b is null or (d.deal_key is not null and ($b <> 'won' or d.status = 'won')))
""",
    "activities": f"""
select a.deal_key, coalesce(a.subject, a.activity_id) as record, a.type as kind,
    cast(null as decimal(18, 4)) as value_rc, cast(null as decimal(18, 4)) as amount,
    cast(null as varchar) as currency_code, a.occurred_date as day
from fct_activity as a
where a.done and not a.is_deleted and a.type <> 'note' and a.occurred_at <= $as_of
    and a.occurred_date between $first_day and $last_day and {of_people("a.owner_user_key")}
    and ($a is null or a.type = $a)
""",
    # As mart_rep_performance counts: the first letter after our last one, for whoever
    # owned the deal then.
    "answers": f"""
with letters as (
    select deal_key, from_domain, sent_at, sent_date, direction,
        lag(direction) over conversation as last_direction,
        min(case when direction = 'out' then sent_at end) over (
            partition by thread_key order by sent_at, email_key
            rows between 1 following and unbounded following) as answered_at
    from fct_email
    where direction in ('in', 'out') and not is_auto_reply and not is_bounce and not is_deleted
        and sent_at <= $as_of
    window conversation as (partition by thread_key order by sent_at, email_key)
)

select letters.deal_key, letters.from_domain as record, 'answered' as kind,
    cast(null as decimal(18, 4)) as value_rc, cast(null as decimal(18, 4)) as amount,
    cast(null as varchar) as currency_code, letters.sent_date as day
from letters
inner join fct_deal_version as v
    on letters.deal_key = v.deal_key and letters.sent_at >= v.valid_from
    and (letters.sent_at < v.valid_to or v.valid_to is null)
where letters.direction = 'in' and coalesce(letters.last_direction, '') <> 'in'
    and letters.answered_at is not null and letters.deal_key is not null
    and letters.sent_date between $first_day and $last_day and {of_people("v.owner_user_key")}
""",
    "recon": f"""
select r.deal_key, coalesce(i.number, r.invoice_key) as record,
    coalesce(r.payment_status, r.billing_status) as kind, {_RECON_VALUE} as value_rc,
    {_RECON_AMOUNT} as amount, r.currency_code, coalesce(r.won_date, r.first_invoice_date) as day
from mart_deal_billing_recon as r
left join fct_invoice as i on r.invoice_key = i.invoice_key
where r.billing_status = $a and coalesce(r.payment_status, '-') = $b and {owned("r")}
""",
    "to_cash": f"""
select b.deal_key, coalesce(b.deal_key, b.row_type) as record, b.row_type as kind,
    case {" ".join(f"when $a = '{name}' then b.{name}" for name in _TO_CASH)} end as value_rc,
    b.billed_rc as amount, (select reporting_currency from meta.builds) as currency_code,
    b.period_end_date as day
from mart_billed_vs_forecast as b
where b.period_key = $period and b.row_type <> 'rollup'
    and b.scope_type = case when $pipeline is not null then 'pipeline'
        when $user is not null then 'owner' else 'company' end
    and ($pipeline is null or $pipeline = b.scope_key)
    and ($pipeline is not null or $user is null or $user = b.scope_key)
    and case {" ".join(f"when $a = '{name}' then b.{name}" for name in _TO_CASH)} end <> 0
""",
    "invoiced": f"""
select link.deal_key, coalesce(i.number, i.invoice_key) as record, i.status as kind,
    i.net_rc as value_rc, i.net_amt as amount, i.currency_code, i.issue_date as day
from fct_invoice as i
left join ({_DEAL_OF_INVOICE}) as link on i.invoice_key = link.invoice_key
where i.issue_date between $first_day and $last_day and i.is_billable and not i.is_deleted
union all
select link.deal_key, coalesce(i.number, i.invoice_key) as record, 'void' as kind,
    -i.net_rc as value_rc, -i.net_amt as amount, i.currency_code, i.voided_date as day
from fct_invoice as i
left join ({_DEAL_OF_INVOICE}) as link on i.invoice_key = link.invoice_key
where i.voided_date between $first_day and $last_day and i.is_billable and not i.is_deleted
""",
    "credited": f"""
select link.deal_key, coalesce(n.number, n.credit_note_key) as record, n.status as kind,
    n.net_rc as value_rc, n.net_amt as amount, n.currency_code, n.issue_date as day
from fct_credit_note as n
left join ({_DEAL_OF_INVOICE}) as link on n.invoice_key = link.invoice_key
where n.issue_date between $first_day and $last_day and not n.is_deleted
""",
    # The mart values a payment at the rate of its day; without one, at the invoice's.
    "paid": f"""
select link.deal_key, coalesce(i.number, p.invoice_key) as record, p.kind,
    {_PAID}
        * case when p.kind in ('refund', 'dispute') then -1 else 1 end as value_rc,
    p.applied_amt as amount, p.currency_code, p.applied_date as day
from fct_payment_allocation as p
inner join fct_invoice as i on p.invoice_key = i.invoice_key and i.is_billable
left join fct_fx_rate as f
    on p.currency_code = f.currency_code and p.applied_date = f.rate_date and f.rate_type = 'spot'
left join ({_DEAL_OF_INVOICE}) as link on p.invoice_key = link.invoice_key
where p.applied_date between $first_day and $last_day and p.applied_date <= $today
    and not p.is_deleted
    and (($a = 'paid' and p.kind in ('payment', 'prepayment'))
        or ($a = 'refunded' and p.kind in ('refund', 'dispute')))
""",
    "links": """
select link.deal_key, coalesce(i.number, link.invoice_key) as record, link.method as kind,
    cast(null as decimal(18, 4)) as value_rc, link.allocated_net_amt as amount, link.currency_code,
    i.issue_date as day
from bridge_deal_invoice as link
left join fct_invoice as i on link.invoice_key = i.invoice_key
where not link.is_deleted and link.method = $a
    and ($b is null or link.is_accepted = ($b = 'true'))
""",
    "receivables": f"""
select link.deal_key, coalesce(i.number, a.document_key) as record, a.document_type as kind,
    a.balance_rc as value_rc, a.balance_amt as amount, a.currency_code, a.due_date as day
from mart_ar_ageing as a
left join fct_invoice as i on a.invoice_key = i.invoice_key
left join ({_DEAL_OF_INVOICE}) as link on a.invoice_key = link.invoice_key
where a.as_of_date = (select max(as_of_date) from mart_ar_ageing where as_of_date <= $day)
    and a.bucket = $a and a.currency_code = $b
""",
    "failing": """
select c.deal_key, c.record_key as record, c.record_type as kind,
    cast(null as decimal(18, 4)) as value_rc, cast(null as decimal(18, 4)) as amount,
    cast(null as varchar) as currency_code, cast(c.first_failed_at as date) as day
from fct_check_result as c
where c.resolved_at is null and ($a is null or c.check_id = $a)
    and ($b is null or c.severity = $b)
    and ($c is null
        or cast(cast(date_trunc('month', c.first_failed_at) as date) as varchar) = $c)
""",
}

COLUMNS = {
    "name": "text",
    "record": "text",
    "kind": "code",
    "owner_name": "text",
    "value_rc": "money",
    "amount": "amount",
    "day": "day",
}
"""Columns of a list of records, with the kind of each."""
