-- Grain: one row per landed version of a quote of a CRM or file. Stripe's quotes belong to
-- billing and are linked there.

with typed_nothing as (
    select
        cast(null as varchar) as quote_key,
        cast(null as varchar) as quote_id,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as quote_number,
        cast(null as varchar) as name,
        cast(null as varchar[]) as source_deal_keys,
        cast(null as varchar[]) as source_company_keys,
        cast(null as varchar[]) as source_line_keys,
        cast(null as varchar) as owner_id,
        cast(null as varchar) as status,
        cast(null as varchar) as vendor_status,
        cast(null as varchar) as currency_code,
        cast(null as {{ money_type() }}) as net_amt,
        cast(null as {{ money_type() }}) as tax_amt,
        cast(null as {{ money_type() }}) as gross_amt,
        cast(null as date) as quote_date,
        cast(null as date) as valid_until,
        cast(null as date) as accepted_date,
        cast(null as {{ instant_type() }}) as created_at,
        cast(null as {{ instant_type() }}) as updated_at,
        cast(null as varchar) as change,
        cast(null as boolean) as is_deleted,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
)

select * from typed_nothing

{% if has_source('hubspot') %}
union all
select
    quote_key, quote_id, 'hubspot', connection, quote_number, name,
    deal_keys, company_keys, line_item_keys, owner_id,
    case
        when esigned_at is not null or esign_status = 'ESIGN_COMPLETED' then 'accepted'
        when vendor_status = 'DRAFT' then 'draft'
        when vendor_status in ('PENDING_APPROVAL', 'PENDING_BUYER_ACTION') then 'pending'
        when vendor_status in ('APPROVED', 'APPROVAL_NOT_NEEDED') then 'sent'
        when vendor_status in ('ACCEPTED', 'SIGNED') then 'accepted'
        when vendor_status = 'REJECTED' then 'rejected'
        when vendor_status = 'EXPIRED' then 'expired'
        when vendor_status in ('VOID', 'ARCHIVED', 'RECALLED') then 'void'
        else 'draft'
    end,
    vendor_status, currency_code,
    -- hs_quote_amount is the total the buyer sees; without the tax it says nothing of net.
    cast(gross_amount - tax_amount as {{ money_type() }}), tax_amount, gross_amount,
    {{ company_date('coalesce(created_at, record_created_at)') }},
    {{ company_date('expires_at') }}, {{ company_date('esigned_at') }},
    coalesce(created_at, record_created_at), updated_at,
    change, is_deleted, observed_at, sync_id, position, raw_version_id
from {{ ref('stg_hubspot__quotes') }}
{% endif %}

{% if has_source('files') %}
union all
select
    quote_key, coalesce(quote_id, split_part(raw_version_id, ':', 3)), 'files', connection,
    quote_number, null,
    case when deal_id is not null then [concat(connection, ':', deal_id)] else [] end,
    case when company_id is not null then [concat(connection, ':', company_id)] else [] end,
    cast([] as varchar[]), null,
    case
        when accepted_date is not null then 'accepted'
        when vendor_status in (
            'draft', 'pending', 'sent', 'accepted', 'rejected', 'expired', 'void'
        ) then vendor_status
        else 'sent'
    end,
    vendor_status, currency_code,
    coalesce(net_amount, cast(gross_amount - tax_amount as {{ money_type() }})), tax_amount,
    coalesce(gross_amount, cast(net_amount + tax_amount as {{ money_type() }})),
    coalesce(issue_date, {{ company_date('created_at') }}), valid_until, accepted_date,
    created_at, null,
    change, is_deleted, observed_at, sync_id, position, raw_version_id
from {{ ref('stg_files__quotes') }}
{% endif %}
