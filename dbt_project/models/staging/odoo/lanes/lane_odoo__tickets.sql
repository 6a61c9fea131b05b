-- Grain: one row per landed version of a ticket of Odoo's helpdesk. Closing stages set the day of the
-- close and others take it back.

with partners as (
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
    tickets.ticket_key,
    tickets.ticket_id,
    'odoo' as source_system,
    tickets.connection,
    tickets.ticket_number,
    tickets.connection || ':' || partners.company_id as source_company_key,
    case when tickets.closed_at is not null then 'solved' else 'open' end as status,
    case tickets.vendor_severity
        when '0' then 'low'
        when '1' then 'normal'
        when '2' then 'high'
        when '3' then 'critical'
    end as severity,
    tickets.opened_at,
    tickets.closed_at as solved_at,
    tickets.change,
    tickets.is_deleted,
    tickets.observed_at,
    tickets.sync_id,
    tickets.position,
    tickets.raw_version_id
from {{ ref('stg_odoo__tickets') }} as tickets
left join partners
    on tickets.connection = partners.connection and tickets.partner_id = partners.partner_id
