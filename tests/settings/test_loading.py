"""Settings: everything wrong is named at once, with its place, before any network call."""

import json
import socket
from pathlib import Path

import pytest
import yaml

from connectors.base.errors import ConfigError
from pipeledger.project import ROOT
from pipeledger.settings import Loaded, Settings, load_settings
from pipeledger.settings.show import shown
from pipeledger.warehouse import dbt_vars

TOKEN = "pat-eu1-0f9e8d7c-canary-6b5a"
HUBSPOT = "PIPELEDGER__SOURCES__HUBSPOT__CRM__TOKEN"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to connect fails the test: settings are checked before that."""

    def refuse(*_args: object) -> None:
        pytest.fail("settings must not touch the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def load(folder: Path, text: str, **environment: str) -> Loaded:
    path = folder / "pipeledger.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environment)


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    """The lines of the refusal, the file's folder left out of them."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environment)
    return [line.strip().replace(f"{folder}/", "") for line in str(caught.value).splitlines()[1:]]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """C-01..C-08: a user who mends one mistake per run gives up after the third."""
    text = """
[company]
reporting_curency = "EUR"
time_zone = "Europe/Berln"

[schedule]
cron = "every hour"

[sources.hubspott.crm]

[sources.hubspot.crm]
base_url = "http://api.hubapi.com"
streems = []
"""

    found = problems(tmp_path, text)

    assert [
        (
            "pipeledger.toml:3: company.reporting_curency: unknown key, "
            "did you mean 'reporting_currency'?"
        ),
        (
            "pipeledger.toml:4: company.time_zone: 'Europe/Berln' is no IANA time zone, "
            "such as Europe/Berlin"
        ),
        "pipeledger.toml:7: schedule.cron: 'every hour' is no cron expression, such as '5 * * * *'",
        "pipeledger.toml:9: sources.hubspott: unknown source, did you mean 'hubspot'?",
        (
            "pipeledger.toml:11: sources.hubspot.crm: give `token`, or all of `client_id`, "
            f"`client_secret` and `refresh_token` (set {HUBSPOT} or "
            "PIPELEDGER__SOURCES__HUBSPOT__CRM__CLIENT_SECRET or "
            "PIPELEDGER__SOURCES__HUBSPOT__CRM__REFRESH_TOKEN, or with _FILE)"
        ),
        (
            "pipeledger.toml:12: sources.hubspot.crm.base_url: http sends the credential "
            "in the open; use https (http is for 127.0.0.1 only)"
        ),
        "pipeledger.toml:13: sources.hubspot.crm.streems: unknown key, did you mean 'streams'?",
    ] == found


def test_an_unknown_key_of_a_files_table_gets_a_hint(tmp_path: Path) -> None:
    """The mapping of an export is the longest part of the settings, so where typos are."""
    (tmp_path / "inbox").mkdir()
    text = '[sources.files.plan]\nfolder = "inbox"\n[sources.files.plan.tables.deals]\n'
    text += 'path = "d.csv"\nfootter = "Total"\n'

    found = problems(tmp_path, text)

    assert [
        (
            "pipeledger.toml:5: sources.files.plan.tables.deals.footter: unknown key, "
            "did you mean 'footer'?"
        )
    ] == found


@pytest.mark.parametrize("value", ["", "  ", "<your token>", "changeme", "xxxx", "YOUR-TOKEN"])
def test_an_empty_or_placeholder_secret_names_its_variable(tmp_path: Path, value: str) -> None:
    """C-02: sent to the vendor, a placeholder comes back as a puzzling 401."""
    found = problems(tmp_path, "[sources.hubspot.crm]\n", **{HUBSPOT: value})

    expected = (
        f"variable {HUBSPOT}: sources.hubspot.crm.token: is empty or a placeholder; "
        f"set {HUBSPOT} or {HUBSPOT}_FILE"
    )
    assert expected in found


def test_a_missing_secret_names_its_variable(tmp_path: Path) -> None:
    """C-02: the reader must learn what to set, not only that something is missing."""
    found = problems(tmp_path, "[sources.stripe.billing]\n")

    variable = "PIPELEDGER__SOURCES__STRIPE__BILLING__API_KEY"
    assert [
        (
            f"pipeledger.toml:1: sources.stripe.billing.api_key: is missing; set {variable} "
            f"or {variable}_FILE"
        )
    ] == found


def test_a_secret_file_is_read_and_its_newline_dropped_with_a_note(tmp_path: Path) -> None:
    """Editors end files with a newline; sent along, it makes every request a 401."""
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")
    secret.chmod(0o600)

    loaded = load(tmp_path, "[sources.hubspot.crm]\n", **{f"{HUBSPOT}_FILE": str(secret)})

    assert TOKEN == loaded.settings.connections[0].settings.token.get_secret_value()
    assert ("sources.hubspot.crm.token: white space around the value was dropped",) == loaded.notes


