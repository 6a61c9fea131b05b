-- Grain: one row per landed version of what somebody handed in for a category, in money.
--
-- Who has people below hands in for them, too. A roll-up holds all that is surer, as ours does; what
-- Salesforce says of one category alone keeps a word of its own. Of several types of forecast the
-- first by id is read, as with quotas; those of a territory are nobody's.

with submissions as (
    {{ salesforce_newest(
        ref('stg_salesforce__forecast_submissions'),
        'submission_id',
        ['owner_id', 'forecast_type_id', 'period_id', 'territory_id', 'currency_code', 'has_note',
            'submitted_at']
    ) }}
),

gone as (
    select
        connection,
        submission_id,
        arg_max(is_deleted, (observed_at, sync_id, position)) as is_deleted
    from {{ ref('stg_salesforce__forecast_submissions') }}
    group by connection, submission_id
),

-- A line that was purged says nothing of itself any more.
known as (
    {{ salesforce_newest(
        ref('stg_salesforce__forecast_submission_items'),
        'submission_item_key',
        ['submission_id', 'item_category', 'currency_code', 'amount']
    ) }}
),

organizations as (
    select
        connection,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_salesforce__organization') }}
    where has_content
    group by connection
),

periods as (
    {{ salesforce_newest(ref('stg_salesforce__periods'), 'period_id', ['starts_on', 'ends_on']) }}
),

users as (
    {{ salesforce_newest(ref('stg_salesforce__users'), 'user_id', ['manager_id']) }}
),

first_types as (
    select
        connection,
        min(forecast_type_id) as forecast_type_id
    from submissions
    group by connection
)

select
    items.submission_item_key as forecast_submission_key,
    'salesforce' as source_system,
    items.connection,
    submissions.owner_id as submitter_email,
    case
        when concat(submissions.connection, ':', submissions.owner_id) in (
            select concat(users.connection, ':', users.manager_id) from users
        ) then 'manager'
        else 'user'
    end as scope_type,
    submissions.owner_id as scope_id,
    cast(periods.starts_on as varchar) as period,
    {{ span_grain('periods.starts_on', 'periods.ends_on') }} as own_grain,
    periods.starts_on as own_start_date,
    periods.ends_on as own_end_date,
    case known.item_category
        when 'CommitForecast' then 'commit'
        when 'MostLikelyForecast' then 'most_likely'
        when 'BestCaseForecast' then 'best_case'
        when 'OpenPipeline' then 'open_pipeline'
        when 'ClosedOnly' then 'closed_only'
        when 'CommitOnly' then 'commit_only'
        when 'MostLikelyOnly' then 'most_likely_only'
        when 'BestCaseOnly' then 'best_case_only'
        when 'PipelineOnly' then 'pipeline_only'
        else lower(known.item_category)
    end as category,
    submissions.has_note,
    coalesce(known.currency_code, submissions.currency_code, organizations.currency_code)
        as currency_code,
    known.amount as forecast_amt,
    submissions.submitted_at,
    items.is_deleted or gone.is_deleted as is_deleted,
    items.observed_at,
    items.raw_version_id,
    items.sync_id,
    items.position
from {{ ref('stg_salesforce__forecast_submission_items') }} as items
inner join known
    on
        items.connection = known.connection
        and items.submission_item_key = known.submission_item_key
inner join submissions
    on known.connection = submissions.connection and known.submission_id = submissions.submission_id
inner join gone
    on
        submissions.connection = gone.connection
        and submissions.submission_id = gone.submission_id
inner join first_types
    on
        submissions.connection = first_types.connection
        and submissions.forecast_type_id is not distinct from first_types.forecast_type_id
inner join periods
    on submissions.connection = periods.connection and submissions.period_id = periods.period_id
left join organizations on submissions.connection = organizations.connection
where
    known.amount is not null
    and submissions.submitted_at is not null
    and submissions.territory_id is null
