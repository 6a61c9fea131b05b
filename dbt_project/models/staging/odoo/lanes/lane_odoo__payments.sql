-- Grain: one row per landed version of money that a customer paid, by Odoo's payments. What we
-- paid back stands with its credit note.

with payments as (
    select * from {{ ref('stg_odoo__payments') }}
),

inbound as (
    select distinct payment_key
    from payments
    where payment_type = 'inbound'
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(upper(currency_code), (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_odoo__currencies') }}
    where has_content
    group by connection, currency_id
),

partners as (
    select
        connection,
        partner_id,
        arg_max(
            coalesce(commercial_partner_id, parent_id, partner_id),
            (observed_at, sync_id, position)
        ) as company_id
    from {{ ref('stg_odoo__partners') }}
    where has_content
    group by connection, partner_id
)

select
    payments.payment_key,
    'odoo' as source_system,
    payments.connection,
    payments.raw_version_id,
    payments.connection || ':' || coalesce(partners.company_id, payments.partner_id)
        as customer_key,
    payments.method,
    case
        when payments.vendor_status in ('cancel', 'canceled', 'rejected') then 'canceled'
        when payments.vendor_status = 'draft' then 'pending'
        else 'succeeded'
    end as status,
    currencies.currency_code,
    currencies.currency_code as settled_currency_code,
    payments.paid_amount as amount_amt,
    payments.is_deleted,
    payments.paid_date,
    payments.observed_at,
    payments.sync_id,
    payments.position
from payments
inner join inbound on payments.payment_key = inbound.payment_key
left join currencies
    on
        payments.connection = currencies.connection
        and payments.currency_id = currencies.currency_id
left join partners
    on payments.connection = partners.connection and payments.partner_id = partners.partner_id
