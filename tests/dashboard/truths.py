"""The numbers of every page, asked of the marts in other words than the pages' own."""

from collections.abc import Callable

from dashboard.filters import parse


class Asked:
    """What a look asks for, in the words of the marts."""

    def __init__(self, query: str) -> None:
        filters = parse(query)
        self.period = filters.period or "FY2027-Q3"
        self.pipeline = filters.pipeline
        self.scope, self.key = filters.scope_type, filters.scope_key
        self.first, self.last = {
            "FY2027-Q3": ("2026-08-01", "2026-10-31"),
            "FY2027-Q2": ("2026-05-01", "2026-07-31"),
        }[self.period]

    def of(self, **columns: str) -> str:
        """The condition that a row is of the scope; what a mart has no column for is not asked."""
        said = []
        if self.scope == "user" and "owner" in columns:
            said.append(f"{columns['owner']} = '{self.key}'")
        if self.scope == "team" and "owner" in columns:
            said.append(
                f"{columns['owner']} in (select user_key from marts.dim_user "
                f"where is_current and team_key = '{self.key}')"
            )
        if self.pipeline and "pipeline" in columns:
            said.append(f"{columns['pipeline']} = '{self.pipeline}'")
        return " and ".join(said) or "true"

    @property
    def scoped(self) -> str:
        """The condition on marts that hold a row for each scope."""
        return f"scope_type = '{self.scope}' and scope_key = '{self.key}'"

    @property
    def bridged(self) -> str:
        """The same where pipelines and owners are scopes, too."""
        if self.pipeline:
            return f"scope_type = 'pipeline' and scope_key = '{self.pipeline}'"
        kind = {"user": "owner"}.get(self.scope, self.scope)
        return f"scope_type = '{kind}' and scope_key = '{self.key}'"

    @property
    def member(self) -> str:
        """The same in the win rate's words."""
        if self.scope != "company":
            kind = {"user": "owner"}.get(self.scope, self.scope)
            return f"dimension = '{kind}' and member = '{self.key}'"
        if self.pipeline:
            return f"dimension = 'pipeline' and member = '{self.pipeline}'"
        return "dimension = 'all'"


def _movement(columns: str, ledger: str) -> Callable[[Asked], str]:
    def truth(asked: Asked) -> str:
        return (
            f"select {columns} from marts.mart_pipeline_movement "
            "where basis = 'restated' and window_type = 'period' and movement_view = 'path' "
            f"and ledger = '{ledger}' and period_key = '{asked.period}' and {asked.bridged}"
        )

    return truth


def _reps(columns: str, more: str = "true") -> Callable[[Asked], str]:
    def truth(asked: Asked) -> str:
        own = {"team": "team_key", "user": "user_key"}.get(asked.scope)
        return (
            f"select {columns} from marts.mart_rep_performance where {more} "
            f"and period_key = '{asked.period}'" + (f" and {own} = '{asked.key}'" if own else "")
        )

    return truth


