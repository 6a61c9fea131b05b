-- Grain: one row per quote, newest state.

with quotes as (
    select * from {{ ref('int_quotes_current') }}
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

known_deals as (
    select deal_key from {{ ref('int_deals_current') }}
),

companies as (
    select record_key, any_value(company_key) as company_key
    from {{ ref('int_company_identities') }}
    group by record_key
),

associated as (
    select * from {{ ref('int_quote_deals_unioned') }}
),

users as (
    select * from {{ ref('int_user_map') }}
),

connections as (
    select * from {{ ref('stg_config__connections') }}
),

line_counts as (
    select
        quote_key,
        count(*) as n_lines
    from {{ ref('fct_quote_line') }}
    where quote_key is not null and not is_deleted
    group by quote_key
),

final as (
    select
        quotes.quote_key,
        quotes.quote_id,
        quotes.quote_number,
        quotes.name,
        known_deals.deal_key,
        coalesce(companies.company_key, quotes.source_company_keys[1]) as company_key,
        coalesce(users.user_key, 'unknown') as owner_user_key,
        quotes.status,
        quotes.vendor_status,
        coalesce(quotes.currency_code, connections.home_currency) as currency_code,
        quotes.net_amt,
        quotes.tax_amt,
        quotes.gross_amt,
        coalesce(line_counts.n_lines, 0) as n_lines,
        quotes.currency_code is null as is_currency_assumed,
        coalesce(
            quotes.valid_until < {{ as_of_date() }}
            and quotes.status not in ('accepted', 'rejected', 'void'),
            false
        ) as is_expired,
        quotes.quote_date,
        quotes.valid_until,
        quotes.accepted_date,
        quotes.created_at,
        quotes.updated_at,
        quotes.is_deleted,
        quotes.source_system,
        quotes.connection,
        quotes.raw_version_id
    from quotes
    left join associated
        on quotes.quote_key = associated.quote_key
    left join survivors
        on coalesce(quotes.source_deal_keys[1], associated.deal_key) = survivors.deal_key
    left join known_deals
        on coalesce(
            survivors.survivor_deal_key, quotes.source_deal_keys[1], associated.deal_key
        ) = known_deals.deal_key
    left join companies
        on quotes.source_company_keys[1] = companies.record_key
    left join users
        on
            quotes.connection = users.connection
            and quotes.owner_id = users.owner_id
    left join connections
        on quotes.connection = connections.connection
    left join line_counts
        on quotes.quote_key = line_counts.quote_key
)

select * from final
