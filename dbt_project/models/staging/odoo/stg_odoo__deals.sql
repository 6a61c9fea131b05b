-- Grain: one row per landed version of a lead or opportunity; both are crm.lead.

{% set structure = {
    'name': 'VARCHAR',
    'type': 'VARCHAR',
    'active': 'BOOLEAN',
    'stage_id': 'VARCHAR',
    'team_id': 'VARCHAR',
    'user_id': 'VARCHAR',
    'company_currency': 'VARCHAR',
    'company_id': 'VARCHAR',
    'partner_id': 'VARCHAR',
    'lost_reason_id': 'VARCHAR',
    'lost_reason': 'VARCHAR',
    'source_id': 'VARCHAR',
    'campaign_id': 'VARCHAR',
    'contact_name': 'VARCHAR',
    'partner_name': 'VARCHAR',
    'email_from': 'VARCHAR',
    'won_status': 'VARCHAR',
    'expected_revenue': 'DECIMAL(24,4)',
    'probability': 'DECIMAL(24,6)',
    'date_deadline': 'DATE',
    'date_closed': 'TIMESTAMPTZ',
    'date_conversion': 'TIMESTAMPTZ',
    'create_date': 'TIMESTAMPTZ',
    'write_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'deals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.record_id as deal_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as deal_name,
        {{ odoo_text('landed.record.type') }} as lead_type,
        landed.record.active as is_active,
        {{ odoo_id('landed.record.stage_id') }} as source_stage_id,
        {{ odoo_id('landed.record.team_id') }} as team_id,
        {{ odoo_id('landed.record.user_id') }} as owner_id,
        {{ odoo_id('landed.record.company_currency') }} as company_currency_id,
        {{ odoo_id('landed.record.company_id') }} as own_company_id,
        {{ odoo_id('landed.record.partner_id') }} as partner_id,
        -- Named lost_reason up to Odoo 15.
        coalesce(
            {{ odoo_id('landed.record.lost_reason_id') }},
            {{ odoo_id('landed.record.lost_reason') }}
        ) as lost_reason_id,
        {{ odoo_id('landed.record.source_id') }} as source_id,
        {{ odoo_id('landed.record.campaign_id') }} as campaign_id,
        {{ odoo_text('landed.record.contact_name') }} as contact_name,
        {{ odoo_text('landed.record.partner_name') }} as partner_name,
        {{ odoo_text('landed.record.email_from') }} as email,
        {{ odoo_text('landed.record.won_status') }} as won_status,
        cast(landed.record.expected_revenue as {{ money_type() }}) as deal_amount,
        landed.record.probability as probability_percent,
        landed.record.date_deadline as expected_close_date,
        landed.record.date_closed as closed_at,
        landed.record.date_conversion as converted_at,
        landed.record.create_date as created_at,
        landed.record.write_date as updated_at,
        landed.payload is not null as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
