-- Grain: one row per deal, user, credit type and interval.
--
-- A deal with declared shares of type revenue has those and no other; every other deal is
-- its owner's, wholly, for as long as each owner held it.

with versions as (
    select * from {{ ref('fct_deal_version') }}
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

deals as (
    select * from {{ ref('int_deals_current') }}
),

declared as (
    select
        source_deal_key,
        deal_id,
        user_key,
        credit_type,
        share,
        {{ start_of_day('valid_from_date') }} as valid_from,
        -- The last day of a share counts whole.
        {{ start_of_day('valid_to_date + 1') }} as valid_to,
        source_system,
        connection,
        raw_version_id
    from {{ ref('int_deal_credits_unioned') }}
    where true
    qualify row_number() over (
        partition by deal_credit_key order by observed_at desc, sync_id desc, position desc
    ) = 1 and not is_deleted
),

-- A file may name a deal of its own connection or, by its whole key, of another.
shares as (
    select
        deals.deal_key,
        declared.user_key,
        declared.credit_type,
        declared.share,
        coalesce(declared.valid_from, least(deals.created_at, deals.first_observed_at))
            as valid_from,
        declared.valid_to,
        declared.source_system,
        declared.connection,
        declared.raw_version_id
    from declared
    inner join deals
        on deals.deal_key in (declared.source_deal_key, declared.deal_id)
),

changes as (
    select
        *,
        lag(owner_user_key) over w is distinct from owner_user_key
        or lag(version_no) over w is null as is_start
    from versions
    window w as (partition by deal_key order by valid_from)
),

owners as (
    select
        deal_key,
        owner_user_key as user_key,
        valid_from,
        lead(valid_from) over (partition by deal_key order by valid_from) as valid_to,
        source_system,
        connection,
        raw_version_id
    from changes
    where is_start
),

credits as (
    select
        deal_key,
        user_key,
        credit_type,
        share,
        false as is_default,
        valid_from,
        valid_to,
        source_system,
        connection,
        raw_version_id
    from shares

    union all

    select
        deal_key,
        user_key,
        'revenue' as credit_type,
        1 as share,
        true as is_default,
        valid_from,
        valid_to,
        source_system,
        connection,
        raw_version_id
    from owners
    where deal_key not in (select deal_key from shares where credit_type = 'revenue')
),

final as (
    select
        concat(
            credits.deal_key, ':', credits.user_key, ':', credits.credit_type, ':',
            {{ microseconds_of('credits.valid_from') }}
        ) as deal_credit_key,
        credits.deal_key,
        coalesce(survivors.survivor_deal_key, credits.deal_key) as survivor_deal_key,
        credits.user_key,
        credits.credit_type,
        cast(credits.share as decimal(9, 6)) as share,
        credits.is_default,
        credits.valid_to is null as is_current,
        credits.valid_from,
        credits.valid_to,
        false as is_deleted,
        credits.source_system,
        credits.connection,
        credits.raw_version_id
    from credits
    left join survivors
        on credits.deal_key = survivors.deal_key
)

select * from final
