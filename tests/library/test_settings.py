"""Settings: read from the environment, refused by name when they make no sense, silent about what is secret."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from backstop.settings import LIVE_HOSTS, STATCAST_SINCE, Feed, Settings


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """No settings of the developer's: an empty folder without a .env, no variables."""
    import os

    for name in [name for name in os.environ if name.startswith("BACKSTOP_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_any_setting_the_live_feeds_are_asked_and_everything_is_kept_below_one_folder():
    settings = Settings()
    assert (settings.upstream, str(settings.home), settings.redis_url) == ("live", ".backstop", None)
    assert {feed: settings.url_of(feed) for feed in Feed} == {feed: url.rstrip("/") for feed, url in LIVE_HOSTS.items()}
    for path in (settings.ledger_file, settings.lake_dir, settings.archive_dir):
        assert path.parent == settings.home


def test_the_environment_goes_before_the_file_and_what_is_passed_before_both(bare, monkeypatch):
    (bare / ".env").write_text("BACKSTOP_CREDIT_FLOOR=7\nBACKSTOP_API_PORT=9001\nOTHER=1\n")
    assert (Settings().credit_floor, Settings().api_port) == (7, 9001)
    monkeypatch.setenv("BACKSTOP_CREDIT_FLOOR", "8")
    assert (Settings().credit_floor, Settings().api_port) == (8, 9001)
    assert Settings(credit_floor=9).credit_floor == 9
    assert Settings(_env_file=None).api_port == 8090


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPORTRADAR_ACCESS", "free"), ("SPORTRADAR_ACCESS", "trial\n"), ("SPORTRADAR_VERSION", "v9"),
        ("REQUEST_TIMEOUT_S", "0"), ("REQUEST_TIMEOUT_S", "soon"), ("REQUEST_BUDGET_S", "-1"),
        ("CREDIT_FLOOR", "-1"), ("CREDIT_FLOOR", "1.5"), ("HISTORY_FIRST_SEASON", str(STATCAST_SINCE - 1)),
        ("STORE_CODEC", "gzip"), ("STORE_CODEC", ""), ("UNMATCHED_NAMES_LIMIT", "1.01"), ("UNMATCHED_NAMES_LIMIT", "nan"),
        ("API_PORT", "65536"), ("API_PORT", "-1"), ("API_REQUESTS_PER_S", "0"), ("CACHE_MB", "0"),
        ("TASK_RUNNER", "processes"), ("TASK_RUNNER", "dask:0"), ("TASK_RUNNER", "dask:1000"), ("TASK_RUNNER", "dask:tcp://host"),
        ("ODDS_ALTERNATES", "perhaps"), ("ODDS_MARKETS", "batter hits"), ("ODDS_MARKETS", ""), ("ODDS_MARKETS", "a,,b"),
        ("UPSTREAM", ""), ("UPSTREAM", "Live"), ("UPSTREAM", "recorded:"), ("UPSTREAM", "ftp://x"),
        ("UPSTREAM", "http:feeds.example"), ("UPSTREAM", "https://"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused_by_its_name(monkeypatch, name, value):
    monkeypatch.setenv(f"BACKSTOP_{name}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [str(each["loc"][0]).upper() for each in refused.value.errors()] == [name]


@pytest.mark.parametrize(
    "value", ["threads", "dask:1", "dask:999", "dask:tcp://10.0.0.5:8786", "dask:tls://cluster:8786"]
)
def test_where_mapped_tasks_may_run(value):
    assert Settings(task_runner=value).task_runner == value


SECRETS = ("theodds_key", "sportradar_key", "notify_url", "api_keys")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_in_nothing_that_is_printed_or_dumped(monkeypatch, name):
    monkeypatch.setenv(f"BACKSTOP_{name.upper()}", "geheim-0ddba11")
    settings = Settings()
    assert getattr(settings, name).get_secret_value() == "geheim-0ddba11"
    for shown in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert "geheim" not in shown


def test_only_paid_feeds_have_keys_each_its_own():
    settings = Settings(theodds_key=SecretStr("o"), sportradar_key=SecretStr("s"))
    keys = {feed: settings.key_of(feed) for feed in Feed}
    assert {feed: key.get_secret_value() for feed, key in keys.items() if key} == {
        Feed.THEODDS: "o",
        Feed.SPORTRADAR: "s",
    }
    assert all(Settings().key_of(feed) is None for feed in Feed)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8765", "https://feeds.example/league"])
def test_a_server_that_speaks_all_dialects_is_asked_for_every_feed(base):
    settings = Settings(savant_url="https://elsewhere.example").pointed_at(base + "/")
    assert {settings.url_of(feed) for feed in Feed} == {base}
    assert Settings(savant_url="https://elsewhere.example/").url_of(Feed.SAVANT) == "https://elsewhere.example"


def test_settings_do_not_change_and_a_copy_leaves_them_as_they_were():
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.api_port = 1
    assert settings.pointed_at("http://127.0.0.1:1").upstream == "http://127.0.0.1:1"
    assert settings.upstream == "live"


def test_every_setting_says_what_it_is():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
