"""Reconciliation: what was booked, billed and paid, and what lies between."""

from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard.figures import AMBER, BLUE, GREEN, bars, lines, waterfall
from dashboard.parts import panel, tile, tiles
from dashboard.sql import owned
from dashboard.view import WHOLE_COMPANY, Column, Data, Drill, View, to

_OWNED = owned("r")


def _company_wide(name: str, fixed: Mapping[str, str]) -> Drill:
    """The way to a month's records of the whole company, which is what the mart counts."""
    return to(name, {**WHOLE_COMPANY, **fixed}, period="period_key")


MONTHS = Data(
    "months",
    """
select period_key, sum(booked_rc) as booked_rc, sum(invoiced_net_rc) as invoiced_net_rc,
    sum(credited_net_rc) as credited_net_rc, sum(paid_rc) as paid_rc,
    sum(refunded_rc) as refunded_rc
from mart_bookings_billings_cash
where start_date between $first_day - interval '18 month' and $last_day
group by period_key, start_date order by start_date
""",
    [
        Column("period_key", "key"),
        *(
            Column(name, "money", _company_wide(leads, fixed))
            for name, leads, fixed in (
                ("booked_rc", "won", {}),
                ("invoiced_net_rc", "invoiced", {}),
                ("credited_net_rc", "credited", {}),
                ("paid_rc", "paid", {"a": "paid"}),
                ("refunded_rc", "paid", {"a": "refunded"}),
            )
        ),
    ],
)
_PARTS = (
    "outcome_var_rc",
    "amount_var_rc",
    "not_yet_billed_rc",
    "over_billed_rc",
    "billed_earlier_rc",
    "prior_bookings_rc",
    "fx_var_rc",
    "unlinked_rc",
)
TO_CASH = Data(
    "to_cash",
    f"""
select period_key, forecast_basis, forecast_rc, {", ".join(_PARTS)}, billed_rc, residual_rc
from mart_billed_vs_forecast
where period_key = $period and row_type = 'rollup'
    and scope_type = case when $pipeline is not null then 'pipeline'
        when $user is not null then 'owner' else 'company' end
    and scope_key = case when $pipeline is not null then $pipeline
        when $user is not null then $user else 'all' end
    and $team is null
""",
    [
        Column("period_key", "key"),
        *(
            Column(name, "money", to("to_cash", {"a": name}))
            for name in ("forecast_rc", *_PARTS, "billed_rc", "residual_rc")
        ),
    ],
)
MATRIX = Data(
    "matrix",
    f"""
select r.billing_status, coalesce(r.payment_status, '-') as payment_status,
    count(*) as n_rows, sum(r.booked_net_rc) as booked_net_rc, sum(r.billed_net_rc) as billed_net_rc
from mart_deal_billing_recon as r where {_OWNED}
group by r.billing_status, coalesce(r.payment_status, '-')
order by r.billing_status, payment_status
""",
    [
        Column("billing_status", "code"),
        Column("payment_status", "code"),
        Column("n_rows", "count", to("recon", a="billing_status", b="payment_status")),
        Column("booked_net_rc", "money", to("recon", a="billing_status", b="payment_status")),
        Column(
            "billed_net_rc",
            "money",
            to("recon", {"c": "billed"}, a="billing_status", b="payment_status"),
        ),
    ],
)
LEAKAGE = Data(
    "leakage",
    f"""
select r.deal_key, d.name, u.name as owner_name, r.booked_net_amt, r.currency_code,
    r.booked_net_rc, r.won_date, cast(r.as_of_date - r.won_date as bigint) as days_since_won
from mart_deal_billing_recon as r
inner join fct_deal as d on r.deal_key = d.deal_key
left join dim_user as u on r.owner_user_key = u.user_key and u.is_current
where r.billing_status = 'unbilled_late' and {_OWNED}
order by r.booked_net_rc desc nulls last, r.deal_key limit 500
""",
    [
        Column("name", "deal"),
        Column("owner_name"),
        Column("booked_net_amt", "amount"),
        Column("booked_net_rc", "money"),
        Column("won_date", "day"),
        Column("days_since_won", "count"),
    ],
)
LINKS = Data(
    "links",
    """
select link.method, min(link.confidence) as confidence, link.is_accepted, count(*) as n_links,
    case when link.is_accepted then 'true' else 'false' end as accepted
from bridge_deal_invoice as link where not link.is_deleted
group by link.method, link.is_accepted order by confidence desc, link.method, link.is_accepted
""",
    [
        Column("method", "code"),
        Column("confidence", "share", to("links", a="method", b="accepted")),
        Column("is_accepted", "flag"),
        Column("n_links", "count", to("links", a="method", b="accepted")),
    ],
)
CANDIDATES = Data(
    "candidates",
    """
select link.deal_key, deal.name, invoice.number, link.method, link.confidence, link.evidence,
    invoice.net_amt, invoice.currency_code, invoice.issue_date, link.is_accepted
from bridge_deal_invoice as link
inner join fct_deal as deal on link.deal_key = deal.deal_key
inner join fct_invoice as invoice on link.invoice_key = invoice.invoice_key
where link.method in ('company_amount', 'domain_amount') and not link.is_manual
    and not link.is_deleted
order by link.confidence, invoice.issue_date desc, link.deal_invoice_key limit 200
""",
    [
        Column("name", "deal"),
        Column("number", "key"),
        Column("net_amt", "amount"),
        Column("issue_date", "day"),
        Column("method", "code"),
        Column("confidence", "share"),
        Column("is_accepted", "flag"),
        Column("evidence", "evidence"),
    ],
)
AGEING = Data(
    "ageing",
    """
select bucket, currency_code, balance_amt, balance_rc, n_documents from mart_ar_ageing_bucket
where as_of_date = (
        select max(as_of_date) from mart_ar_ageing_bucket where as_of_date <= $day)
    and bucket <> 'all'
order by case bucket when 'unapplied' then 0 when 'current' then 1 when '1-30' then 2
    when '31-60' then 3 when '61-90' then 4 when '91-120' then 5 else 6 end, currency_code
""",
    [
        Column("bucket", "code"),
        *(
            Column(name, kind, to("receivables", a="bucket", b="currency_code"))
            for name, kind in (
                ("balance_amt", "amount"),
                ("balance_rc", "money"),
                ("n_documents", "count"),
            )
        ),
    ],
)
DATASETS = (MONTHS, TO_CASH, MATRIX, LEAKAGE, LINKS, CANDIDATES, AGEING)


