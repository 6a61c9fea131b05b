-- Grain: one row per landed version of a share of a user in the amount of an opportunity.
--
-- A kind of shares whose total Salesforce holds to 100 % is revenue, another is overlay. Shares
-- of other figures than the amount are none of either; of several kinds of one sort the first
-- by id counts, as its shares would be counted twice.

with types as (
    {{ salesforce_newest(
        ref('stg_salesforce__split_types'), 'split_type_id', ['split_field', 'is_total_validated']
    ) }}
),

credit_types as (
    select
        connection,
        split_type_id,
        case when is_total_validated then 'revenue' else 'overlay' end as credit_type
    from types
    where split_field = 'Amount'
    qualify
        row_number() over (
            partition by connection, is_total_validated order by split_type_id
        ) = 1
),

-- A share that was purged names neither deal nor kind.
known as (
    {{ salesforce_newest(
        ref('stg_salesforce__splits'),
        'split_key',
        ['deal_id', 'owner_id', 'split_type_id', 'share_percent']
    ) }}
),

users as (
    {{ salesforce_newest(ref('stg_salesforce__users'), 'user_id', ['email']) }}
)

select
    splits.split_key as deal_credit_key,
    splits.connection || ':' || known.deal_id as source_deal_key,
    known.deal_id,
    -- The same word for a person as that of the owners of deals.
    coalesce(users.email, splits.connection || ':' || known.owner_id) as user_key,
    credit_types.credit_type,
    cast(coalesce(splits.share_percent, known.share_percent) / 100 as decimal(9, 6)) as share,
    'salesforce' as source_system,
    splits.connection,
    splits.raw_version_id,
    splits.is_deleted,
    splits.observed_at,
    splits.sync_id,
    splits.position
from {{ ref('stg_salesforce__splits') }} as splits
inner join known
    on splits.connection = known.connection and splits.split_key = known.split_key
inner join credit_types
    on known.connection = credit_types.connection
    and known.split_type_id = credit_types.split_type_id
left join users
    on known.connection = users.connection and known.owner_id = users.user_id
