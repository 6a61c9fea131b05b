-- R-21: no cycle, and the survivor is a deal that we hold.

select
    survivors.deal_key,
    survivors.survivor_deal_key,
    survivors.is_cycle
from {{ ref('int_deal_survivors') }} as survivors
left join {{ ref('int_deals_current') }} as deals
    on survivors.survivor_deal_key = deals.deal_key
where survivors.is_cycle or deals.deal_key is null
