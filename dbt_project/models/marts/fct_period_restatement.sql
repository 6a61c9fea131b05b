-- Grain: one row per close x metric x measure x scope x record whose part of the figure is
-- another one today than it was when the period was closed. Per close, metric, measure and scope
-- the differences add up to the restated figure less the frozen one. Reporting currency.

with closes as (
    select
        *,
        close_no = max(close_no) over (partition by period_key) as is_current
    from {{ ref('stg_closed__periods') }}
    -- In another currency there is nothing to compare.
    where currency_code = '{{ var("reporting_currency") }}'
),

frozen as (
    select
        figures.*,
        closes.period_key
    from {{ ref('stg_closed__figures') }} as figures
    inner join closes on figures.close_id = closes.close_id
),

figures_now as (
    select
        figures.*,
        closes.close_id
    from {{ ref('fct_period_figure') }} as figures
    inner join closes on figures.period_key = closes.period_key
),

compared as (
    select
        coalesce(frozen.close_id, figures_now.close_id) as close_id,
        coalesce(frozen.metric, figures_now.metric) as metric,
        coalesce(frozen.measure, figures_now.measure) as measure,
        coalesce(frozen.scope_type, figures_now.scope_type) as scope_type,
        coalesce(frozen.scope_key, figures_now.scope_key) as scope_key,
        coalesce(frozen.record_type, figures_now.record_type) as record_type,
        coalesce(frozen.record_key, figures_now.record_key) as record_key,
        frozen.currency_code as before_currency_code,
        figures_now.currency_code as after_currency_code,
        frozen.amount_amt as before_amt,
        figures_now.amount_amt as after_amt,
        frozen.record_amt as before_record_amt,
        frozen.credited_amt as before_credited_amt,
        coalesce(frozen.value_rc, 0) as before_rc,
        coalesce(figures_now.value_rc, 0) as after_rc,
        frozen.close_id is null as is_new,
        figures_now.close_id is null as is_gone
    from frozen
    full outer join figures_now
        on
            frozen.close_id = figures_now.close_id
            and frozen.metric = figures_now.metric
            and frozen.measure = figures_now.measure
            and frozen.scope_type = figures_now.scope_type
            and frozen.scope_key = figures_now.scope_key
            and frozen.record_type = figures_now.record_type
            and frozen.record_key = figures_now.record_key
    where coalesce(frozen.value_rc, 0) <> coalesce(figures_now.value_rc, 0)
),

changed as (
    select
        compared.*,
        closes.period_key,
        closes.close_no,
        closes.is_current,
        closes.start_date,
        closes.end_date,
        closes.seen_to,
        case when compared.record_type = 'deal' then compared.record_key end as deal_key,
        case when compared.record_type = 'invoice' then compared.record_key end as invoice_key,
        case when compared.record_type = 'credit_note' then compared.record_key end
            as credit_note_key,
        case when compared.record_type = 'payment' then compared.record_key end as payment_key,
        -- A deal that another scope of the close held has only changed hands.
        bool_or(not compared.is_new) over (
            partition by compared.close_id, compared.metric, compared.measure, compared.record_key
        ) as was_held
    from compared
    inner join closes on compared.close_id = closes.close_id
),

invoices_first_seen as (
    select
        invoice_key,
        min(observed_at) as first_seen_at
    from {{ ref('int_invoices_unioned') }}
    where invoice_key in (select changed.invoice_key from changed)
    group by invoice_key
),

credited as (
    select
        changed.close_id,
        changed.metric,
        changed.invoice_key,
        -sum(events.net_amt) as credited_amt
    from changed
    inner join {{ ref('int_invoice_billing_events') }} as events
        on changed.invoice_key = events.invoice_key and changed.end_date >= events.event_date
    where events.event_kind in ('credited', 'credit_voided')
    group by changed.close_id, changed.metric, changed.invoice_key
),

merged as (
    select loser_key
    from {{ ref('map_record_alias') }}
    where record_type = 'deal'
),

