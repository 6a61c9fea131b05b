-- Grain: one row per landed version of a sales order of Zoho. It stands from its creation: there is
-- no other day of the order. A word for its state that is not Zoho's own leaves it confirmed.
--
-- The grand total holds the taxes of the lines and that of the document; what is left without
-- them is the net.

with orders as (
    select
        *,
        cast(
            coalesce(tax_amount, 0) + coalesce({{ list_total('lines', 'coalesce(one.Tax, 0)') }}, 0)
            as {{ money_type() }}
        ) as all_taxes,
        coalesce(vendor_status = 'cancelled', false) as is_cancelled,
        max(
            case when vendor_status is distinct from 'cancelled' then observed_at end
        ) over (partition by order_key) as last_standing_at
    from {{ ref('stg_zoho__sales_orders') }}
    where change = 'upsert'
),

dated as (
    select
        *,
        min(
            case
                when is_cancelled and (last_standing_at is null or observed_at > last_standing_at)
                    then updated_at
            end
        ) over (partition by order_key) as cancelled_since
    from orders
),

home_currencies as (
    {{ zoho_home_currencies() }}
)

select
    dated.order_key,
    dated.order_id,
    'zoho' as source_system,
    dated.connection,
    dated.order_number,
    dated.connection || ':' || dated.deal_id as source_deal_key,
    dated.connection || ':' || dated.quote_id as quote_key,
    dated.connection || ':' || dated.company_id as source_company_key,
    dated.owner_id,
    case dated.vendor_status
        when 'cancelled' then 'cancelled'
        when 'delivered' then 'done'
        else 'confirmed'
    end as status,
    dated.vendor_status,
    coalesce(dated.vendor_status not in ('created', 'approved', 'delivered', 'cancelled'), true)
        as is_status_assumed,
    coalesce(dated.currency_code, home_currencies.currency_code) as currency_code,
    cast(dated.gross_amount - dated.all_taxes as {{ money_type() }}) as net_amt,
    dated.all_taxes as tax_amt,
    dated.gross_amount as gross_amt,
    dated.promised_date,
    dated.created_at as ordered_at,
    case when dated.is_cancelled then dated.cancelled_since end as cancelled_at,
    dated.change,
    dated.is_deleted,
    dated.observed_at,
    dated.sync_id,
    dated.position,
    dated.raw_version_id
from dated
left join home_currencies on dated.connection = home_currencies.connection
{{ union_all_by_name() }}
select
    order_key,
    connection,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_zoho__sales_orders') }}
where change <> 'upsert'
