-- Grain: one row per stay of a deal in a stage, without what the clock of the build and the
-- rates of the day say of it: fct_deal_stage adds them. Of the deals that it computes anew, and
-- of the part of them that it is at.
--
-- depends_on: {{ ref('int_deal_inputs') }}

{{ config(materialized='view') }}

with -- Read twice and never held: it is wide, and both need little of it.
versions as not materialized (
    select * from {{ ref('fct_deal_version') }}
    where
        {{ is_in_part('deal_key') }}
        {% if this and are_deals_kept() %}and deal_key in {{ revalued_deals() }}{% endif %}
),

stages as (
    select * from {{ ref('dim_stage') }}
),

-- Only what a stay is told from: windows carry every column they are given.
standing as (
    select
        deal_key,
        survivor_deal_key,
        owner_user_key,
        pipeline_key,
        stage_key,
        stage_type,
        currency_code,
        change_precision,
        stage_change_precision,
        amount_amt,
        uncertainty_seconds,
        is_merged_away,
        is_deleted,
        expected_close_date,
        valid_from,
        seen_from,
        source_system,
        connection,
        raw_version_id,
        stage_key is not null and not is_deleted and not is_merged_away as is_in_stage,
        lag(stage_key) over w as last_stage_key,
        lag(stage_key is not null and not is_deleted and not is_merged_away) over w
            as was_in_stage,
        lag(amount_amt) over w as last_amount_amt,
        lag(currency_code) over w as last_currency_code
    from versions
    window w as (partition by deal_key order by valid_from)
),

-- Where a stay begins, or where the deal leaves its stage for none: deleted, merged away.
-- A renamed stage or an edited amount is neither.
marks as (
    select
        *,
        is_in_stage as is_start
    from standing
    where
        (is_in_stage and (
            not coalesce(was_in_stage, false) or stage_key is distinct from last_stage_key
        ))
        or (not is_in_stage and was_in_stage)
),

placed as (
    select
        marks.*,
        stages.stage_order
    from marks
    left join stages
        on
            marks.stage_key = stages.stage_key
            and (marks.valid_from >= stages.valid_from or stages.is_first_version)
            and (marks.valid_from < stages.valid_to or stages.valid_to is null)
),

around as (
    select
        *,
        cast(count(*) filter (where is_start) over w as bigint) as stay_no,
        lag(is_start) over w as last_is_start,
        lag(pipeline_key) over w as last_pipeline_key,
        lag(stage_key) over w as last_mark_stage_key,
        lag(stage_type) over w as last_stage_type,
        lag(stage_order) over w as last_stage_order,
        lead(valid_from) over w as exited_at,
        lead(is_start) over w as next_is_start,
        lead(is_merged_away) over w as next_is_merged_away,
        lead(pipeline_key) over w as next_pipeline_key,
        lead(stage_key) over w as next_mark_stage_key,
        lead(stage_type) over w as next_stage_type,
        lead(stage_order) over w as next_stage_order,
        lead(last_amount_amt) over w as amount_before_exit_amt,
        lead(last_currency_code) over w as currency_before_exit
    from placed
    window w as (partition by deal_key order by valid_from)
),

-- The stay still going on leaves with what the deal holds now.
newest as (
    select
        deal_key,
        amount_amt as amount_now_amt,
        currency_code as currency_now
    from versions
    where is_current
),

stays as (
    select
        around.*,
        newest.amount_now_amt,
        newest.currency_now,
        case
            when around.last_is_start is null then 'created'
            when not around.last_is_start then 'restored'
            when around.pipeline_key is distinct from around.last_pipeline_key
                then 'pipeline_changed'
            when around.last_stage_type in ('won', 'lost') and around.stage_type not in (
                'won', 'lost'
            ) then 'reopened'
            when around.stage_type = 'lost' then 'forward'
            when around.stage_order < around.last_stage_order
                and around.last_stage_type != 'lost' then 'backward'
            else 'forward'
        end as entry_kind,
        case
            when around.next_is_start is null then null
            when not around.next_is_start and around.next_is_merged_away then 'merged'
            when not around.next_is_start then 'deleted'
            when around.pipeline_key is distinct from around.next_pipeline_key
                then 'pipeline_changed'
            when around.next_stage_type in ('won', 'lost') then around.next_stage_type
            when around.stage_type in ('won', 'lost') then 'reopened'
            when around.next_stage_order < around.stage_order then 'backward'
            else 'forward'
        end as exit_kind
    from around
    inner join newest
        on around.deal_key = newest.deal_key
    where around.is_start
),

-- Few deals come back to a stage, and only theirs are sorted once more. Kinds of entry do not
-- tell them: won, lost, won are all forward, and so is a stage that was moved up meanwhile.
wanderers as (
    select distinct deal_key
    from (
        select deal_key
        from stays
        group by deal_key, stage_key
        having count(*) > 1
    )
),

visits as (
    select
        *,
        1 as visit_no
    from stays
    where deal_key not in (select wanderers.deal_key from wanderers)
    union all
    select
        *,
        row_number() over (partition by deal_key, stage_key order by valid_from) as visit_no
    from stays
    where deal_key in (select wanderers.deal_key from wanderers)
),

measured as (
    select
        *,
        exited_at is not null
        and next_is_start
        and stage_type not in ('won', 'lost')
        and {{ seconds_between('valid_from', 'exited_at') }} < {{ var('min_stay_seconds') }}
            as is_pass_through,
        coalesce(stage_change_precision, change_precision) as entry_precision,
        case
            when entry_kind in ('forward', 'backward')
                and stage_type != 'lost'
                and last_stage_type != 'lost'
                then stage_order - last_stage_order
        end as steps_moved
    from visits
),

final as (
    select
        concat(deal_key, ':', epoch_ms(valid_from), ':', stage_key) as deal_stage_key,
        deal_key,
        survivor_deal_key,
        pipeline_key,
        stage_key,
        stage_type,
        case when last_is_start is not null then last_mark_stage_key end as previous_stage_key,
        case when next_is_start then next_mark_stage_key end as next_stage_key,
        entry_kind,
        exit_kind,
        owner_user_key,
        currency_code,
        entry_precision as change_precision,
        amount_amt as amount_at_entry_amt,
        case when exited_at is null then amount_now_amt else amount_before_exit_amt end
            as amount_at_exit_amt,
        case when exited_at is null then currency_now else currency_before_exit end
            as currency_at_exit,
        stage_order,
        stay_no,
        visit_no,
        steps_moved,
        -- Open stages between the two of a forward move.
        cast(case when steps_moved > 1 then steps_moved - 1 else 0 end as bigint)
            as n_stages_skipped,
        uncertainty_seconds,
        is_pass_through,
        not is_pass_through and entry_precision != 'assumed' and stage_type != 'unknown'
            as is_duration_usable,
        {{ company_date('valid_from') }} as entered_date,
        {{ company_date('exited_at') }} as exited_date,
        expected_close_date as expected_close_at_entry,
        valid_from as entered_at,
        exited_at,
        seen_from,
        is_deleted,
        source_system,
        connection,
        raw_version_id
    from measured
)

select * from final
