-- Grain: one row per subscription x fiscal month in which it ran at the month's end (the
-- current month: at the as-of instant), with what a month of it cost then.
--
-- The version in force is the newest one that the source dates before that end. Before the
-- first known version the subscription is taken to have run since its start as that version
-- shows it; what is already over by its own dates was over then, too.

with months as (
    select
        period_key,
        start_date,
        least({{ start_of_day('end_date + 1') }}, {{ as_of_at() }}) as ends_at
    from {{ ref('dim_fiscal_period') }}
    where grain = 'month' and start_date <= {{ as_of_date() }}
),

versions as (
    select
        *,
        coalesce(source_updated_at, observed_at) as valid_from,
        row_number() over (
            partition by subscription_key
            order by coalesce(source_updated_at, observed_at), observed_at, sync_id, position
        ) as version_no
    from {{ ref('int_subscriptions_unioned') }}
    where customer_key is not null or is_deleted
),

newest as (
    select
        subscription_key,
        arg_max(ended_at, version_no) as ended_at,
        min(started_at) as started_at,
        max(case when is_deleted then valid_from end) as deleted_at
    from versions
    group by subscription_key
),

-- A subscription whose invoice was given up has ended as far as its money goes.
written_off as (
    select
        subscription_key,
        min(written_off_date) as written_off_date
    from {{ ref('int_invoices_valued') }}
    where written_off_date is not null
    group by subscription_key
),

in_force as (
    select
        months.period_key,
        months.start_date,
        months.ends_at,
        versions.*,
        versions.valid_from > months.ends_at as is_assumed
    from months
    inner join newest
        on
            newest.started_at < months.ends_at
            and (newest.ended_at is null or newest.ended_at >= months.ends_at)
            and (newest.deleted_at is null or newest.deleted_at >= months.ends_at)
    inner join versions
        on
            newest.subscription_key = versions.subscription_key
            and (versions.valid_from <= months.ends_at or versions.version_no = 1)
            and not versions.is_deleted
    qualify
        row_number() over (
            partition by months.period_key, versions.subscription_key
            order by versions.version_no desc
        ) = 1
),

priced as (
    select
        * exclude (monthly_amt),
        -- The first step that is not over at the month's end.
        coalesce(
            list_filter(monthly_steps, lambda one: coalesce(one.until_at >= ends_at, true))[1]
            .monthly_amt,
            monthly_amt
        ) as monthly_amt
    from in_force
),

final as (
    select
        priced.subscription_key,
        priced.period_key,
        priced.start_date,
        priced.ends_at,
        priced.customer_key,
        priced.currency_code,
        priced.source_system,
        priced.connection,
        priced.raw_version_id,
        {{ round_money('priced.monthly_amt', 'priced.currency_code') }} as mrr_amt,
        priced.is_assumed
    from priced
    left join written_off on priced.subscription_key = written_off.subscription_key
    where
        (priced.trial_ends_at is null or priced.trial_ends_at < priced.ends_at)
        -- What it is today says nothing of the months before it was read.
        and (priced.is_assumed or priced.status in ('active', 'past_due'))
        and not (
            priced.status = 'past_due'
            and coalesce(
                {{ start_of_day('written_off.written_off_date') }} < priced.ends_at, false
            )
        )
        and priced.monthly_amt > 0
)

select * from final
