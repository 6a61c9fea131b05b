-- Grain: one row per deal, user, credit type and interval.
--
-- A deal with declared shares of type revenue has those and no other; every other deal is
-- its owner's, wholly, for as long as each owner held it.

with versions as (
    select * from {{ ref('fct_deal_version') }}
<<<<<<< Updated upstream
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

deals as (
    select * from {{ ref('int_deals_current') }}
),

declared as (
    {% if has_source('files') %}
    select
        concat(connection, ':', deal_id) as file_deal_key,
        deal_id,
        user_email as user_key,
        coalesce(credit_type, 'revenue') as credit_type,
        share,
        {{ start_of_day('valid_from') }} as valid_from,
        -- The last day of a share counts whole.
        {{ start_of_day('valid_to + 1') }} as valid_to,
        connection,
        raw_version_id
    from {{ ref('stg_files__deal_credits') }}
    where true
    qualify row_number() over (
        partition by deal_credit_key order by observed_at desc, sync_id desc, position desc
    ) = 1 and not is_deleted
    {% else %}
    select
        cast(null as varchar) as file_deal_key,
        cast(null as varchar) as deal_id,
        cast(null as varchar) as user_key,
        cast(null as varchar) as credit_type,
        cast(null as decimal(9, 6)) as share,
        cast(null as timestamptz) as valid_from,
        cast(null as timestamptz) as valid_to,
        cast(null as varchar) as connection,
        cast(null as varchar) as raw_version_id
    where false
    {% endif %}
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
        'files' as source_system,
        declared.connection,
        declared.raw_version_id
    from declared
    inner join deals
        on deals.deal_key in (declared.file_deal_key, declared.deal_id)
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
=======
    where not is_merged_away
),

declared as (
    select * from {{ ref('int_deal_credits_declared') }}
),

-- The owner has what nobody was given: spells of one owner, one after the other.
owner_starts as (
    select
        deal_key,
        survivor_deal_key,
        owner_user_key as user_key,
        valid_from,
        source_system,
        connection,
        raw_version_id,
        is_deleted
    from versions
    qualify owner_user_key is distinct from lag(owner_user_key) over (
        partition by deal_key order by valid_from
    )
),

ends as (
    select
        deal_key,
        arg_max(valid_to, valid_from) as ends_at,
        arg_max(is_deleted, valid_from) as is_deleted
    from versions
    group by deal_key
),

owner_spells as (
    select
        owner_starts.* exclude (is_deleted),
        ends.is_deleted,
        coalesce(
            lead(owner_starts.valid_from) over (
                partition by owner_starts.deal_key order by owner_starts.valid_from
            ),
            ends.ends_at
        ) as valid_to
    from owner_starts
    inner join ends
        on owner_starts.deal_key = ends.deal_key
),

declared_deals as (
    select distinct deal_key from declared
    where credit_type = 'revenue'
),

-- Deals with declared shares are cut where an owner or a share begins or ends.
cuts as (
    select deal_key, valid_from as cut_at from owner_spells
    where deal_key in (select deal_key from declared_deals)
    union
    select deal_key, valid_from from declared
    where credit_type = 'revenue'
    union
    select deal_key, valid_to from declared
    where credit_type = 'revenue' and valid_to is not null
),

pieces as (
    select
        deal_key,
        cut_at as piece_from,
        lead(cut_at) over (partition by deal_key order by cut_at) as piece_to
    from cuts
),

declared_pieces as (
    select
        pieces.deal_key,
        pieces.piece_from,
        declared.user_key,
        sum(declared.share) as share,
        max(declared.raw_version_id) as raw_version_id
    from pieces
    inner join declared
        on
            pieces.deal_key = declared.deal_key
            and declared.credit_type = 'revenue'
            and pieces.piece_from >= declared.valid_from
            and (pieces.piece_from < declared.valid_to or declared.valid_to is null)
    group by pieces.deal_key, pieces.piece_from, declared.user_key
),

given as (
    select deal_key, piece_from, sum(share) as share
    from declared_pieces
    group by deal_key, piece_from
),

rest_pieces as (
    select
        pieces.deal_key,
        pieces.piece_from,
        owner_spells.user_key,
        1 - coalesce(given.share, 0) as share,
        owner_spells.raw_version_id,
        given.share is null as is_default
    from pieces
    inner join owner_spells
        on
            pieces.deal_key = owner_spells.deal_key
            and pieces.piece_from >= owner_spells.valid_from
            and (pieces.piece_from < owner_spells.valid_to or owner_spells.valid_to is null)
    left join given
        on
            pieces.deal_key = given.deal_key
            and pieces.piece_from = given.piece_from
    where coalesce(given.share, 0) < 1
),

shared_pieces as (
    select
        deal_key,
        piece_from,
        user_key,
        sum(share) as share,
        bool_and(is_default) as is_default,
        max(raw_version_id) as raw_version_id
    from (
        select deal_key, piece_from, user_key, share, false as is_default, raw_version_id
        from declared_pieces
        union all
        select deal_key, piece_from, user_key, share, is_default, raw_version_id
        from rest_pieces
    )
    group by deal_key, piece_from, user_key
>>>>>>> Stashed changes
),

credits as (
    select
        deal_key,
        user_key,
<<<<<<< Updated upstream
        credit_type,
        share,
        false as is_default,
        valid_from,
        valid_to,
        source_system,
        connection,
        raw_version_id
    from shares
=======
        'revenue' as credit_type,
        cast(1 as decimal(9, 6)) as share,
        true as is_default,
        valid_from,
        valid_to,
        raw_version_id
    from owner_spells
    where deal_key not in (select deal_key from declared_deals)

    union all

    select
        shared_pieces.deal_key,
        shared_pieces.user_key,
        'revenue',
        cast(shared_pieces.share as decimal(9, 6)),
        shared_pieces.is_default,
        shared_pieces.piece_from,
        coalesce(pieces.piece_to, ends.ends_at),
        shared_pieces.raw_version_id
    from shared_pieces
    inner join pieces
        on
            shared_pieces.deal_key = pieces.deal_key
            and shared_pieces.piece_from = pieces.piece_from
    inner join ends
        on shared_pieces.deal_key = ends.deal_key
>>>>>>> Stashed changes

    union all

    select
        deal_key,
        user_key,
<<<<<<< Updated upstream
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
=======
        'overlay',
        cast(sum(share) as decimal(9, 6)),
        false,
        valid_from,
        valid_to,
        max(raw_version_id)
    from declared
    where credit_type = 'overlay'
    group by deal_key, user_key, valid_from, valid_to
),

deals as (
    select
        versions.deal_key,
        any_value(versions.survivor_deal_key) as survivor_deal_key,
        any_value(versions.source_system) as source_system,
        any_value(versions.connection) as connection,
        arg_max(versions.is_deleted, versions.valid_from) as is_deleted
    from versions
    group by versions.deal_key
>>>>>>> Stashed changes
),

final as (
    select
        concat(
            credits.deal_key, ':', credits.user_key, ':', credits.credit_type, ':',
            epoch_us(credits.valid_from)
        ) as deal_credit_key,
        credits.deal_key,
<<<<<<< Updated upstream
        coalesce(survivors.survivor_deal_key, credits.deal_key) as survivor_deal_key,
        credits.user_key,
        credits.credit_type,
        cast(credits.share as decimal(9, 6)) as share,
=======
        deals.survivor_deal_key,
        credits.user_key,
        credits.credit_type,
        credits.share,
>>>>>>> Stashed changes
        credits.is_default,
        credits.valid_to is null as is_current,
        credits.valid_from,
        credits.valid_to,
<<<<<<< Updated upstream
        false as is_deleted,
        credits.source_system,
        credits.connection,
        credits.raw_version_id
    from credits
    left join survivors
        on credits.deal_key = survivors.deal_key
=======
        deals.is_deleted,
        deals.source_system,
        deals.connection,
        credits.raw_version_id
    from credits
    inner join deals
        on credits.deal_key = deals.deal_key
>>>>>>> Stashed changes
)

select * from final
