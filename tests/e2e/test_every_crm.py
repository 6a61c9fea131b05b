"""The same company in every CRM gives the same marts, but for what a vendor cannot know."""

from collections import defaultdict
from decimal import Decimal

import pytest

from sandbox.company.clock import quarter
from sandbox.company.names import JUNK_LOSS_REASONS
from tests.e2e.every import Every
from tests.e2e.road import differences, keyed
from tests.e2e.vendors import CrmTruth, cases

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("every"), pytest.mark.timeout(900)),
]

CRMS = [case.source for case in cases() if case.crm is not None]
ZERO = Decimal(0)


def truth(every: Every, source: str) -> CrmTruth:
    """What the marts shall hold of a CRM."""
    told = every.cases[source].crm
    assert told is not None
    return told(every.road.company)


def count(every: Every, source: str, mart: str, condition: str = "true") -> int:
    """Rows of a connection that are not deleted."""
    sql = (
        f"select count(*) from marts.{mart} "
        f"where connection = '{source}' and not is_deleted and {condition}"
    )
    return int(every.road.rows(sql)[0][0])


def test_every_stream_of_every_vendor_lands_and_is_published(every: Every) -> None:
    """To its end, without a word of warning, and no check stands in the way."""
    ran = every.road.runs[0]

    streams = [one for sync in ran.syncs for one in sync.streams]
    assert [] == [(one.source, one.stream, one.error) for one in streams if one.error]
    assert all(sync.is_complete for sync in ran.syncs)
    assert every.road.rows("select 1 from marts.fct_deal limit 1")


@pytest.mark.parametrize("source", CRMS)
def test_every_deal_is_what_it_is(every: Every, source: str) -> None:
    """Status, stage, owner, money and dates, deal by deal."""
    expected = truth(every, source).deals

    found = every.road.rows(
        "select deal_key, status, stage_key, owner_user_key, currency_code, amount_amt, "
        "closed_date, expected_close_date, probability, n_reopened, "
        "if(status = 'won', amount_at_won_rc, null) from marts.fct_deal "
        f"where connection = '{source}' and not is_deleted"
    )

    assert len(every.road.company.world.live_deals) == len(expected)
    assert [] == differences(expected, keyed(found))


@pytest.mark.parametrize("source", CRMS)
def test_every_stay_in_a_stage_is_known(every: Every, source: str) -> None:
    """Where the vendor tells the history, each stage and its instant, in order."""
    expected = truth(every, source).stays
    found: dict[str, list[tuple[str, object]]] = defaultdict(list)
    for deal_key, stage_key, entered_at in every.road.rows(
        "select deal_key, stage_key, entered_at from marts.fct_deal_stage "
        f"where connection = '{source}' and not is_deleted and change_precision = 'exact' "
        "order by deal_key, entered_at, stay_no"
    ):
        found[deal_key].append((stage_key, entered_at))

    if expected is None:
        assert {} == found
        return
    assert {} == {
        key: (entries, found.get(key))
        for key, entries in expected.items()
        if entries != found.get(key)
    }


@pytest.mark.parametrize("source", CRMS)
def test_wins_and_losses_of_every_quarter(every: Every, source: str) -> None:
    """The numerator and the denominator of every win rate, by the pipeline's own keys."""
    told_of = truth(every, source)
    reasons = {one.id: one.loss_reason for one in every.road.company.world.live_deals}
    expected: dict[tuple[str, str], list[Decimal | int]] = {}
    for key, deal in told_of.deals.items():
        if deal.closed_date is None:
            continue
        junk = told_of.tells_loss_reasons and any(
            one in key and reason in JUNK_LOSS_REASONS for one, reason in reasons.items()
        )
        pipeline = deal.stage_key.rpartition(":")[0]
        row = expected.setdefault((pipeline, quarter(deal.closed_date)), [0, ZERO, 0])
        if deal.status == "won":
            row[0] += 1
            row[1] += deal.won_rc or ZERO
        elif not junk:
            row[2] += 1

    found = every.road.rows(
        "select member, period_key, won_n, coalesce(won_rc, 0), lost_n "
        "from marts.mart_win_rate where grain = 'quarter' and dimension = 'pipeline' "
        f"and member like '{source}:%' and won_n + lost_n > 0"
    )

    told = {key: tuple(row) for key, row in expected.items() if row[0] or row[2]}
    assert [] == differences(told, keyed(found, keys=2))


def test_what_all_crms_won_is_in_one_quota_gap(every: Every) -> None:
    """One company, one quota; each CRM's wins are counted once."""
    won: dict[str, Decimal] = defaultdict(Decimal)
    for source in CRMS:
        for deal in truth(every, source).deals.values():
            if deal.status == "won" and deal.closed_date is not None:
                won[quarter(deal.closed_date)] += deal.won_rc or ZERO
    quotas = {
        period: of.company.quota for period, of in every.road.company.truth.sales.quarters.items()
    }
    expected = {
        period: (quotas.get(period), won.get(period, ZERO))
        for period in {*quotas, *won}
        if quotas.get(period) or won.get(period)
    }

    found = every.road.rows(
        "select period_key, quota_rc, coalesce(won_rc, 0) from marts.mart_quota_gap "
        "where scope_type = 'company' and credit_type = 'revenue' and period_grain = 'quarter' "
        "and (quota_rc is not null or won_rc is not null)"
    )

    told = {key: values for key, values in keyed(found).items() if any(values)}
    assert [] == differences(expected, told)


@pytest.mark.parametrize("source", CRMS)
def test_quotes_leads_and_diary_are_whole(every: Every, source: str) -> None:
    """Whatever the CRM holds beside its deals, counted."""
    told = truth(every, source)

    assert (*(told.quotes, told.lines, told.leads, told.converted_leads, told.activities),) == (
        count(every, source, "fct_quote"),
        count(every, source, "fct_quote_line"),
        count(every, source, "fct_lead"),
        count(every, source, "fct_lead", "is_converted"),
        count(every, source, "fct_activity"),
    )


@pytest.mark.parametrize("source", CRMS)
def test_who_takes_part_in_a_deal_and_who_shares_in_it(every: Every, source: str) -> None:
    """Contacts in their roles; revenue shares that add up to one, and overlay apart."""
    told = truth(every, source)

    contacts = every.road.rows(
        "select distinct deal_key, source_contact_key, is_primary from marts.bridge_deal_contact "
        f"where connection = '{source}' and valid_to is null and deal_key in "
        "(select deal_key from marts.fct_deal where not is_deleted)"
    )
    shares = every.road.rows(
        "select deal_key, credit_type, user_key, share from marts.bridge_deal_credit "
        f"where connection = '{source}' and not is_default and deal_key in "
        "(select deal_key from marts.fct_deal where not is_deleted)"
    )

    if told.contacts is not None:
        assert told.contacts == set(contacts)
    assert (told.shares or {}) == {tuple(row[:3]): row[3] for row in shares}


def test_a_customer_of_every_crm_is_one_company(every: Every) -> None:
    """Recognised by domain; counted once a CRM, every account would look small."""
    domains = {one.domain for one in every.road.company.world.accounts}

    found = every.road.rows(
        "select domain, count(distinct company_key) from marts.dim_company "
        "where domain is not null group by domain"
    )

    counts = {domain: number for domain, number in found if domain in domains}
    assert dict.fromkeys(domains, 1) == counts