_COHORT = "max(cohort_period_key) from marts.{} where {} > 0 and cohort_period_key <= '{}'"
TRUTHS: dict[str, Callable[[Asked], str]] = {
    "quota": lambda asked: (
        "select quota_rc, won_rc, gap_rc, open_pipeline_rc, weighted_rc, attainment, coverage, "
        "required_coverage, pace_expected_rc, pace_delta_rc, needed_per_business_day_rc "
        f"from marts.mart_quota_gap where credit_type = 'revenue' "
        f"and period_key = '{asked.period}' and {asked.scoped}"
    ),
    "changed": lambda asked: (
        "select count(distinct deal_key) as n_deals, sum(amount_rc) as amount_rc "
        "from marts.fct_pipeline_movement where is_company_row and basis = 'restated' "
        "and window_type = 'period' and ledger = 'pipeline' "
        f"and period_key = '{asked.period}' and posted_date > date '2026-10-08' and deal_key in "
        "(select deal_key from marts.fct_deal "
        f"where {asked.of(owner='owner_user_key', pipeline='pipeline_key')}) group by reason"
    ),
    "bridge": _movement("n_events, amount_rc, slip_rc, transient_rc", "pipeline"),
    "bookings": _movement("n_events, amount_rc", "bookings"),
    "then_now": lambda asked: (
        "select was.amount_rc as was_rc, is_.amount_rc as is_rc, "
        "is_.n_pushes_to_date - was.n_pushes_to_date as n_pushes "
        "from marts.fct_deal_daily as was join marts.fct_deal_daily as is_ using (deal_key) "
        f"where was.basis = 'restated' and was.date = date '{asked.first}' - 1 "
        "and was.status = 'open' and not was.is_deleted and not was.is_merged_away "
        "and not was.is_excluded and "
        f"{asked.of(owner='was.owner_user_key', pipeline='was.pipeline_key')} "
        f"and was.expected_close_date between date '{asked.first}' and date '{asked.last}' "
        "and is_.basis = 'restated' "
        f"and is_.date = least(date '{asked.last}', date '2026-10-15')"
    ),
    "stages": lambda asked: (
        "select count(deal_key) as n_deals, coalesce(sum(amount_rc), 0) as amount_rc "
        "from marts.dim_stage as s left join (select * from marts.fct_deal where status = 'open' "
        "and not is_deleted and not is_excluded and duplicate_of_deal_key is null and "
        f"{asked.of(owner='owner_user_key')}) as d using (stage_key) where s.is_current "
        f"and not s.is_deleted and s.stage_type = 'open' and {asked.of(pipeline='s.pipeline_key')} "
        "group by stage_key"
    ),
    "cohort": lambda asked: (
        "select n_in, n_reached, conversion_from_previous, conversion_from_base, "
        "median_days_from_base, n_immature, value_reached_rc from marts.mart_funnel_cohort "
        "where basis = 'pipeline_entry' and segment_type = 'all' and method = 'reached' "
        "and cohort_period_key = (select "
        + _COHORT.format("mart_funnel_cohort", "n_in", asked.period)
        + " and basis = 'pipeline_entry' and segment_type = 'all') "
        f"and {asked.of(pipeline='pipeline_key')}"
    ),
    "flow": lambda asked: (
        "select open_at_start_n, entered_forward_n, entered_backward_n, entered_reopened_n, "
        "entered_other_pipeline_n, exited_forward_n, exited_won_n, exited_lost_n, "
        "exited_backward_n, exited_other_n, open_at_end_n, forward_rate, loss_rate "
        f"from marts.mart_funnel_flow where period_key = '{asked.period}' "
        f"and {asked.of(pipeline='pipeline_key')}"
    ),
    "cash": lambda asked: (
        "select leads_n, qualified_n, deals_n, quoted_n, won_n, invoiced_n, paid_n, "
        "paid_net_of_refund_n, n_immature, won_rc, paid_net_of_refund_rc, paid_net_rate "
        "from marts.mart_funnel_lead_to_cash where cohort_period_key = (select "
        + _COHORT.format("mart_funnel_lead_to_cash", "leads_n", asked.period)
        + ")"
    ),
    "stage_time": lambda asked: (
        "select n_stays, median_days, p75_days, p90_days, km_median_days, n_open, "
        "median_open_age_days, capital_locked_rc, bottleneck_rank from marts.mart_stage_velocity "
        "where period_key = 'all' and segment_type = 'all' and outcome_group = 'all' "
        f"and {asked.of(pipeline='pipeline_key')}"
    ),
    "win_rate": lambda asked: (
        "select won_n, lost_n, win_rate_count, win_rate_value, net_win_rate "
        f"from marts.mart_win_rate where grain = 'quarter' and {asked.member}"
    ),
    "tree": lambda asked: (
        "select q.quota_rc, won_rc, gap_rc, attainment, open_pipeline_rc, coverage, forecast_rc, "
        "(select arg_max(adjustment_rc, submitted_at) from marts.fct_forecast_submission as s "
        "where s.scope_type = q.scope_type and s.scope_key = q.scope_key "
        "and s.period_key = q.period_key and not is_deleted) as adjustment_rc, target_mismatch_rc "
        "from marts.mart_quota_gap as q left join (select * from marts.mart_forecast "
        "where is_now and method = 'crm_weighted') as f using (scope_type, scope_key, period_key) "
        f"where credit_type = 'revenue' and q.period_key = '{asked.period}' "
        "and scope_type in ('company', 'team', 'user') and "
        + {
            "company": "true",
            "team": f"(scope_key = '{asked.key}' or (scope_type = 'user' and scope_key in "
            "(select user_key from marts.dim_user where is_current "
            f"and team_key = '{asked.key}')))",
            "user": f"scope_key = '{asked.key}'",
        }[asked.scope]
    ),
    "methods": lambda asked: (
        "select forecast_rc, p10_rc, p50_rc, p90_rc, n_periods from marts.mart_forecast "
        f"where is_now and period_key = '{asked.period}' and {asked.scoped}"
    ),
    "accuracy": lambda asked: (
        "select forecast_rc, actual_rc, error_rc, abs_pct, bias, wape, achieved_coverage "
        "from marts.mart_forecast_accuracy where method = 'crm_weighted' "
        f"and period_grain = 'quarter' and rel_day_bucket = 0.5 and {asked.scoped}"
    ),
    "categories": lambda asked: (
        "select count(*) as n_deals, sum(amount_rc) as amount_rc from marts.fct_deal "
        "where status = 'open' and not is_deleted and not is_excluded "
        "and duplicate_of_deal_key is null and amount_rc >= 0 and expected_close_date between "
        f"date '{asked.first}' and date '{asked.last}' "
        f"and {asked.of(owner='owner_user_key', pipeline='pipeline_key')} "
        "group by coalesce(forecast_category, 'pipeline')"
    ),
    "months": lambda asked: (
        "select sum(booked_rc), sum(invoiced_net_rc), sum(credited_net_rc), sum(paid_rc), "
        "sum(refunded_rc) from marts.mart_bookings_billings_cash where start_date between "
        f"date '{asked.first}' - interval 18 month and date '{asked.last}' group by period_key"
    ),
    "to_cash": lambda asked: (
        "select forecast_rc, outcome_var_rc, amount_var_rc, not_yet_billed_rc, over_billed_rc, "
        "billed_earlier_rc, prior_bookings_rc, fx_var_rc, unlinked_rc, billed_rc, residual_rc "
        "from marts.mart_billed_vs_forecast where row_type = 'rollup' "
        f"and period_key = '{asked.period}' and "
        + asked.bridged.replace("scope_key = 'company'", "scope_key = 'all'")
    ),
    "matrix": lambda asked: (
        "select count(*), sum(booked_net_rc), sum(billed_net_rc) "
        "from marts.mart_deal_billing_recon "
        f"where {asked.of(owner='owner_user_key', pipeline='pipeline_key')} "
        "group by billing_status, coalesce(payment_status, '-')"
    ),
    "leakage": lambda asked: (
        "select booked_net_amt, booked_net_rc, as_of_date - won_date "
        "from marts.mart_deal_billing_recon where billing_status = 'unbilled_late' "
        f"and {asked.of(owner='owner_user_key', pipeline='pipeline_key')}"
    ),
    "links": lambda asked: (  # noqa: ARG005 - links are the company's
        "select min(confidence), count(*) from marts.bridge_deal_invoice where not is_deleted "
        "group by method, is_accepted"
    ),
    "candidates": lambda asked: (  # noqa: ARG005
        "select i.net_amt, confidence from marts.bridge_deal_invoice as b "
        "join marts.fct_invoice as i using (invoice_key) where not is_manual and not b.is_deleted "
        "and b.method in ('company_amount', 'domain_amount')"
    ),
    "ageing": lambda asked: (  # noqa: ARG005
        "select balance_amt, balance_rc, n_documents from marts.mart_ar_ageing_bucket "
        "where is_today and bucket <> 'all'"
    ),
    "reps": _reps(
        "quota_rc, won_rc, gap_rc, attainment, open_pipeline_rc, won_n, lost_n, win_rate_count, "
        "median_cycle_days, share_of_pipeline_with_signals"
    ),
    "activity": _reps("n_activities, n_meetings, n_calls, created_n"),
    "response": _reps("median_response_hours, n_answered", "n_answered > 0"),
    "sources": lambda asked: (  # noqa: ARG005
        "select lag_hours, rows_seen_n, new_versions_n, removed_n, quarantined_n "
        "from marts.mart_source_health where is_newest"
    ),
    "failing": lambda asked: (  # noqa: ARG005
        "select n_checked, n_failing, n_new, failing_share from marts.mart_data_health"
    ),
    "flags": lambda asked: (  # noqa: ARG005
        "select count(*) from marts.fct_check_result where resolved_at is null "
        "group by date_trunc('month', first_failed_at), severity"
    ),
}
"""The numbers behind each picture, asked of the marts in other words than the page's."""
WITHOUT_DEALS = {
    "methods": {"n_periods"},
    "sources": {"lag_hours", "rows_seen_n", "new_versions_n", "removed_n", "quarantined_n"},
    "failing": {"n_checked"},
}
"""Numbers that no deal or record of the marts stands behind: periods, and what syncs read."""

