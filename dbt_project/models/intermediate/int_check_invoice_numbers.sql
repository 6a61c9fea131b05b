-- Grain: one row per invoice whose number breaks its series (B-18): one before it is missing, or
-- it is used twice.
--
-- 2026-R00041 is number 41 of the series 2026-R. A series counts when it is dense: numbers of
-- customers or random ones leave most of their range unused.

with numbered as (
    select
        connection,
        invoice_key,
        invoice_number,
        regexp_extract(invoice_number, '^(.*?)([0-9]{1,15})$', 1) as series_name,
        {{ try_cast_to("regexp_extract(invoice_number, '([0-9]{1,15})$', 1)", 'bigint') }}
            as number_value
    from {{ ref('int_invoices_current') }}
    where invoice_number is not null and status <> 'draft'
),

series as (
    select
        *,
        lag(number_value) over (
            partition by connection, series_name order by number_value, invoice_key
        ) as previous_number,
        count(*) over (partition by connection, invoice_number) as n_alike,
        count(*) over (partition by connection, series_name) >= 10
        and 2 * count(*) over (partition by connection, series_name)
        > max(number_value) over (partition by connection, series_name)
        - min(number_value) over (partition by connection, series_name) as is_counting
    from numbered
),

final as (
    select
        'B-18' as check_id,
        'warn' as severity,
        'invoice' as record_type,
        invoice_key as record_key,
        cast(number_value as {{ money_type() }}) as value,
        cast(previous_number + 1 as {{ money_type() }}) as limit_value,
        case
            when n_alike > 1 then concat('the number ', invoice_number, ' is used twice')
            else concat('numbers are missing before ', invoice_number)
        end as detail
    from series
    where n_alike > 1 or (is_counting and number_value > previous_number + 1)
)

select * from final
