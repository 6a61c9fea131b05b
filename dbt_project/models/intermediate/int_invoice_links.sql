-- Grain: one row per invoice x deal that belong together, by the best method that found
-- them; candidates that nobody has accepted yet included (is_accepted false).
--   1 explicit_id 1.00    deal id on the invoice or a line of it, invoice id on the deal
--   2 quote 0.98          quote that the invoice came from
--   3 subscription 0.95   subscription created from the deal
--   4 po_or_number 0.90   purchase order number, or deal number as a whole word of the memo
--   5 company_amount 0.80 same company, currency and amount, near the win, unique both ways
--   6 domain_amount 0.60  the same by the customer's mail domain: waits for a person
-- A person's own list (deal_invoice_links) wins over all of them.

with invoices as (
    select *
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

deals as (
    select
        *,
        coalesce(won_at, first_won_at) as reference_at
    from {{ ref('fct_deal') }}
),

-- Every key a deal was ever known by, and the deal it is today.
deal_names as (
    select distinct
        versions.deal_key as known_key,
        split_part(versions.deal_key, ':', 1) as connection,
        substr(versions.deal_key, strpos(versions.deal_key, ':') + 1) as deal_id,
        versions.source_system,
        coalesce(survivors.deal_key, versions.deal_key) as deal_key
    from {{ ref('fct_deal_version') }} as versions
    left join deals as survivors on versions.survivor_deal_key = survivors.deal_key
    union
    select
        deal_key as known_key,
        split_part(deal_key, ':', 1),
        deal_id,
        source_system,
        deal_key
    from deals
    union
    select
        merged.loser_key,
        split_part(merged.loser_key, ':', 1),
        substr(merged.loser_key, strpos(merged.loser_key, ':') + 1),
        merged.source_system,
        merged.deal_key
    from (
        select
            deal_key,
            source_system,
            unnest(merged_from) as loser_key
        from deals
    ) as merged
),

deal_references as (
    select
        deal_names.deal_key,
        refs.reference_kind,
        refs.reference
    from {{ ref('int_invoice_deal_references') }} as refs
    inner join deal_names on refs.deal_key = deal_names.known_key
),

-- Texts in which the billing side names a deal. One text may name several.
stated_texts as (
    select
        invoice_key,
        1 as method_rank,
        'invoice' as stated_on,
        deal_reference as stated
    from invoices
    where deal_reference is not null
    union all
    select
        lines.invoice_key,
        1,
        'invoice line',
        lines.deal_reference
    from {{ ref('int_invoice_lines_current') }} as lines
    where lines.deal_reference is not null
    union all
    select
        invoice_key,
        3,
        'subscription',
        subscription_deal_reference
    from invoices
    where subscription_deal_reference is not null
    {% if has_source('stripe') %}
        union all
        select
            invoices.invoice_key,
            3,
            'subscription',
            subscriptions.deal_reference
        from invoices
        inner join (
            select *
            from {{ ref('stg_stripe__subscriptions') }}
            qualify
                row_number() over (
                    partition by subscription_key
                    order by observed_at desc, sync_id desc, position desc
                ) = 1
        ) as subscriptions
            on invoices.subscription_key = subscriptions.subscription_key
        where subscriptions.deal_reference is not null
        union all
        select
            invoices.invoice_key,
            case
                when
                    quotes.invoice_key = invoices.invoice_key
                    or quotes.quote_key = invoices.quote_key then 2
                else 3
            end,
            'quote',
            quotes.deal_reference
        from invoices
        inner join (
            select *
            from {{ ref('stg_stripe__quotes') }}
            qualify
                row_number() over (
                    partition by quote_key
                    order by observed_at desc, sync_id desc, position desc
                ) = 1
        ) as quotes
            on
                invoices.connection = quotes.connection
                and (
                    invoices.invoice_key = quotes.invoice_key
                    or invoices.quote_key = quotes.quote_key
                    or invoices.subscription_key = quotes.subscription_key
                )
        where quotes.deal_reference is not null
    {% endif %}
),

stated_tokens as (
    select
        invoice_key,
        method_rank,
        stated_on,
        unnest({{ split_by('stated', '[,;[:space:]]+') }}) as token
    from stated_texts
),

-- "hubspot:90210" names source or connection and id, "90210" the id alone: then it must be
-- one deal's only.
stated_links as (
    select
        stated_tokens.invoice_key,
        stated_tokens.method_rank,
        min(deal_names.deal_key) as deal_key,
        min(stated_tokens.stated_on) as evidence_field,
        stated_tokens.token as evidence_value
    from stated_tokens
    inner join deal_names
        on
            split_part(stated_tokens.token, ':', -1) = deal_names.deal_id
            and (
                strpos(stated_tokens.token, ':') = 0
                or split_part(stated_tokens.token, ':', 1)
                in (deal_names.connection, deal_names.source_system)
            )
    where stated_tokens.token <> ''
    group by stated_tokens.invoice_key, stated_tokens.method_rank, stated_tokens.token
    having count(distinct deal_names.deal_key) = 1
),

-- What the deal says of the billing side.
reference_links as (
    select
        invoices.invoice_key,
        1 as method_rank,
        deal_references.deal_key,
        'invoice on the deal' as evidence_field,
        deal_references.reference as evidence_value
    from deal_references
    inner join invoices
        on deal_references.reference = invoices.invoice_id
    where deal_references.reference_kind = 'invoice'
    union all
    select
        invoices.invoice_key,
        1,
        deal_references.deal_key,
        'invoice number on the deal',
        deal_references.reference
    from deal_references
    inner join invoices
        on deal_references.reference = invoices.invoice_number
    where
        deal_references.reference_kind = 'invoice'
        and deal_references.reference <> invoices.invoice_id
    union all
    select
        invoices.invoice_key,
        3,
        deal_references.deal_key,
        'subscription on the deal',
        deal_references.reference
    from deal_references
    inner join invoices
        on
            deal_references.reference
            = substr(invoices.subscription_key, strpos(invoices.subscription_key, ':') + 1)
    where deal_references.reference_kind = 'subscription'
    union all
    select
        invoices.invoice_key,
        2,
        deal_references.deal_key,
        'quote on the deal',
        deal_references.reference
    from deal_references
    inner join invoices
        on
            deal_references.reference
            = substr(invoices.quote_key, strpos(invoices.quote_key, ':') + 1)
    where deal_references.reference_kind = 'quote'
    union all
    select
        invoices.invoice_key,
        2,
        coalesce(deal_names.deal_key, quotes.deal_key),
        'quote of the CRM',
        quotes.quote_number
    from {{ ref('fct_quote') }} as quotes
    inner join invoices on quotes.quote_key = invoices.quote_key
    left join deal_names on quotes.deal_key = deal_names.known_key
    where quotes.deal_key is not null
    union all
    select
        invoices.invoice_key,
        4,
        deal_references.deal_key,
        'purchase order',
        deal_references.reference
    from deal_references
    inner join invoices
        on lower(deal_references.reference) = lower(invoices.po_number)
    where deal_references.reference_kind = 'po'
    {% if has_source('stripe') %}
        union all
        -- The deal names the billing side's quote, the quote became the invoice.
        select
            invoices.invoice_key,
            case
                when
                    quotes.invoice_key = invoices.invoice_key
                    or quotes.quote_key = invoices.quote_key then 2
                else 3
            end,
            deal_references.deal_key,
            'quote on the deal',
            deal_references.reference
        from deal_references
        inner join {{ ref('stg_stripe__quotes') }} as quotes
            on
                deal_references.reference = quotes.quote_id
                or deal_references.reference = quotes.quote_number
        inner join invoices
            on
                quotes.invoice_key = invoices.invoice_key
                or quotes.quote_key = invoices.quote_key
                or quotes.subscription_key = invoices.subscription_key
        where deal_references.reference_kind = 'quote'
    {% endif %}
),

memo_tokens as (
    select distinct
        invoice_key,
        lower(unnest(regexp_extract_all(memo, '[[:alnum:]][[:alnum:]_./-]*[[:alnum:]]'))) as token
    from invoices
    where memo is not null
),

memo_links as (
    select
        memo_tokens.invoice_key,
        4 as method_rank,
        deal_references.deal_key,
        'purchase order in the memo' as evidence_field,
        deal_references.reference as evidence_value
    from memo_tokens
    inner join deal_references
        on memo_tokens.token = lower(deal_references.reference)
    where deal_references.reference_kind = 'po'
    union all
    select
        memo_tokens.invoice_key,
        4,
        deal_names.deal_key,
        'deal number in the memo',
        deal_names.deal_id
    from memo_tokens
    inner join deal_names on memo_tokens.token = lower(deal_names.deal_id)
    -- A short number in a text is more often a date, a price or a house number.
    where length(deal_names.deal_id) >= 5
),

direct_links as (
    select * from stated_links
    union all
    select * from reference_links
    union all
    select * from memo_links
),

-- A subscription bills on after the deal's term; those invoices are follow-up business.
in_term as (
    select direct_links.*
    from direct_links
    inner join invoices on direct_links.invoice_key = invoices.invoice_key
    left join deals on direct_links.deal_key = deals.deal_key
    where
        direct_links.method_rank <> 3
        or deals.term_months is null
        or coalesce(deals.service_start, {{ company_date('deals.reference_at') }}) is null
        or invoices.issue_date
        < coalesce(deals.service_start, {{ company_date('deals.reference_at') }})
        + {{ months('deals.term_months') }}
),

manual_rows as (
    {% if has_source('files') %}
        select
            coalesce(deal_names.deal_key, links.deal_key) as deal_key,
            invoices.invoice_key,
            links.allocated_net_amt,
            links.is_accepted,
            links.note,
            links.raw_version_id
        from (
            select *
            from {{ ref('stg_files__deal_invoice_links') }}
            qualify
                row_number() over (
                    partition by deal_invoice_link_key
                    order by observed_at desc, sync_id desc, position desc
                ) = 1
        ) as links
        inner join invoices on links.invoice_key = invoices.invoice_key
        left join deal_names on links.deal_key = deal_names.known_key
        where not links.is_deleted
        -- Two names of one deal may both be listed: one row, the accepted one.
        qualify
            row_number() over (
                partition by coalesce(deal_names.deal_key, links.deal_key), invoices.invoice_key
                order by links.is_accepted desc, links.raw_version_id asc
            ) = 1
    {% else %}
        select
            cast(null as varchar) as deal_key,
            cast(null as varchar) as invoice_key,
            cast(null as {{ money_type() }}) as allocated_net_amt,
            cast(null as boolean) as is_accepted,
            cast(null as varchar) as note,
            cast(null as varchar) as raw_version_id
        where false
    {% endif %}
),

manual_links as (
    select
        invoice_key,
        0 as method_rank,
        deal_key,
        'list of links' as evidence_field,
        note as evidence_value
    from manual_rows
    where is_accepted
),

rejected_pairs as (
    select
        invoice_key,
        deal_key
    from manual_rows
    where not is_accepted
),

certain_links as (
    select links.*
    from (
        select * from manual_links
        union all
        select * from in_term
    ) as links
    anti join rejected_pairs
        on
            links.invoice_key = rejected_pairs.invoice_key
            and links.deal_key = rejected_pairs.deal_key
    -- Of several methods the best decides, and only what it found counts.
    qualify
        dense_rank() over (partition by links.invoice_key order by links.method_rank) = 1
),

-- Methods 5 and 6: only where nothing better links either side.
free_invoices as (
    select invoices.*
    from invoices
    anti join certain_links on invoices.invoice_key = certain_links.invoice_key
    where invoices.company_key is not null and invoices.net_amt > 0 and invoices.status <> 'void'
),

free_deals as (
    select
        deals.*,
        coalesce(deals.currency_at_won, deals.currency_code) as booked_currency_code,
        coalesce(deals.amount_at_won_amt, deals.amount_amt) as booked_amt
    from deals
    anti join certain_links on deals.deal_key = certain_links.deal_key
    where
        deals.status = 'won'
        and not deals.is_deleted
        and not deals.is_excluded
        and deals.company_key is not null
        and coalesce(deals.amount_at_won_amt, deals.amount_amt) > 0
),

amount_pairs as (
    select
        free_invoices.invoice_key,
        free_deals.deal_key,
        case when free_invoices.company_match_method = 'domain' then 6 else 5 end as method_rank,
        free_invoices.company_key
    from free_invoices
    inner join free_deals
        on
            free_invoices.company_key = free_deals.company_key
            and free_invoices.currency_code = free_deals.booked_currency_code
    where
        abs(
            case
                when free_deals.amount_basis = 'gross' then free_invoices.gross_amt
                else free_invoices.net_amt
            end - free_deals.booked_amt
        ) <= {{ recon_tolerance('free_deals.booked_amt', 'free_deals.booked_currency_code') }}
        and free_invoices.issue_date between
        free_deals.closed_date - {{ var('link_days_before') }}
        and free_deals.closed_date + {{ var('link_days_after') }}
),

unique_pairs as (
    select amount_pairs.*
    from amount_pairs
    anti join rejected_pairs
        on
            amount_pairs.invoice_key = rejected_pairs.invoice_key
            and amount_pairs.deal_key = rejected_pairs.deal_key
    qualify
        count(*) over (partition by amount_pairs.invoice_key) = 1
        and count(*) over (partition by amount_pairs.deal_key) = 1
),

all_links as (
    select * from certain_links
    union all
    select
        invoice_key,
        method_rank,
        deal_key,
        'company' as evidence_field,
        company_key as evidence_value
    from unique_pairs
),

best_links as (
    select *
    from all_links
    qualify
        row_number() over (
            partition by invoice_key, deal_key
            order by method_rank, evidence_field, evidence_value
        ) = 1
),

final as (
    select
        best_links.deal_key || '|' || best_links.invoice_key as deal_invoice_key,
        best_links.deal_key,
        best_links.invoice_key,
        case best_links.method_rank
            when 0 then 'manual'
            when 1 then 'explicit_id'
            when 2 then 'quote'
            when 3 then 'subscription'
            when 4 then 'po_or_number'
            when 5 then 'company_amount'
            else 'domain_amount'
        end as method,
        cast(
            case best_links.method_rank
                when 0 then 1 when 1 then 1 when 2 then 0.98 when 3 then 0.95
                when 4 then 0.9 when 5 then 0.8 else 0.6
            end as decimal(9, 6)
        ) as confidence,
        json_object(best_links.evidence_field, best_links.evidence_value) as evidence,
        manual_rows.allocated_net_amt as stated_net_amt,
        best_links.method_rank = 0 as is_manual,
        best_links.method_rank <= 5 as is_accepted
    from best_links
    left join manual_rows
        on
            best_links.invoice_key = manual_rows.invoice_key
            and best_links.deal_key = manual_rows.deal_key
            and best_links.method_rank = 0
)

select * from final