SUMS = {
    ("quota", "quota_rc"),
    ("quota", "won_rc"),
    ("quota", "open_pipeline_rc"),
    ("changed", "n_deals"),
    ("changed", "amount_rc"),
    ("bridge", "amount_rc"),
    ("bridge", "slip_rc"),
    ("bridge", "transient_rc"),
    ("bookings", "amount_rc"),
    *(
        ("flow", name)
        for name in (
            *("open_at_start_n", "entered_forward_n", "entered_backward_n", "entered_reopened_n"),
            *("entered_other_pipeline_n", "exited_forward_n", "exited_won_n", "exited_lost_n"),
            *("exited_backward_n", "exited_other_n", "open_at_end_n"),
        )
    ),
    ("stage_time", "n_stays"),
    ("stage_time", "n_open"),
    ("win_rate", "won_n"),
    ("tree", "quota_rc"),
    ("tree", "won_rc"),
    ("tree", "open_pipeline_rc"),
    ("categories", "n_deals"),
    ("categories", "amount_rc"),
    ("months", "booked_rc"),
    ("months", "invoiced_net_rc"),
    ("months", "credited_net_rc"),
    ("months", "paid_rc"),
    ("months", "refunded_rc"),
    *(
        ("to_cash", name)
        for name in (
            *("forecast_rc", "outcome_var_rc", "amount_var_rc", "not_yet_billed_rc"),
            *("over_billed_rc", "billed_earlier_rc", "prior_bookings_rc", "fx_var_rc"),
            *("unlinked_rc", "billed_rc", "residual_rc"),
        )
    ),
    ("matrix", "n_rows"),
    ("matrix", "booked_net_rc"),
    ("matrix", "billed_net_rc"),
    ("links", "n_links"),
    ("ageing", "balance_rc"),
    ("ageing", "n_documents"),
    ("reps", "quota_rc"),
    ("reps", "won_rc"),
    ("reps", "open_pipeline_rc"),
    ("reps", "won_n"),
    ("activity", "n_activities"),
    ("activity", "n_meetings"),
    ("activity", "n_calls"),
    ("activity", "created_n"),
    ("response", "n_answered"),
    ("failing", "n_failing"),
    ("flags", "n_records"),
}
"""Numbers that are the count or the sum of the list they lead to. The others are of it: a share, a
median, what a rule leaves of a cohort. Bookings at the start and the end of a period lead to the
wins as they are today, exchange rates of an earlier day to what was posted of them until then."""

