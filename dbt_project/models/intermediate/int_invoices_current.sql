-- Grain: one row per invoice as it stands at the as-of date: newest version, deleted drafts
-- left out, and what the vendor dates later than the as-of date not yet happened.

with newest_versions as (
    select *
    from {{ ref('int_invoices_unioned') }}
    qualify
        row_number() over (
            partition by invoice_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

final as (
    select
        newest_versions.* exclude (
            status, issue_date, voided_date, written_off_date, paid_date
        ),
        case
            when newest_versions.status = 'draft' then 'draft'
            when newest_versions.issue_date > {{ as_of_date() }} then 'draft'
            when newest_versions.voided_date <= {{ as_of_date() }} then 'void'
            -- A source that says void without a date: void from its issue.
            when newest_versions.status = 'void' and newest_versions.voided_date is null
                then 'void'
            when
                newest_versions.status = 'paid'
                and (
                    newest_versions.paid_date is null
                    or newest_versions.paid_date <= {{ as_of_date() }}
                ) then 'paid'
            when
                newest_versions.status = 'written_off'
                and (
                    newest_versions.written_off_date is null
                    or newest_versions.written_off_date <= {{ as_of_date() }}
                ) then 'written_off'
            else 'open'
        end as status,
        case when newest_versions.status <> 'draft' then newest_versions.issue_date end
            as issue_date,
        case
            when newest_versions.voided_date <= {{ as_of_date() }} then newest_versions.voided_date
            when newest_versions.status = 'void' and newest_versions.voided_date is null
                then newest_versions.issue_date
        end as voided_date,
        case
            when newest_versions.written_off_date <= {{ as_of_date() }}
                then newest_versions.written_off_date
            when
                newest_versions.status = 'written_off' and newest_versions.written_off_date is null
                then coalesce(newest_versions.due_date, newest_versions.issue_date)
        end as written_off_date,
        case when newest_versions.paid_date <= {{ as_of_date() }} then newest_versions.paid_date end
            as paid_date
    from newest_versions
    where not newest_versions.is_deleted
)

select * from final
