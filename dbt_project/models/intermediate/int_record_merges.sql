-- Grain: one row per company or contact record that the source merged into another.
-- The same loser may be named by several versions: the first word counts.

with companies as (
    select * from {{ ref('int_companies_unioned') }}
),

contacts as (
    select * from {{ ref('int_contacts_unioned') }}
),

swallowed as (
    select
        'company' as record_type,
        connection,
        company_key as winner_key,
        coalesce(updated_at, observed_at) as merged_at,
        observed_at,
        unnest(merged_ids) as loser_id
    from companies
    union all
    select
        'contact' as record_type,
        connection,
        contact_key as winner_key,
        coalesce(updated_at, observed_at) as merged_at,
        observed_at,
        unnest(merged_ids) as loser_id
    from contacts
),

stated as (
    select
        record_type,
        concat(connection, ':', loser_id) as loser_key,
        winner_key,
        merged_at,
        observed_at
    from swallowed
    where loser_id <> ''
    union all
    select
        'company' as record_type,
        company_key as loser_key,
        concat(connection, ':', merged_into_id) as winner_key,
        coalesce(updated_at, observed_at) as merged_at,
        observed_at
    from companies
    where merged_into_id is not null
    union all
    select
        'contact' as record_type,
        contact_key as loser_key,
        concat(connection, ':', merged_into_id) as winner_key,
        coalesce(updated_at, observed_at) as merged_at,
        observed_at
    from contacts
    where merged_into_id is not null
),

final as (
    select
        record_type,
        loser_key,
        min_by(winner_key, (observed_at, merged_at, winner_key)) as winner_key,
        min(merged_at) as merged_at
    from stated
    where loser_key <> winner_key
    group by record_type, loser_key
)

select * from final