explained as (
    select
        changed.*,
        case
            when changed.metric = 'quota' then 'quota_changed'
            when changed.metric = 'forecast' then 'forecast_changed'
            when changed.metric = 'billed' then 'billing_changed'
            when changed.before_amt = changed.after_amt
                and changed.before_currency_code = changed.after_currency_code
                then 'fx'
            when changed.before_currency_code <> changed.after_currency_code
                then 'currency_changed'
            when changed.metric = 'won' then case
                when merged.loser_key is not null then 'merged'
                when deals.deal_key is null or deals.is_deleted then 'deleted'
                when changed.is_gone and deals.is_excluded then 'excluded'
                when changed.is_gone and (
                    deals.status <> 'won' or (
                        deals.n_reopened > 0
                        and deals.closed_date not between changed.start_date and changed.end_date
                    )
                ) then 'reopened'
                when changed.is_gone
                    and deals.closed_date not between changed.start_date and changed.end_date
                    then 'date_changed'
                when changed.is_gone and deals.amount_at_won_rc is null then 'amount_edited'
                when changed.is_gone or changed.was_held and changed.is_new then 'owner_changed'
                when changed.is_new then 'back_dated'
                when changed.before_record_amt = deals.amount_at_won_amt then 'owner_changed'
                else 'amount_edited'
            end
            when changed.record_type = 'invoice' then case
                when invoices.invoice_key is null or invoices.is_deleted then 'deleted'
                when invoices.status = 'void' and invoices.voided_date <= changed.end_date
                    then 'voided'
                when invoices.superseded_by_invoice is not null then 'superseded'
                when changed.is_gone and coalesce(invoices.issue_date > changed.end_date, true)
                    then 'date_changed'
                when changed.is_gone and changed.metric in ('invoiced_net', 'tax')
                    and invoices.issue_date < changed.start_date
                    then 'date_changed'
                when changed.is_new and (
                    changed.metric in ('invoiced_net', 'tax')
                    or invoices_first_seen.first_seen_at > changed.seen_to
                ) then 'back_dated'
                when changed.before_record_amt <> invoices.gross_amt then 'amount_edited'
                when changed.before_credited_amt <> coalesce(credited.credited_amt, 0)
                    then 'credited'
                -- It had nothing in the figure; of earlier bills only a credit brings some.
                when changed.is_new and changed.metric <> 'ar_balance'
                    and credited.credited_amt <> 0
                    then 'credited'
                when changed.metric = 'ar_balance' then 'payment_changed'
                when changed.metric in ('deferred_revenue', 'recognised_revenue')
                    then 'schedule_changed'
                else 'amount_edited'
            end
            when changed.metric = 'credited_net' then case
                when credit_notes.credit_note_key is null then 'deleted'
                when credit_notes.status = 'void' and credit_notes.voided_date <= changed.end_date
                    then 'voided'
                when changed.is_new then 'back_dated'
                when changed.is_gone then 'date_changed'
                else 'amount_edited'
            end
            when changed.metric in ('paid', 'refunded') then case
                when changed.is_new then 'back_dated'
                when changed.is_gone and changed.payment_key is not null
                    and payments.payment_key is null
                    then 'deleted'
                when changed.is_gone then 'date_changed'
                else 'amount_edited'
            end
            when changed.is_new and changed.metric = 'ar_unapplied' then 'back_dated'
            when changed.metric = 'ar_unapplied' then 'payment_changed'
            else 'subscription_changed'
        end as reason
    from changed
    left join merged on changed.deal_key = merged.loser_key
    left join {{ ref('fct_deal') }} as deals on changed.deal_key = deals.deal_key
    left join {{ ref('fct_invoice') }} as invoices on changed.invoice_key = invoices.invoice_key
    left join {{ ref('fct_credit_note') }} as credit_notes
        on changed.credit_note_key = credit_notes.credit_note_key
    left join {{ ref('fct_payment') }} as payments on changed.payment_key = payments.payment_key
    left join invoices_first_seen on changed.invoice_key = invoices_first_seen.invoice_key
    left join credited
        on
            changed.close_id = credited.close_id
            and changed.metric = credited.metric
            and changed.invoice_key = credited.invoice_key
),

final as (
    select
        concat_ws(
            '|', close_id, metric, measure, scope_type, scope_key, record_type, record_key
        ) as period_restatement_key,
        close_id,
        period_key,
        metric,
        measure,
        scope_type,
        scope_key,
        record_type,
        record_key,
        deal_key,
        invoice_key,
        credit_note_key,
        payment_key,
        reason,
        '{{ var("reporting_currency") }}' as currency_code,
        coalesce(after_currency_code, before_currency_code) as record_currency_code,
        cast(before_amt as {{ money_type() }}) as before_amt,
        cast(after_amt as {{ money_type() }}) as after_amt,
        cast(before_rc as {{ money_type() }}) as before_rc,
        cast(after_rc as {{ money_type() }}) as after_rc,
        cast(after_rc - before_rc as {{ money_type() }}) as difference_rc,
        close_no,
        is_current,
        start_date as period_start_date,
        end_date as period_end_date
    from explained
)

select * from final
