-- Grain: one row per bill x what settles it (money, or a supplier's credit), of the newest version of
-- each payment that has content.
--
-- A payment's lines name bills and the credits that were taken off; the rest is its money. Both lie on
-- one line of amounts, credits first.

with payments as (
    select
        * exclude (is_deleted),
        max_by(is_deleted, (observed_at, sync_id, position)) over (partition by bill_payment_key)
            as is_deleted
    from {{ ref('stg_quickbooks__bill_payments') }}
),

newest as (
    select *
    from payments
    where has_content
    qualify
        row_number() over (
            partition by bill_payment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

numbered as (
    select
        *,
        unnest(range(1, len(lines) + 1)) as number
    from newest
),

named as (
    select
        * exclude (lines),
        lines[number].LinkedTxn[1].TxnType as linked_type,
        lines[number].LinkedTxn[1].TxnId as linked_id,
        lines[number].Amount as amount
    from numbered
),

settled as (
    select
        *,
        sum(case when linked_type = 'Bill' then amount else 0 end) over (
            partition by bill_payment_key order by number
        ) as upto_amount,
        sum(case when linked_type <> 'Bill' then amount else 0 end) over (
            partition by bill_payment_key
        ) as credit_amount
    from named
    where linked_type is not null and amount > 0
),

divided as (
    select
        *,
        greatest(least(credit_amount, upto_amount) - (upto_amount - amount), 0) as credited_amount
    from settled
    where linked_type = 'Bill'
),

parts as (
    select
        *,
        'payment' as kind,
        amount - credited_amount as part_amount
    from divided
    union all
    select
        *,
        'credit',
        credited_amount
    from divided
)

select
    concat_ws(':', bill_payment_key, linked_id, kind) as bill_payment_key,
    source_system,
    connection,
    connection || ':bill:' || linked_id as bill_key,
    kind,
    currency_code,
    cast(sum(part_amount) as {{ money_type() }}) as paid_amt,
    paid_date,
    'upsert' as change,
    is_deleted,
    observed_at,
    sync_id,
    min(position) as position,
    raw_version_id
from parts
where part_amount > 0
group by
    bill_payment_key, linked_id, kind, source_system, connection, currency_code, paid_date,
    is_deleted, observed_at, sync_id, raw_version_id