def test_a_secret_file_that_others_may_read_is_noted(tmp_path: Path) -> None:
    """X-08: a secret that anyone on the machine can read is no secret."""
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    secret.chmod(0o644)

    loaded = load(tmp_path, '[sources.hubspot.crm]\ntoken_file = "token"\n')

    assert [True] == ["others may read" in note for note in loaded.notes]


def test_a_missing_secret_file_is_named_once(tmp_path: Path) -> None:
    """The value that stands in for the missing one must raise no second complaint."""
    found = problems(tmp_path, '[sources.hubspot.crm]\ntoken_file = "nowhere"\n')

    assert [
        (
            "pipeledger.toml:2: sources.hubspot.crm.token_file: the file nowhere cannot be read: "
            "No such file or directory"
        )
    ] == found


def test_a_refusal_never_shows_a_secret(tmp_path: Path) -> None:
    """X-04: settings errors are pasted into tickets."""
    text = f'[sources.hubspot.crm]\ntoken = "{TOKEN}"\nclient_secret = "{TOKEN}"\n'
    text += f'[sources.stripe.billing]\napi_key = "{TOKEN}"\naccount = "{TOKEN}"\n'

    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    assert "canary" not in str(caught.value)
    assert "api_key must begin with" in str(caught.value)


def test_the_environment_wins_and_config_show_says_so(tmp_path: Path) -> None:
    """C-09: when file and environment disagree, somebody will ask which one counts."""
    text = '[company]\nname = "File"\ntime_zone = "UTC"\n'

    loaded = load(tmp_path, text, PIPELEDGER__COMPANY__NAME="Environment")

    assert "Environment" == loaded.settings.company.name
    places = {one.key: one.origin for one in shown(loaded)}
    assert "variable PIPELEDGER__COMPANY__NAME" == places["company.name"]
    assert f"{tmp_path}/pipeledger.toml:3" == places["company.time_zone"]
    assert "default" == places["company.reporting_currency"]


def test_a_secret_variable_wins_over_the_files_secret_file(tmp_path: Path) -> None:
    """Both forms name one value; the stale file must not hide the fresh variable."""
    (tmp_path / "token").write_text("pat-eu1-stale-stale")

    loaded = load(tmp_path, '[sources.hubspot.crm]\ntoken_file = "token"\n', **{HUBSPOT: TOKEN})

    assert TOKEN == loaded.settings.connections[0].settings.token.get_secret_value()


def test_config_show_masks_secrets(tmp_path: Path) -> None:
    """X-04: `config show` is made to be shared."""
    loaded = load(tmp_path, "[sources.hubspot.crm]\n", **{HUBSPOT: TOKEN})

    text = json.dumps([(one.key, one.value, one.origin) for one in shown(loaded)])

    assert "canary" not in text
    assert "sources.hubspot.crm.token" in text


def test_a_retention_rule_stands_for_mail_and_activities_alone(tmp_path: Path) -> None:
    """Money and stages are kept for ever, and a misspelt stream must not look like a rule."""
    text = (
        '[retention.hubspot]\ndeals = "24 months"\ncalls = "2 weeks"\nemails = "12 months"\n'
        '[retention.stripe]\ninvoices = "10 years"\n[retention.imap]\nmessage = "30 days"\n'
    )

    found = problems(tmp_path, text)

    assert ["pipeledger.toml:3: retention.hubspot.calls"] == [
        line.partition(": '2 weeks'")[0] for line in found
    ]
    mended = problems(tmp_path, text.replace("2 weeks", "14 days"))
    assert [
        "pipeledger.toml:2: retention.hubspot.deals",
        "pipeledger.toml:6: retention.stripe.invoices",
        "pipeledger.toml:8: retention.imap.message",
    ] == [line.partition(": its records")[0] for line in mended]
    assert mended[0].endswith("calls, emails, meetings, notes, tasks")


def test_two_won_stages_in_one_pipeline_are_refused(tmp_path: Path) -> None:
    """C-07: with two, a deal that moves from one to the other is won twice."""
    stage = '[[stages]]\nconnection = "crm"\npipeline_id = "p"\nstage_id = "{}"\ntype = "won"\n'
    text = "[sources.hubspot.crm]\n" + stage.format("won") + stage.format("signed")

    found = problems(tmp_path, text, **{HUBSPOT: TOKEN})

    assert [
        (
            "pipeledger.toml:7: stages.1: a second won stage of pipeline crm:p beside won, "
            "a deal is won in one place"
        )
    ] == found


