-- Grain: one row per rule about single records (R-01 to R-24) x record that breaks it, at the
-- as-of. Excluded deals are looked at like others; deleted ones are not.

{{ config(materialized='view') }}

with deals as not materialized (
    select * from {{ ref('fct_deal') }}
    where not is_deleted
),

versions as not materialized (
    select * from {{ ref('fct_deal_version') }}
),

stays as not materialized (
    select * from {{ ref('fct_deal_stage') }}
),

leads as (
    select * from {{ ref('fct_lead') }}
    where not is_deleted
),

-- Deals that name a lead, where leads of their connection are read at all.
missing_leads as (
    select
        named.deal_key,
        named.source_lead_key
    from {{ ref('int_deals_current') }} as named
    semi join {{ ref('fct_lead') }} as known on named.connection = known.connection
    anti join {{ ref('fct_lead') }} as known on named.source_lead_key = known.lead_key
    where named.source_lead_key is not null
),

stages as (
    select * from {{ ref('dim_stage') }}
    where is_current
),

pipelines as (
    select * from {{ ref('dim_pipeline') }}
    where is_current
),

-- Pipelines whose teams the settings name, with the names in one text for the reader.
team_maps as (
    select
        pipeline_key,
        string_agg(team_key, ', ' order by team_key) as team_keys
    from {{ ref('stg_config__pipeline_teams') }}
    group by pipeline_key
),

foreign_owners as (
    select
        deals.deal_key,
        owners.team_key,
        team_maps.team_keys,
        deals.updated_at
    from deals
    inner join team_maps on deals.pipeline_key = team_maps.pipeline_key
    inner join {{ ref('dim_user') }} as owners
        on deals.owner_user_key = owners.user_key and owners.is_current
    left join {{ ref('stg_config__pipeline_teams') }} as allowed
        on deals.pipeline_key = allowed.pipeline_key and owners.team_key = allowed.team_key
    where deals.status = 'open' and allowed.team_key is null
),

currencies as (
    select currency_code from {{ ref('currencies') }}
),

followed_versions as (
    select
        deal_key,
        is_current,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by deal_key order by valid_from, version_no)
            as next_valid_from
    from versions
),

overlapping as (
    select
        deal_key,
        count(*) filter (where is_current) as n_current,
        min(valid_from) filter (
            where coalesce(valid_to, {{ far_future() }}) > next_valid_from
        ) as first_overlap_at
    from followed_versions
    group by deal_key
    having
        count(*) filter (where is_current) > 1
        or count(*) filter (
            where coalesce(valid_to, {{ far_future() }}) > next_valid_from
        ) > 0
),

-- The deal's own word; fct_deal has 1 for every won deal.
stated as (
    select
        deal_key,
        probability
    from versions
    where is_current and probability is not null
),

probability_counts as (
    select
        deals.pipeline_key,
        stated.probability,
        count(*) as n,
        sum(count(*)) over (partition by deals.pipeline_key) as n_all
    from deals
    inner join stated on deals.deal_key = stated.deal_key
    where deals.status = 'open'
    group by deals.pipeline_key, stated.probability
),

uniform_probabilities as (
    select
        pipeline_key,
        {{ ratio('n', 'n_all') }} as share
    from probability_counts
    where n_all >= 20 and {{ ratio('n', 'n_all') }} > 0.9
),

first_stays as (
    select
        deal_key,
        min(entered_at) as first_at
    from stays
    group by deal_key
),

first_activities as (
    select
        deal_key,
        min(occurred_at) as first_at
    from {{ ref('fct_activity') }}
    where deal_key is not null and not is_deleted
    group by deal_key
),

first_events as (
    select
        first_stays.deal_key,
        least(
            first_stays.first_at, coalesce(first_activities.first_at, first_stays.first_at)
        ) as first_at
    from first_stays
    left join first_activities on first_stays.deal_key = first_activities.deal_key
),

lines as (
    select
        deal_key,
        sum(net_amt) as lines_amt
    from {{ ref('fct_quote_line') }}
    where deal_key is not null and quote_key is null and not is_deleted
    group by deal_key
    having count(net_amt) > 0
),

declared_credits as (
    select * from {{ ref('bridge_deal_credit') }}
    where not is_default and credit_type = 'revenue'
),

credit_instants as (
    select distinct
        deal_key,
        valid_from as since_at
    from declared_credits
),

