-- Grain: one row per payment x what it settles x by what, of the newest version that has content.
--
-- A payment's lines name both sides: invoices (and cheques that pay a credit out), and the
-- credits that settle them. What the credits do not cover is its own money. Both sides lie on
-- one line of amounts, in the order of the payment's lines, credits first: where two overlap,
-- one settles the other.

with payments as (
    select
        * exclude (is_deleted),
        max_by(is_deleted, (observed_at, sync_id, position)) over (partition by payment_key)
            as is_deleted
    from {{ ref('stg_quickbooks__payments') }}
),

newest as (
    select *
    from payments
    where has_content
    qualify
        row_number() over (
            partition by payment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

numbered as (
    select
        payment_key,
        lines,
        unnest(range(1, len(lines) + 1)) as number
    from newest
),

named as (
    select
        payment_key,
        number,
        lines[number].LinkedTxn[1].TxnType as linked_type,
        lines[number].LinkedTxn[1].TxnId as linked_id,
        lines[number].Amount as amount
    from numbered
),

sides as (
    select
        *,
        linked_type in ('CreditMemo', 'JournalEntry', 'Deposit', 'Payment') as is_credit
    from named
    where linked_type is not null and amount > 0
),

owned as (
    select
        payment_key,
        sum(case when is_credit then -amount else amount end) as amount
    from sides
    group by payment_key
),

credits as (
    select
        payment_key,
        number,
        linked_type,
        linked_id,
        amount
    from sides
    where is_credit
    union all
    select
        payment_key,
        9223372036854775807,
        'Cash',
        cast(null as varchar),
        amount
    from owned
    where amount > 0
),

settling as (
    select
        *,
        sum(amount) over (partition by payment_key order by number) as upto
    from credits
),

settled as (
    select
        *,
        sum(amount) over (partition by payment_key order by number) as upto
    from sides
    where not is_credit
),

pairs as (
    select
        settled.payment_key,
        settled.linked_type as settled_type,
        settled.linked_id as settled_id,
        settling.linked_type as settling_type,
        settling.linked_id as settling_id,
        least(settled.upto, settling.upto)
        - greatest(settled.upto - settled.amount, settling.upto - settling.amount) as applied
    from settled
    inner join settling on settled.payment_key = settling.payment_key
),

summed as (
    select
        payment_key,
        settled_type,
        settled_id,
        settling_type,
        settling_id,
        cast(sum(applied) as {{ money_type() }}) as applied_amount
    from pairs
    where applied > 0
    group by payment_key, settled_type, settled_id, settling_type, settling_id
)

select
    concat_ws(
        ':', summed.payment_key, summed.settled_type, summed.settled_id, summed.settling_type,
        summed.settling_id
    ) as application_key,
    summed.payment_key,
    summed.settled_type,
    summed.settled_id,
    summed.settling_type,
    summed.settling_id,
    summed.applied_amount,
    newest.paid_date as applied_date,
    newest.source_system,
    newest.connection,
    newest.raw_version_id,
    newest.is_deleted,
    newest.observed_at,
    newest.sync_id,
    newest.position
from summed
inner join newest on summed.payment_key = newest.payment_key
