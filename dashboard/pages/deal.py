"""One deal: what it is, what happened to it, and what was written, billed and paid."""

from typing import Any

from dash import dcc, html

from dashboard.i18n import plain
from dashboard.parts import deal_link, empty, facts, panel
from dashboard.still import still
from dashboard.view import Column, Data, View

DEAL = """
select d.*, s.stage_name, s.pipeline_name, u.name as owner_name, h.health_score, h.reason,
    h.suggested_action, h.score_parts, r.billing_status, r.payment_status
from fct_deal as d
left join dim_stage as s on d.stage_key = s.stage_key and s.is_current
left join dim_user as u on d.owner_user_key = u.user_key and u.is_current
left join mart_deal_health as h on d.deal_key = h.deal_key
left join mart_deal_billing_recon as r on d.deal_key = r.deal_key
where d.deal_key = $key
"""


def _data(name: str, sql: str, /, **columns: str) -> Data:
    return Data(name, sql, [Column(column, kind) for column, kind in columns.items()])


STAYS = _data(
    "stays",
    """
select stay.stay_no, stage.stage_name, stay.entered_at, stay.exited_at, stay.days_in_stay,
    stay.entry_kind, stay.exit_kind, stay.change_precision
from fct_deal_stage as stay
left join dim_stage as stage on stay.stage_key = stage.stage_key and stage.is_current
where stay.deal_key = $key order by stay.stay_no
""",
    stage_name="text",
    entered_at="instant",
    exited_at="instant",
    days_in_stay="number",
    entry_kind="code",
    exit_kind="code",
    change_precision="code",
)
VERSIONS = _data(
    "versions",
    """
select version_no, valid_from, changed_fields, status, amount_amt, currency_code,
    expected_close_date, probability from fct_deal_version
where deal_key = $key order by version_no desc limit 200
""",
    version_no="count",
    valid_from="instant",
    changed_fields="codes",
    status="code",
    amount_amt="amount",
    expected_close_date="day",
)
CONTACTS = _data(
    "contacts",
    """
select contact.name, contact.job_title, bridge.role, bridge.is_primary
from bridge_deal_contact as bridge
inner join dim_contact as contact
    on bridge.contact_key = contact.contact_key and contact.is_current
where bridge.deal_key = $key and bridge.is_current and not bridge.is_deleted
order by bridge.is_primary desc, contact.name limit 100
""",
    name="text",
    job_title="text",
    role="text",
    is_primary="flag",
)
MAILS = _data(
    "mails",
    """
select sent_at, direction, from_domain, n_participants, is_auto_reply, link_method from fct_email
where deal_key = $key and not is_deleted order by sent_at desc limit 100
""",
    sent_at="instant",
    direction="code",
    from_domain="text",
    n_participants="count",
    is_auto_reply="flag",
)
QUOTES = _data(
    "quotes",
    """
select quote_number, status, net_amt, gross_amt, currency_code, quote_date, valid_until,
    accepted_date from fct_quote where deal_key = $key and not is_deleted order by quote_date desc
""",
    quote_number="key",
    status="code",
    net_amt="amount",
    quote_date="day",
    valid_until="day",
    accepted_date="day",
)
INVOICES = _data(
    "invoices",
    """
select invoice.number, invoice.status, link.method, link.confidence, link.is_accepted,
    link.evidence, link.allocated_net_amt, invoice.balance_amt, invoice.currency_code,
    invoice.issue_date, invoice.due_date
from bridge_deal_invoice as link
inner join fct_invoice as invoice on link.invoice_key = invoice.invoice_key
where link.deal_key = $key order by invoice.issue_date, invoice.invoice_key limit 200
""",
    number="key",
    status="code",
    issue_date="day",
    due_date="day",
    allocated_net_amt="amount",
    balance_amt="amount",
    method="code",
    confidence="share",
    is_accepted="flag",
    evidence="evidence",
)
PAYMENTS = _data(
    "payments",
    """
select part.applied_date, part.kind, part.applied_amt, part.currency_code, invoice.number
from fct_payment_allocation as part
inner join fct_invoice as invoice on part.invoice_key = invoice.invoice_key
where part.invoice_key in
    (select invoice_key from bridge_deal_invoice where deal_key = $key and is_accepted)
    and not part.is_deleted
order by part.applied_date limit 200
""",
    applied_date="day",
    number="key",
    kind="code",
    applied_amt="amount",
)
CHECKS = _data(
    "checks",
    """
select result.check_id, result.severity, result.detail, result.first_failed_at
from fct_check_result as result
where result.deal_key = $key and result.resolved_at is null
order by result.check_id limit 100
""",
    check_id="text",
    severity="mark",
    detail="text",
    first_failed_at="instant",
)
DATASETS = (STAYS, VERSIONS, CONTACTS, MAILS, QUOTES, INVOICES, PAYMENTS, CHECKS)


def build(view: View) -> list[Any]:
    """The page."""
    found = view.reader.rows(DEAL, view.parameters)
    if not found:
        return [still(empty(view, "empty.deal"))]
    deal = found[0]
    words = view.words
    shown = [
        ("status", words.code(deal["status"])),
        ("stage_name", plain(deal["stage_name"] or "")),
        ("pipeline_name", plain(deal["pipeline_name"] or "")),
        ("owner_name", plain(deal["owner_name"] or words("nobody"))),
        ("amount", words.money(deal["amount_amt"], deal["currency_code"])),
        ("amount_rc", words.money(deal["amount_rc"], view.currency)),
        ("created_date", words.day(deal["created_date"])),
        ("expected_close_date", words.day(deal["expected_close_date"])),
        ("closed_date", words.day(deal["closed_date"])),
        ("health_score", words.count(deal["health_score"])),
        ("billing_status", words.code(deal["billing_status"])),
        ("payment_status", words.code(deal["payment_status"])),
    ]
    trace = dcc.Link(
        words("deal.trace"), href=view.href("/trace", key=deal["deal_key"]), className="button"
    )
    about = [
        html.H2(plain(deal["name"] or deal["deal_key"]), className="deal-name"),
        facts(view, shown),
        trace,
    ]
    if deal["reason"]:
        about.insert(
            2,
            html.P(
                [
                    html.Strong(words("deal.why")),
                    " ",
                    plain(deal["reason"]),
                    ". ",
                    plain(deal["suggested_action"] or ""),
                ],
                className="note",
            ),
        )
    others = []
    if deal["survivor_deal_key"] not in {None, deal["deal_key"]}:
        others = [
            html.P(
                [words("deal.merged"), " ", deal_link(view, deal["survivor_deal_key"], None)],
                className="note",
            )
        ]
    return [
        still(html.Section([*about, *others], className="panel wide")),
        html.Div(
            [panel(view, data, is_wide=data in (STAYS, INVOICES, VERSIONS)) for data in DATASETS],
            className="panels",
        ),
    ]