def test_a_stage_of_an_unknown_connection_is_refused(tmp_path: Path) -> None:
    """A rule that applies to nothing looks applied."""
    text = '[sources.hubspot.crm]\n[[stages]]\nconnection = "crn"\nstage_id = "a"\ntype = "open"\n'

    found = problems(tmp_path, text, **{HUBSPOT: TOKEN})

    assert [
        "pipeledger.toml:3: stages.0.connection: there is no connection 'crn', did you mean 'crm'?"
    ] == found


def test_two_connections_that_supersede_each_other_are_refused(tmp_path: Path) -> None:
    """Then what both hold would count in neither."""
    rule = '[[billing.superseded]]\nconnection = "{}"\nby = "{}"\n'
    text = "[sources.hubspot.crm]\n" + rule.format("crm", "crm") + rule.format("crm", "crn")

    found = problems(tmp_path, text, **{HUBSPOT: TOKEN})

    assert [
        "pipeledger.toml:2: billing.superseded.0: crm and crm would supersede each other",
        (
            "pipeledger.toml:7: billing.superseded.1.by: there is no connection 'crn', "
            "did you mean 'crm'?"
        ),
    ] == found


def test_a_superseded_invoice_or_connection_is_named(tmp_path: Path) -> None:
    """A rule that names neither, or both, would apply to nothing or to all."""
    text = '[sources.hubspot.crm]\n[[billing.superseded]]\nby = "crm:1"\n'

    (found,) = problems(tmp_path, text, **{HUBSPOT: TOKEN})

    assert "give either `invoice` or `connection`" in found


@pytest.mark.parametrize(
    ("code", "hint"), [("eur", ", did you mean EUR?"), ("EURO", ""), ("XXQ", "")]
)
def test_an_unknown_currency_is_refused(tmp_path: Path, code: str, hint: str) -> None:
    """C-03: every amount of the marts would be converted to nothing."""
    found = problems(tmp_path, f'[company]\nreporting_currency = "{code}"\n')

    assert [
        f"pipeledger.toml:2: company.reporting_currency: {code!r} is no ISO 4217 currency code"
        + hint
    ] == found


def test_overlapping_fiscal_periods_are_both_named(tmp_path: Path) -> None:
    """C-05: a day in two quarters is counted in both."""
    entry = (
        '[[company.fiscal_year.periods]]\nkey = "{}"\ngrain = "month"\nstart = {}\nend = {}\n'
        "fiscal_year = 2027\nfiscal_quarter = 1\nfiscal_month = {}\n"
    )
    text = '[company.fiscal_year]\npattern = "custom"\n'
    text += entry.format("FY2027-M01", "2026-02-01", "2026-03-05", 1)
    text += entry.format("FY2027-M02", "2026-03-01", "2026-03-31", 2)

    found = problems(tmp_path, text)

    assert 1 <= len([one for one in found if "FY2027-M01" in one and "FY2027-M02" in one])
    assert all(one.startswith("pipeledger.toml:1: company.fiscal_year") for one in found)


def test_a_duplicate_quota_shows_both_lines(tmp_path: Path) -> None:
    """C-04: summed, a doubled row is a doubled target; dropped, nobody learns of it."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "quotas.csv").write_text(
        "scope_type,scope_id,period,amount,currency_code\n"
        "user,ann@example.com,FY2027-Q1,100,EUR\n"
        "user,bob@example.com,FY2027-Q1,100,EUR\n"
        "user,ann@example.com,FY2027-Q1,200,EUR\n"
    )
    text = '[sources.files.plan]\nfolder = "inbox"\n[sources.files.plan.tables.quotas]\n'
    text += 'path = "quotas.csv"\n'

    found = problems(tmp_path, text)

    assert 1 == len(found)
    assert "pipeledger.toml:3: sources.files.plan.tables.quotas" in found[0]
    assert "2" in found[0].rpartition("stands at")[2]
    assert "4" in found[0].rpartition("stands at")[0]


def test_one_name_for_two_connections_is_refused(tmp_path: Path) -> None:
    """Keys begin with the connection's name; two of one name would mix their records."""
    (tmp_path / "inbox").mkdir()
    text = '[sources.hubspot.crm]\n[sources.files.crm]\nfolder = "inbox"\ntables = {}\n'

    found = problems(tmp_path, text, **{HUBSPOT: TOKEN})

    assert [
        (
            "pipeledger.toml:2: sources.files.crm: the name crm is taken by sources.hubspot.crm; "
            "keys begin with it"
        )
    ] == found