TILES: dict[str, dict[str, tuple[str, Callable[[Asked], str]]]] = {
    "overview": {
        f"col.{name}": (
            "money",
            lambda asked, name=name: (
                f"select {name} from marts.mart_quota_gap where credit_type = 'revenue' "
                f"and period_key = '{asked.period}' and {asked.scoped}"
            ),
        )
        for name in ("quota_rc", "won_rc", "gap_rc", "open_pipeline_rc", "pace_delta_rc")
    }
    | {
        "overview.unbilled": (
            "money",
            lambda asked: (
                "select sum(booked_net_rc) from marts.mart_deal_billing_recon "
                "where billing_status = 'unbilled_late' "
                f"and {asked.of(owner='owner_user_key', pipeline='pipeline_key')}"
            ),
        ),
        "overview.stalled": (
            "money",
            lambda asked: (
                "select sum(amount_rc) from marts.mart_deal_health where is_stalled "
                f"and {asked.of(owner='owner_user_key', pipeline='pipeline_key')}"
            ),
        ),
    },
    "forecast": {
        "col.forecast_rc": (
            "money",
            lambda asked: (
                "select forecast_rc from marts.mart_forecast where is_now "
                f"and method = 'crm_weighted' and period_key = '{asked.period}' and {asked.scoped}"
            ),
        ),
        "col.target_mismatch_rc": (
            "money",
            lambda asked: (
                "select target_mismatch_rc from marts.mart_quota_gap where "
                f"credit_type = 'revenue' and period_key = '{asked.period}' and {asked.scoped}"
            ),
        ),
    },
    "movement": {
        f"{label}": (
            kind,
            lambda asked, name=name, end=end: (  # type: ignore[misc]
                f"select {name} from marts.mart_pipeline_movement where basis = 'restated' "
                "and window_type = 'period' and movement_view = 'path' and ledger = 'pipeline' "
                f"and row_type = '{end}' and period_key = '{asked.period}' and {asked.bridged}"
            ),
        )
        for label, kind, name, end in (
            ("code.start", "money", "amount_rc", "start"),
            ("code.end", "money", "amount_rc", "end"),
            ("col.slippage_rate", "share", "slippage_rate", "end"),
            ("col.residual_rc", "money", "residual_rc", "end"),
            ("col.no_close_date_rc", "money", "no_close_date_rc", "end"),
        )
    },
    "reconciliation": {
        "recon.candidates": (
            "count",
            lambda asked: (  # noqa: ARG005
                "select count(*) from marts.bridge_deal_invoice where not is_manual "
                "and not is_deleted and method in ('company_amount', 'domain_amount')"
            ),
        ),
    },
    "health": {
        "health.streams": (
            "count",
            lambda asked: (  # noqa: ARG005
                "select count(*) from marts.mart_source_health where is_newest"
            ),
        ),
        "health.errors": (
            "count",
            lambda asked: (  # noqa: ARG005
                "select count(*) from marts.mart_data_health where severity = 'error' "
                "and n_failing > 0"
            ),
        ),
        "health.score": (
            "share",
            lambda asked: (  # noqa: ARG005
                "select cast(max(day_score) as double) from marts.mart_data_health"
            ),
        ),
    },
}
"""Headline numbers with their kind, asked of the marts."""
