-- Grain: one row per deal that is known, or was when its changes were last told.
--
-- A change is told from the deal's history, from whether the edit was one of many, and from the
-- editors and fiscal periods that all deals share. The fingerprint stands for the last two.

with inputs as (
    select * from {{ ref('int_deal_inputs') }}
),

edits as (
    select * from {{ ref('int_bulk_edits') }}
),

editors as (
    select * from {{ ref('int_editors') }}
),

periods as (
    select
        period_key,
        start_date,
        end_date
    from {{ ref('stg_config__fiscal_periods') }}
    where grain = '{{ var("push_grain") }}'
),

of_all_deals as (
    select sum(part) as shared_fingerprint
    from (
        select {{ fingerprint('editors') }} as part from editors
        union all
        select {{ fingerprint('periods') }} as part from periods
    ) as parts
),

of_one_deal as (
    select
        edits.deal_key,
        {{ fingerprint('edits') }} as part
    from edits
    group by edits.deal_key
),

now as (
    select
        inputs.deal_key,
        inputs.is_changed,
        coalesce(of_one_deal.part, 0) + coalesce(of_all_deals.shared_fingerprint, 0)
            as change_fingerprint
    from inputs
    cross join of_all_deals
    left join of_one_deal
        on inputs.deal_key = of_one_deal.deal_key
),

final as (
    select
        now.deal_key,
        now.change_fingerprint,
        now.is_changed or now.change_fingerprint is distinct from built.change_fingerprint
            as is_changed
    from now
    left join {{ ref('stg_meta__deals_built') }} as built
        on now.deal_key = built.deal_key
)

select * from final
