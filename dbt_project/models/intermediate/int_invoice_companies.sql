-- Grain: one row per invoice whose customer is known to the CRM: which company, and how.

with invoices as (
    select
        invoice_key,
        company_reference
    from {{ ref('int_invoices_current') }}
),

final as (
    select
        invoice_key,
        company_reference as company_key,
        'reference' as match_method
    from invoices
    where company_reference is not null
)

select * from final
