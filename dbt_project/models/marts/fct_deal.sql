-- Grain: one row per surviving deal, newest state.

{{ config(in_parts_of='int_deals_current') }}

with contents as (
    select * from {{ ref('int_deals_current') }}
    where {{ is_in_part('deal_key') }}
),

now_standing as (
    select * from {{ ref('fct_deal_version') }}
    where
        is_current and not is_merged_away and deal_key = survivor_deal_key
        and {{ is_in_part('deal_key') }}
),

stays as not materialized (
    select * from {{ ref('fct_deal_stage') }}
    where {{ is_in_part('deal_key') }}
),

stages as (
    select * from {{ ref('dim_stage') }}
    where is_current
),

pipelines as (
    select * from {{ ref('dim_pipeline') }}
    where is_current
),

rates as (
    select currency_code, rate_date, rate_to_rc, filled_from_date, source
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

closed_stages as (
    select distinct stage_key, stage_type
    from stages
    where stage_type in ('won', 'lost')
),

-- The day of a close is the day of the change to a won or lost stage, not the editable date.
-- A move from one won stage to another is no second close.
closes as (
    select
        stays.deal_key,
        max(stays.entered_at) filter (where stays.stage_type = 'won') as won_at,
        max(stays.entered_at) filter (where stays.stage_type = 'lost') as lost_at,
        min(stays.entered_at) filter (where stays.stage_type = 'won') as first_won_at,
        arg_max(stays.change_precision, stays.entered_at) as close_precision,
        arg_max(stays.amount_at_entry_amt, stays.entered_at)
            filter (where stays.stage_type = 'won') as amount_at_won_amt,
        arg_max(stays.amount_at_entry_amt is null, stays.entered_at)
            filter (where stays.stage_type = 'won') as is_won_without_amount,
        arg_max(stays.currency_code, stays.entered_at)
            filter (where stays.stage_type = 'won') as currency_at_won,
        arg_max(stays.owner_user_key, stays.entered_at)
            filter (where stays.stage_type = 'won') as owner_at_won_user_key
    from stays
    left join closed_stages as before_stages
        on stays.previous_stage_key = before_stages.stage_key
    where
        stays.stage_type in ('won', 'lost')
        and stays.stage_type is distinct from before_stages.stage_type
    group by stays.deal_key
),

reopens as (
    select
        deal_key,
        count(*) as n_reopened
    from stays
    where entry_kind = 'reopened'
    group by deal_key
),

qualifications as (
    select
        stays.deal_key,
        min(stays.entered_at) as qualified_at
    from stays
    inner join pipelines
        on stays.pipeline_key = pipelines.pipeline_key
    inner join stages as first_qualified
        on pipelines.first_qualified_stage_key = first_qualified.stage_key
    where
        stays.stage_key = pipelines.first_qualified_stage_key
        or (
            stays.stage_type in ('open', 'won')
            and stays.stage_order >= first_qualified.stage_order
        )
    group by stays.deal_key
),

present_stays as (
    select deal_key, entered_at
    from stays
    where is_current
),

leads as (
    select
        deal_key,
        arg_min(lead_key, coalesce(created_at, cast('9999-12-31' as timestamptz)))
            as lead_key
    from {{ ref('fct_lead') }}
    where deal_key is not null
    group by deal_key
),

companies as (
    select
        survivor_deal_key as deal_key,
        arg_min(company_key, (deal_key != survivor_deal_key, not is_primary, valid_from, company_key))
            as company_key
    from {{ ref('bridge_deal_company') }}
    where is_current
    group by survivor_deal_key
),

contacts as (
    select
        survivor_deal_key as deal_key,
        arg_min(contact_key, (deal_key != survivor_deal_key, not is_primary, valid_from, contact_key))
            as contact_key
    from {{ ref('bridge_deal_contact') }}
    where is_current
    group by survivor_deal_key
),

touches as (
    select
        deal_key,
        max(touched_at) as last_touch_at,
        max(touched_at) filter (where is_two_way) as last_two_way_at
    from (
        select
            unnest(deal_keys) as deal_key,
            occurred_at as touched_at,
            is_two_way
        from {{ ref('fct_activity') }}
        where done and not is_deleted and occurred_at <= {{ as_of_at() }}
        union all
        select
            deal_key,
            sent_at as touched_at,
            direction = 'in' and not is_auto_reply as is_two_way
        from {{ ref('fct_email') }}
        where
            deal_key is not null
            and not is_deleted
            and direction in ('in', 'out')
            and sent_at <= {{ as_of_at() }}
    )
    group by deal_key
),

next_activities as (
    select
        deal_key,
        min(due_date) as next_activity_date
    from (
        select unnest(deal_keys) as deal_key, due_date
        from {{ ref('fct_activity') }}
        where not done and not is_deleted and due_date >= {{ as_of_date() }}
    )
    group by deal_key
),

merges as (
    select
        survivor_deal_key as deal_key,
        list(deal_key order by deal_key) as merged_from
    from {{ ref('int_deal_survivors') }}
    where not is_cycle
    group by survivor_deal_key
),

duplicates as (
    select
        deal_key,
        min(duplicate_of_deal_key) as duplicate_of_deal_key
    from {{ ref('stg_config__duplicate_deals') }}
    group by deal_key
),

gathered as (
    select
        now_standing.*,
        contents.deal_id,
        contents.deal_type,
        contents.amount_basis,
        contents.term_months,
        contents.service_start,
        contents.service_end,
        contents.is_archived,
        contents.created_at,
        contents.updated_at,
        contents.next_activity_date as stated_next_activity_date,
        companies.company_key,
        contacts.contact_key as primary_contact_key,
        coalesce(contents.measure, pipelines.measure, 'bookings') as measure,
        coalesce(pipelines.is_excluded, false) as is_pipeline_excluded,
        coalesce(now_standing.forecast_category, stages.forecast_category)
            as effective_forecast_category,
        cast(case now_standing.status
            when 'won' then 1
            when 'lost' then 0
            else coalesce(now_standing.probability, stages.probability)
        end as decimal(9, 6)) as effective_probability,
        case when now_standing.status = 'won' then closes.won_at end as won_at,
        case when now_standing.status = 'lost' then closes.lost_at end as lost_at,
        closes.first_won_at,
        closes.close_precision,
        case when now_standing.status = 'won' and not closes.is_won_without_amount
            then closes.amount_at_won_amt end as amount_at_won_amt,
        case when now_standing.status = 'won' then closes.currency_at_won end
            as currency_at_won,
        case when now_standing.status = 'won' then closes.owner_at_won_user_key end
            as owner_at_won_user_key,
        coalesce(reopens.n_reopened, 0) as n_reopened,
        qualifications.qualified_at,
        present_stays.entered_at as stage_entered_at,
        leads.lead_key,
        touches.last_touch_at,
        touches.last_two_way_at,
        next_activities.next_activity_date,
        merges.merged_from,
        duplicates.duplicate_of_deal_key
    from now_standing
    inner join contents
        on now_standing.deal_key = contents.deal_key
    left join pipelines
        on now_standing.pipeline_key = pipelines.pipeline_key
    left join stages
        on now_standing.stage_key = stages.stage_key
    left join closes
        on now_standing.deal_key = closes.deal_key
    left join reopens
        on now_standing.deal_key = reopens.deal_key
    left join qualifications
        on now_standing.deal_key = qualifications.deal_key
    left join present_stays
        on now_standing.deal_key = present_stays.deal_key
    left join leads
        on now_standing.deal_key = leads.deal_key
    left join companies
        on now_standing.deal_key = companies.deal_key
    left join contacts
        on now_standing.deal_key = contacts.deal_key
    left join touches
        on now_standing.deal_key = touches.deal_key
    left join next_activities
        on now_standing.deal_key = next_activities.deal_key
    left join merges
        on now_standing.deal_key = merges.deal_key
    left join duplicates
        on now_standing.deal_key = duplicates.deal_key
),

dated as (
    select
        *,
        {{ company_date('coalesce(won_at, lost_at)') }} as closed_date
    from gathered
),

matched_rules as (
    select
        dated.deal_key,
        min(concat(rules.field, ' ~ ', rules.pattern)) as rule
    from dated
    inner join {{ ref('stg_config__deal_exclusions') }} as rules
        on regexp_matches(
            case rules.field
                when 'name' then dated.name
                when 'deal_key' then dated.deal_key
                when 'pipeline_key' then dated.pipeline_key
                when 'owner_user_key' then dated.owner_user_key
                when 'source_channel' then dated.source_channel
                when 'company_key' then dated.company_key
            end,
            rules.pattern,
            'i'
        )
    group by dated.deal_key
),

final as (
    select
        dated.deal_key,
        dated.survivor_deal_key,
        dated.deal_id,
        dated.name,
        dated.company_key,
        dated.primary_contact_key,
        dated.owner_user_key,
        dated.owner_at_won_user_key,
        dated.pipeline_key,
        dated.stage_key,
        dated.stage_type,
        dated.status,
        dated.deal_type,
        dated.currency_code,
        dated.amount_basis,
        dated.measure,
        dated.effective_forecast_category as forecast_category,
        dated.loss_reason,
        dated.source_channel,
        dated.lead_key,
        case
            when dated.status = 'open' or dated.closed_date is null then null
            when dated.close_precision = 'assumed' then 'field'
            else 'stage_change'
        end as close_date_basis,
        dated.duplicate_of_deal_key,
        case
            when dated.duplicate_of_deal_key is not null then 'duplicate'
            when dated.is_pipeline_excluded then 'pipeline'
            else matched_rules.rule
        end as exclusion_reason,
        dated.merged_from,
        rates.source as fx_rate_source,
        dated.amount_amt,
        {{ convert_money(
            'dated.amount_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_rc,
        dated.amount_at_won_amt,
        dated.currency_at_won,
        {{ convert_money(
            'dated.amount_at_won_amt', 'won_rates.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_at_won_rc,
        case when dated.currency_at_won = dated.currency_code then cast(
            dated.amount_amt - dated.amount_at_won_amt as {{ money_type() }}
        ) end as post_close_amendment_amt,
        cast(rates.rate_to_rc as decimal(18, 9)) as fx_rate_to_rc,
        dated.effective_probability as probability,
        dated.n_reopened,
        dated.term_months,
        dated.amount_amt is not null as has_amount,
        dated.is_currency_assumed,
        dated.duplicate_of_deal_key is not null
        or dated.is_pipeline_excluded
        or matched_rules.rule is not null as is_excluded,
        coalesce(dated.is_archived, false) and dated.is_deleted as is_archived,
        {{ company_date('dated.created_at') }} as created_date,
        dated.expected_close_date,
        dated.closed_date,
        rates.rate_date as fx_rate_date,
        least(dated.next_activity_date, case
            when dated.stated_next_activity_date >= {{ as_of_date() }}
                then dated.stated_next_activity_date
        end) as next_activity_date,
        dated.service_start,
        dated.service_end,
        dated.created_at,
        dated.qualified_at,
        dated.won_at,
        dated.lost_at,
        dated.first_won_at,
        dated.stage_entered_at,
        dated.last_two_way_at,
        dated.last_touch_at,
        dated.updated_at,
        dated.is_deleted,
        dated.source_system,
        dated.connection,
        dated.raw_version_id
    from dated
    left join matched_rules
        on dated.deal_key = matched_rules.deal_key
    left join rates
        on
            dated.currency_code = rates.currency_code
            and coalesce(dated.closed_date, {{ as_of_date() }}) = rates.rate_date
    left join rates as won_rates
        on
            dated.currency_at_won = won_rates.currency_code
            and dated.closed_date = won_rates.rate_date
)

select * from final