def to_cash_picture(view: View, row: dict[str, Any]) -> Any:
    """From the forecast of the period's start to what was billed."""
    names = ["forecast_rc", *_PARTS, "billed_rc"]
    return waterfall(
        [view.words(f"col.{name}") for name in names],
        [row[name] for name in names],
        [name in {"forecast_rc", "billed_rc"} for name in names],
        view.words,
        view.currency,
    )


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    months, cash, ageing = view.rows(MONTHS), view.rows(TO_CASH), view.rows(AGEING)
    leak = view.total("billing", a="unbilled_late")
    candidates = view.rows(CANDIDATES)
    heads = [
        tile(
            view,
            "overview.unbilled",
            words.money(leak["value_rc"], view.currency),
            view.href("/deals", set="billing", a="unbilled_late"),
            words("n_deals", n=words.count(leak["n"])),
        ),
        tile(
            view,
            "recon.candidates",
            words.count(len(candidates)),
            view.href("/deals", set="candidates"),
            note=words("recon.candidates_note"),
        ),
        tile(
            view,
            "col.residual_rc",
            words.money(cash[0]["residual_rc"] if cash else None, view.currency),
            view.href("/deals", set="to_cash", a="residual_rc") if cash else None,
            note=f"{words('movement.residual_note')} ({cash[0]['period_key']})" if cash else "",
        ),
    ]
    months_picture = ageing_picture = None
    if months:
        months_picture = lines(
            [row["period_key"] for row in months],
            [
                (words(f"col.{name}"), [row[name] for row in months], colour, dash)
                for name, colour, dash in (
                    ("booked_rc", BLUE, "solid"),
                    ("invoiced_net_rc", AMBER, "dash"),
                    ("paid_rc", GREEN, "dot"),
                )
            ],
            words,
            view.currency,
        )
    if ageing:
        ageing_picture = bars(
            [f"{words.code(row['bucket'])} · {row['currency_code']}" for row in ageing],
            [row["balance_rc"] for row in ageing],
            words,
            currency=view.currency,
        )
    return [
        tiles(heads),
        html.Div(
            [
                panel(
                    view,
                    TO_CASH,
                    to_cash_picture(view, cash[0]) if cash else None,
                    rows=cash,
                    is_wide=True,
                    missing="empty.to_cash",
                ),
                panel(view, MONTHS, months_picture, rows=months),
                panel(view, AGEING, ageing_picture, rows=ageing),
                panel(view, MATRIX, is_wide=True),
                panel(view, LEAKAGE, is_wide=True, missing="empty.leakage"),
                panel(view, LINKS, is_wide=True),
                panel(view, CANDIDATES, rows=candidates, is_wide=True),
            ],
            className="panels",
        ),
    ]
