-- Grain: one row per credit note issued by the as-of date, newest version. A credit note
-- voided later is still issued at the as-of date.

with newest_versions as (
    select *
    from {{ ref('int_credit_notes_unioned') }}
    qualify
        row_number() over (
            partition by credit_note_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

final as (
    select
        newest_versions.* exclude (status, voided_date),
        case
            when
                newest_versions.status = 'void'
                and coalesce(newest_versions.voided_date, newest_versions.issue_date)
                <= {{ as_of_date() }} then 'void'
            else 'issued'
        end as status,
        case
            when
                newest_versions.status = 'void'
                and coalesce(newest_versions.voided_date, newest_versions.issue_date)
                <= {{ as_of_date() }}
                then coalesce(newest_versions.voided_date, newest_versions.issue_date)
        end as voided_date
    from newest_versions
    where
        not newest_versions.is_deleted
        and newest_versions.status <> 'draft'
        and newest_versions.issue_date <= {{ as_of_date() }}
)

select * from final