credit_sums as (
    select
        credit_instants.deal_key,
        credit_instants.since_at,
        sum(credits.share) as share
    from credit_instants
    inner join {{ ref('bridge_deal_credit') }} as credits
        on
            credit_instants.deal_key = credits.deal_key
            and credits.credit_type = 'revenue'
            and credit_instants.since_at >= credits.valid_from
            and credit_instants.since_at < coalesce(credits.valid_to, {{ far_future() }})
    group by credit_instants.deal_key, credit_instants.since_at
),

merge_cycles as (
    select
        'deal' as record_type,
        deal_key as record_key,
        merged_at
    from {{ ref('int_deal_survivors') }}
    where is_cycle
    union all
    select
        record_type,
        loser_key as record_key,
        merged_at
    from {{ ref('int_record_survivors') }}
    where is_cycle
),

bulk_edits as (
    select
        concat_ws(
            '|', connection, field, coalesce(changed_by_user_key, change_source, 'unknown'),
            cast(date_trunc('minute', changed_at) as varchar)
        ) as bulk_edit_key,
        min(changed_at) as edited_at,
        count(*) as n_deals
    from {{ ref('fct_deal_change') }}
    where is_bulk_edit and field in ('stage', 'expected_close_date')
    group by
        connection,
        field,
        coalesce(changed_by_user_key, change_source, 'unknown'),
        date_trunc('minute', changed_at)
),

billed_deals as (
    select
        deal_key,
        count(*) as n_invoices
    from {{ ref('bridge_deal_invoice') }}
    where is_accepted
    group by deal_key
),

-- What the newest closes hold as won, and is not won in their periods any more (decision 0060).
frozen_wins as (
    select
        deal_key,
        max(before_rc) as won_rc,
        string_agg(distinct period_key, ', ' order by period_key) as period_keys
    from {{ ref('fct_period_restatement') }}
    where
        metric = 'won'
        and scope_type = 'company'
        and reason = 'reopened'
        and is_current
        and before_rc > 0
    group by deal_key
),