def test_settings_of_another_version_are_refused_with_how_to_mend_them(tmp_path: Path) -> None:
    """C-10: keys of another version would be reported as twenty typos."""
    with pytest.raises(ConfigError, match=r":1: version: settings of version 2.*newer release"):
        load(tmp_path, 'version = 2\n[companies]\nnom = "x"\n')
    with pytest.raises(ConfigError, match=r":1: version: settings of version '1'.*example\.toml"):
        load(tmp_path, 'version = "1"\n')


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    """C-11: Notepad writes both."""
    path = tmp_path / "pipeledger.toml"
    path.write_bytes(b'\xef\xbb\xbf[company]\r\nname = "Acme"\r\n')

    loaded = load_settings(path, {})

    assert "Acme" == loaded.settings.company.name


def test_text_that_is_no_toml_says_where(tmp_path: Path) -> None:
    """The parser's own place is the best there is."""
    with pytest.raises(ConfigError, match=r"pipeledger\.toml: not valid TOML: .*line 2"):
        load(tmp_path, '[company]\nname = "open\n')


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    """The first thing that a new user sees."""
    with pytest.raises(ConfigError, match="pipeledger init"):
        load_settings(tmp_path / "pipeledger.toml", {})


def test_relative_paths_count_from_the_settings_file(tmp_path: Path) -> None:
    """Cron starts elsewhere than a person does; both must find the same landing."""
    loaded = load(tmp_path, '[paths]\nserving = "out"\n')

    assert tmp_path / "out" == loaded.settings.paths.serving
    assert str(tmp_path / "data/landing") == loaded.settings.paths.landing


def test_landing_on_object_storage_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """A sync could write there, and the build after it would fail for want of a reader."""
    (found,) = problems(tmp_path, '[paths]\nlanding = "s3://bucket/landing"\n')

    assert found.startswith("pipeledger.toml:2: paths.landing: s3://bucket/landing is no folder.")
    assert "not supported" in found


def test_what_shapes_a_mart_is_checked_before_anything_runs(tmp_path: Path) -> None:
    """A touch that is misspelt would quietly take its share from nobody."""
    told = problems(
        tmp_path,
        '[attribution]\ntouches = ["lead", "webinar"]\nhalf_life_days = 0\n'
        "[reps]\nprivacy_k = -1\n",
    )

    assert 3 == len(told)
    assert "attribution.touches" in told[0]
    assert "attribution.half_life_days" in told[1]
    assert "reps.privacy_k" in told[2]
    assert problems(tmp_path, "[attribution]\ntouches = []\n")


def test_the_models_get_what_the_settings_say_and_else_what_dbt_alone_would_take(
    tmp_path: Path,
) -> None:
    """Two defaults of one number would make the unit tests pin what no build does."""
    text = (
        '[attribution]\ntouches = ["deal", "lead", "deal"]\nhalf_life_days = 14\n'
        "[reps]\nprivacy_k = 3\n"
    )
    given = json.loads(dbt_vars(load(tmp_path, text).settings))
    names = {"attribution_touches", "attribution_half_life_days", "rep_privacy_k"}

    own = json.loads(dbt_vars(Settings()))
    declared = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]

    told = (given["attribution_touches"], given["attribution_half_life_days"])
    assert (["deal", "lead"], 14, 3) == (*told, given["rep_privacy_k"])
    shared = (names | set(Settings().thresholds.model_dump())) & set(declared)
    assert names <= shared
    assert {name: declared[name] for name in shared} == {name: own[name] for name in shared}


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("postgresql://me:hunter2hunter2@db.example.com/sales", "add sslmode=verify-full"),
        ("host=db.example.com sslmode=require password=hunter2hunter2", "add sslmode=verify-full"),
        ("hunter2hunter2", "is no connection string"),
    ],
)
def test_a_connection_string_is_held_to_a_checked_server_and_never_shown(
    tmp_path: Path, dsn: str, said: str
) -> None:
    """Without a check whoever stands in between gets the password and the marts."""
    found = problems(tmp_path, "", PIPELEDGER__SERVING__POSTGRES__DSN=dsn)

    assert 1 == len(found)
    assert "serving.postgres.dsn" in found[0]
    assert said in found[0]
    assert "hunter2" not in found[0]


def test_a_server_on_this_machine_or_one_that_is_checked_is_taken(tmp_path: Path) -> None:
    """A socket and the loopback need no certificate."""
    for dsn in (
        "dbname=sales",
        "host=/run/postgresql dbname=sales",
        "postgresql://me:hunter2hunter2@127.0.0.1/sales",
        "postgresql://me:hunter2hunter2@db.example.com/sales?sslmode=verify-full",
    ):
        loaded = load(tmp_path, "", PIPELEDGER__SERVING__POSTGRES__DSN=dsn)

        assert loaded.settings.serving.postgres is not None
        assert "hunter2" not in str(shown(loaded))
