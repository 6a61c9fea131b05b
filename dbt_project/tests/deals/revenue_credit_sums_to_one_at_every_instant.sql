-- R-19: 100 % of a deal is somebody's, at every instant at which a share begins.

with revenue as (
    select * from {{ ref('bridge_deal_credit') }}
    where credit_type = 'revenue'
),

instants as (
    select distinct deal_key, valid_from as at_instant from revenue
)

select
    instants.deal_key,
    instants.at_instant,
    sum(revenue.share) as share
from instants
inner join revenue
    on
        instants.deal_key = revenue.deal_key
        and instants.at_instant >= revenue.valid_from
        and (instants.at_instant < revenue.valid_to or revenue.valid_to is null)
group by instants.deal_key, instants.at_instant
having abs(sum(revenue.share) - 1) > 0.000001