broken as (
    select
        'R-01' as check_id,
        'error' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        concat('is ', deals.status, ' in a stage of type ', deals.stage_type) as detail,
        deals.stage_entered_at as since_at
    from deals
    where deals.stage_type in ('open', 'won', 'lost') and deals.stage_type <> deals.status
    union all
    select
        'R-02' as check_id,
        'error' as severity,
        'deal' as record_type,
        deal_key as record_key,
        deal_key as deal_key,
        cast(n_current as double) as value,
        cast(1 as double) as limit_value,
        case
            when n_current > 1 then 'more than one current version'
            else 'versions overlap'
        end as detail,
        first_overlap_at as since_at
    from overlapping
    union all
    select
        'R-03' as check_id,
        'error' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        concat('stage ', coalesce(deals.stage_key, 'none'), ' is in no pipeline') as detail,
        deals.stage_entered_at as since_at
    from deals
    where deals.stage_type = 'unknown'
    union all
    select
        'R-04' as check_id,
        'error' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(count(*) as double) as value,
        cast(1 as double) as limit_value,
        'two deals with one key' as detail,
        min(deals.created_at) as since_at
    from deals
    group by deals.deal_key
    having count(*) > 1
    union all
    select
        'R-05' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        case deals.status
            when 'open' then 'open with a closing date'
            else 'closed without a closing date'
        end as detail,
        deals.stage_entered_at as since_at
    from deals
    where (deals.status in ('won', 'lost')) <> (deals.closed_date is not null)
    union all
    select
        'R-06' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        'created after it was worked on' as detail,
        deals.created_at as since_at
    from deals
    left join first_events on deals.deal_key = first_events.deal_key
    where
        deals.created_at > {{ plus_days(
            'least(coalesce(deals.won_at, deals.lost_at, first_events.first_at),'
            ~ ' first_events.first_at)', 1
        ) }}
    union all
    select
        'R-07' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(
            abs({{ days_between('deals.closed_date', 'deals.expected_close_date') }}) as double
        ) as value,
        cast({{ var('close_date_tolerance_days', 7) }} as double) as limit_value,
        concat(
            'closed on ',
            cast(deals.closed_date as varchar),
            ', dated ',
            cast(deals.expected_close_date as varchar)
        ) as detail,
        coalesce(deals.won_at, deals.lost_at) as since_at
    from deals
    where
        deals.status in ('won', 'lost')
        and abs({{ days_between('deals.closed_date', 'deals.expected_close_date') }})
        > {{ var('close_date_tolerance_days', 7) }}
    union all
    select
        'R-08' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(stated.probability as double) as value,
        cast(case deals.status when 'lost' then 0 else 1 end as double) as limit_value,
        concat('is ', deals.status, ' with that probability') as detail,
        deals.stage_entered_at as since_at
    from deals
    inner join stated on deals.deal_key = stated.deal_key
    where
        (deals.status = 'open' and stated.probability = 1)
        or (deals.status = 'won' and stated.probability <> 1)
        or (deals.status = 'lost' and stated.probability <> 0)
    union all
    select
        'R-09' as check_id,
        'error' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(stated.probability as double) as value,
        cast(1 as double) as limit_value,
        'probability outside 0 to 1: wrong scale?' as detail,
        deals.updated_at as since_at
    from deals
    inner join stated on deals.deal_key = stated.deal_key
    where stated.probability not between 0 and 1
    union all
    select
        'R-09' as check_id,
        'warn' as severity,
        'pipeline' as record_type,
        pipeline_key as record_key,
        null as deal_key,
        cast(share as double) as value,
        cast(0.9 as double) as limit_value,
        'more than nine of ten open deals share one probability' as detail,
        {{ as_of_at() }} as since_at
    from uniform_probabilities
    union all
    select
        'R-10' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(deals.amount_amt as double) as value,
        cast(0 as double) as limit_value,
        case
            when deals.amount_amt is null then 'half way and no amount'
            else 'half way and an amount of nothing'
        end as detail,
        deals.stage_entered_at as since_at
    from deals
    inner join stages on deals.stage_key = stages.stage_key
    where
        deals.status = 'open'
        and {{ ratio('stages.stage_order', 'stages.n_open_stages') }} >= 0.5
        and coalesce(deals.amount_amt, 0) <= 0
    union all
    select
        'R-11' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(deals.amount_amt as double) as value,
        cast(lines.lines_amt as double) as limit_value,
        'the amount is not the sum of its lines' as detail,
        deals.updated_at as since_at
    from deals
    inner join lines on deals.deal_key = lines.deal_key
    where
        abs(deals.amount_amt - lines.lines_amt)
        > {{ recon_tolerance('deals.amount_amt', 'deals.currency_code') }}
    union all
    select
        'R-12' as check_id,
        'error' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(deals.amount_amt as double) as value,
        cast(null as double) as limit_value,
        concat(
            'currency ', coalesce(deals.currency_code, 'unknown'), ' is no ISO 4217 code'
        ) as detail,
        deals.updated_at as since_at
    from deals
    where
        deals.amount_amt is not null
        and (
            deals.currency_code is null
            or deals.currency_code not in (select currencies.currency_code from currencies)
        )
    union all
    select
        'R-13' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        case deals.status
            when 'lost' then 'lost without a reason'
            else 'won without a company'
        end as detail,
        coalesce(deals.won_at, deals.lost_at) as since_at
    from deals
    where
        (deals.status = 'lost' and deals.loss_reason is null)
        or (deals.status = 'won' and deals.company_key is null)
    union all
    select
        'R-14' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        concat('open in forecast category ', deals.forecast_category) as detail,
        deals.stage_entered_at as since_at
    from deals
    left join stages on deals.stage_key = stages.stage_key
    where
        deals.status = 'open'
        and (
            deals.forecast_category = 'closed'
            or deals.forecast_category not in (
                'pipeline', 'best_case', 'most_likely', 'commit', 'closed', 'omitted'
            )
            or (
                deals.forecast_category = 'omitted'
                and {{ ratio('stages.stage_order', 'stages.n_open_stages') }} >= 0.75
            )
        )
    union all
    select
        'R-15' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(deals.amount_amt as double) as value,
        cast(deals.amount_at_won_amt as double) as limit_value,
        'the amount was edited after the win' as detail,
        deals.updated_at as since_at
    from deals
    where
        abs(deals.post_close_amendment_amt)
        > {{ recon_tolerance('deals.amount_at_won_amt', 'deals.currency_at_won') }}
    union all
    select
        'R-16' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(coalesce(frozen_wins.won_rc, deals.n_reopened) as double) as value,
        cast(0 as double) as limit_value,
        case
            when frozen_wins.deal_key is null then 'closed and taken up again'
            else concat('taken up again, and won in the closed ', frozen_wins.period_keys)
        end as detail,
        coalesce(deals.first_won_at, deals.stage_entered_at) as since_at
    from deals
    left join frozen_wins on deals.deal_key = frozen_wins.deal_key
    where deals.n_reopened > 0
    union all
    select
        'R-17' as check_id,
        case when stays.exited_at < stays.entered_at then 'error' else 'warn' end as severity,
        'deal_stage' as record_type,
        stays.deal_stage_key as record_key,
        deals.deal_key as deal_key,
        cast(stays.days_in_stay as double) as value,
        cast(0 as double) as limit_value,
        case
            when stays.exited_at < stays.entered_at then 'left a stage before it came'
            else 'in a stage before it was created'
        end as detail,
        stays.entered_at as since_at
    from stays
    inner join deals on stays.deal_key = deals.deal_key
    where
        stays.exited_at < stays.entered_at
        or stays.entered_at < {{ plus_days('deals.created_at', -1) }}
    union all
    select
        'R-18' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(deals.amount_amt as double) as value,
        cast(others.amount_amt as double) as limit_value,
        concat('looks like ', others.deal_key) as detail,
        greatest(deals.created_at, others.created_at) as since_at
    from deals
    inner join deals as others
        on
            deals.company_key = others.company_key
            and deals.currency_code = others.currency_code
            and deals.deal_key > others.deal_key
    where
        deals.status = 'open'
        and others.status = 'open'
        and abs(deals.amount_amt - others.amount_amt) <= 0.01 * abs(others.amount_amt)
        and abs({{ days_between('deals.created_date', 'others.created_date') }}) <= 14
    union all
    select
        'R-19' as check_id,
        'error' as severity,
        'deal' as record_type,
        credit_sums.deal_key as record_key,
        credit_sums.deal_key as deal_key,
        cast(credit_sums.share as double) as value,
        cast(1 as double) as limit_value,
        'the shares of revenue credit do not add up to 1' as detail,
        credit_sums.since_at as since_at
    from credit_sums
    where abs(credit_sums.share - 1) > 0.000001
    union all
    select
        'R-20' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deal_key as record_key,
        deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        concat(
            'owned by team ', coalesce(team_key, 'none'), ', the pipeline is for ', team_keys
        ) as detail,
        updated_at as since_at
    from foreign_owners
    union all
    select
        'R-21' as check_id,
        'error' as severity,
        record_type as record_type,
        record_key as record_key,
        null as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        'a chain of merges that never ends' as detail,
        merged_at as since_at
    from merge_cycles
    union all
    select
        'R-22' as check_id,
        'warn' as severity,
        'lead' as record_type,
        leads.lead_key as record_key,
        null as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        'converted, but neither deal nor contact is known' as detail,
        leads.converted_at as since_at
    from leads
    where leads.is_converted and leads.deal_key is null and leads.contact_key is null
    union all
    select
        'R-22' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        concat('its lead ', missing_leads.source_lead_key, ' is not known') as detail,
        deals.created_at as since_at
    from missing_leads
    inner join deals on missing_leads.deal_key = deals.deal_key
    union all
    select
        'R-23' as check_id,
        'warn' as severity,
        'bulk_edit' as record_type,
        bulk_edit_key as record_key,
        null as deal_key,
        cast(n_deals as double) as value,
        cast({{ var('bulk_edit_n', 20) }} as double) as limit_value,
        'many deals were edited at once' as detail,
        edited_at as since_at
    from bulk_edits
    union all
    select
        'R-24' as check_id,
        'warn' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(billed_deals.n_invoices as double) as value,
        cast(0 as double) as limit_value,
        'its pipeline is no revenue, and it has invoices' as detail,
        deals.created_at as since_at
    from billed_deals
    inner join deals on billed_deals.deal_key = deals.deal_key
    inner join pipelines on deals.pipeline_key = pipelines.pipeline_key
    where pipelines.is_excluded
),

final as (
    select
        check_id,
        severity,
        record_type,
        cast(record_key as varchar) as record_key,
        cast(deal_key as varchar) as deal_key,
        value,
        limit_value,
        detail,
        least(coalesce(since_at, {{ as_of_at() }}), {{ as_of_at() }}) as since_at
    from broken
)

select * from final
