"""Faults on demand: each kind as a client meets it."""

from __future__ import annotations

import datetime as dt
import email.utils
from collections.abc import Iterator

import httpx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.demo.dialects.savant import HEADER
from backstop.demo.faults import SCENARIOS, Fault, Plan, Rule, Scenario, scenario
from backstop.demo.upstream import Upstream
from backstop.errors import UsageError
from backstop.net.item import Answer
from backstop.sources.savant import pitches as savant_pitches
from tests.demo.frames import pitches, read

DAY = {"all": "true", "type": "details", "game_date_gt": "2025-04-30", "game_date_lt": "2025-04-30"}
KEY = ["game_pk", "at_bat_number", "pitch_number"]


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    with Upstream.start("demo") as server:
        yield server


@pytest.fixture
def client(server: Upstream) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        yield client
    server.set_faults("calm")


def test_rate_limits_name_a_pause_in_seconds_or_as_a_date(server: Upstream, client: httpx.Client):
    server.set_faults("*:429=1x1@7")
    pauses = set()
    for day in range(1, 12):
        answer = client.get("/api/v1/schedule", params={"sportId": 1, "date": f"2025-04-{day:02}"})
        assert answer.status_code == 429
        pauses.add(answer.headers["retry-after"])
    assert "7" in pauses
    assert any(email.utils.parsedate_to_datetime(pause) for pause in pauses - {"7"})


def test_errors_come_in_each_feeds_own_words(server: Upstream, client: httpx.Client):
    server.set_faults("*:500=1")
    mlb = client.get("/api/v1/schedule", params={"sportId": 1, "date": "2025-04-30"})
    assert mlb.status_code == 500
    assert mlb.content.startswith(b"\xef\xbb\xbf{")
    odds = client.get("/v4/sports/baseball_mlb/events")
    assert (odds.status_code, set(odds.json())) == (500, {"message", "error_code", "details_url"})
    assert client.get("/statcast_search/csv", params=DAY).text.startswith("<!DOCTYPE html>")


def test_a_feed_that_is_down_leaves_the_others_alone(server: Upstream, client: httpx.Client):
    server.set_faults("savant:503=1x1000")
    assert {client.get("/statcast_search/csv", params=DAY).status_code for _ in range(4)} <= {502, 503}
    assert client.get("/api/v1/schedule", params={"sportId": 1, "date": "2025-04-30"}).is_success


@pytest.mark.parametrize("fault", ["reset", "cut-off"])
def test_a_broken_connection_is_an_error_of_the_transport(server: Upstream, client: httpx.Client, fault: str):
    server.set_faults(f"savant:{fault}=1x1")
    with pytest.raises(httpx.TransportError):
        client.get("/statcast_search/csv", params=DAY)
    assert client.get("/statcast_search/csv", params=DAY).is_success


def test_a_shortened_body_looks_whole_to_http(server: Upstream, client: httpx.Client):
    whole = client.get("/statcast_search/csv", params=DAY).content
    server.set_faults("savant:shortened=1x1")
    short = client.get("/statcast_search/csv", params=DAY)
    assert short.is_success
    assert int(short.headers["content-length"]) == len(short.content) < len(whole)
    assert whole.startswith(short.content)


def test_a_wrong_length_loses_the_end_of_the_body(server: Upstream, client: httpx.Client):
    path = "/api/v1/teams"
    whole = client.get(path).content
    server.set_faults("statsapi:wrong-length=1x1")
    assert whole.startswith(short := client.get(path).content)
    assert len(short) < len(whole)


@pytest.mark.parametrize(("fault", "start"), [("html", b"<!DOCTYPE"), ("empty", b""), ("error-column", b'"error"\n')])
def test_answers_that_are_no_data_still_say_200(server: Upstream, client: httpx.Client, fault: str, start: bytes):
    server.set_faults(f"savant:{fault}=1x1")
    answer = client.get("/statcast_search/csv", params=DAY)
    assert answer.status_code == 200
    assert answer.content[: len(start) or None] == start


@pytest.mark.parametrize("fault", ["drip", "slow"])
def test_late_answers_are_whole(server: Upstream, client: httpx.Client, fault: str):
    whole = client.get("/statcast_search/csv", params=DAY).content
    server.set_faults(f"savant:{fault}=1x1@0.3")
    late = client.get("/statcast_search/csv", params=DAY)
    assert late.content == whole
    assert late.elapsed.total_seconds() >= 0.25


def test_a_request_is_left_in_peace_after_so_many_faults(server: Upstream, client: httpx.Client):
    server.set_faults("savant:503=1x3")
    states = [client.get("/statcast_search/csv", params=DAY).is_success for _ in range(5)]
    assert states == [False, False, False, True, True]
    assert server.stats()["faults"]["503"] >= 3


def test_credits_run_out_before_they_are_spent(server: Upstream, client: httpx.Client):
    event = client.get("/v4/sports/baseball_mlb/events").json()[1]["id"]
    params = {"apiKey": "k", "markets": "batter_hits,batter_walks,pitcher_strikeouts", "regions": "us"}
    server.set_faults("broke")
    left = []
    for _ in range(14):
        answer = client.get(f"/v4/sports/baseball_mlb/events/{event}/odds", params=params)
        if answer.is_success:
            left.append(int(answer.headers["x-requests-remaining"]))
        else:
            assert (answer.status_code, answer.json()["error_code"]) == (401, "OUT_OF_USAGE_CREDITS")
            assert "x-requests-remaining" not in answer.headers
    assert left == list(range(37, 0, -3))


def test_drift_brings_and_takes_columns_in_mid_season(server: Upstream, client: httpx.Client):
    server.set_faults("drift")
    assert tuple(pitches(client, "2025-04-19").columns) == HEADER
    new = pitches(client, "2025-04-22").columns
    assert new[new.index("swing_length") + 1] == "miss_distance"
    assert new[-1] == "swing_plane_index"
    assert "umpire" not in new


def test_repeated_and_impossible_rows_come_on_top_of_the_true_ones(server: Upstream, client: httpx.Client):
    true = read(client.get("/statcast_search/csv", params=DAY).content)
    server.set_faults("storm")
    found = None
    for _ in range(20):
        try:
            answer = client.get("/statcast_search/csv", params=DAY)
        except httpx.TransportError:
            continue
        if answer.is_success and answer.headers["content-type"].startswith("application/download"):
            found = read(answer.content)
            if len(found) > len(true):
                break
    assert found is not None
    assert len(found) > found.select(KEY).unique().height
    ghosts = found.filter(pl.col("at_bat_number").cast(pl.Int64) >= 900)
    assert len(ghosts) >= 1
    assert ghosts["release_speed"].cast(pl.Float64).drop_nulls().min() > 200
    sound = found.filter(pl.col("at_bat_number").cast(pl.Int64) < 900).unique(maintain_order=True)
    assert sound.select(true.columns[:2]).height == len(true)


def test_a_revised_day_is_complete_when_it_is_asked_again(server: Upstream, client: httpx.Client):
    server.set_faults("revised")
    first, second = pitches(client, "2025-05-01"), pitches(client, "2025-05-01")
    assert first["game_pk"].n_unique() == second["game_pk"].n_unique() - 1
    assert first["pitch_type"].null_count() == 0 < second["pitch_type"].null_count()


def test_drift_and_revision_begin_on_a_day_of_their_own(server: Upstream, client: httpx.Client):
    server.set_faults("rows:drift=2025-04-30,rows:revised=2025-04-03")
    assert "swing_plane_index" not in pitches(client, "2025-04-29").columns
    assert "swing_plane_index" in pitches(client, "2025-04-30").columns
    assert len(pitches(client, "2025-04-03")) < len(pitches(client, "2025-04-03"))
    assert len(pitches(client, "2025-04-02")) == len(pitches(client, "2025-04-02"))
    server.set_faults("rows:revised=2025-04-03")
    assert len(pitches(client, "2025-04-03")) < len(pitches(client, "2025-04-03")), "what was asked is forgotten"


def test_shuffled_rows_are_the_same_rows_in_another_order_each_time(server: Upstream, client: httpx.Client):
    calm = pitches(client, "2025-04-30")
    server.set_faults("rows:shuffled")
    first, second = pitches(client, "2025-04-30"), pitches(client, "2025-04-30")
    assert not first.equals(second)
    assert first.sort(first.columns).equals(second.sort(second.columns))
    assert first.sort(first.columns).equals(calm.sort(calm.columns))


@pytest.mark.parametrize("text", ["rows:drift=2025-02-30", "rows:revised=2025-13-01"])
def test_a_fault_from_a_day_that_does_not_exist_is_refused(text: str):
    with pytest.raises(UsageError, match="not a date"):
        scenario(text)


def test_the_era_of_2020_repeats_columns_and_spells_nulls(server: Upstream, client: httpx.Client):
    today = read(client.get("/statcast_search/csv", params=DAY).content)
    server.set_faults("rows:era-2020")
    body = client.get("/statcast_search/csv", params=DAY).content
    head, first = body.decode().split("\n", 2)[:2]
    columns = head.replace('"', "").split(",")
    assert len(columns) == 89
    assert [name for name in columns if columns.count(name) > 1] == ["pitcher", "pitcher", "fielder_2", "fielder_2"]
    assert "null" in first.split(",")
    (item,) = savant_pitches.plan([dt.date(2025, 4, 30)])
    parsed = savant_pitches.parse(Answer(item, 200, body, dt.datetime(2025, 5, 2, tzinfo=dt.UTC), "0" * 64))
    assert len(parsed.frame) == len(today)
    assert "bat_speed" in parsed.drift.gone


def test_a_row_cap_cuts_the_answer_without_a_word(server: Upstream, client: httpx.Client):
    whole = read(client.get("/statcast_search/csv", params=DAY).content)
    server.set_faults("rows:row-cap=1000")
    assert read(client.get("/statcast_search/csv", params=DAY).content).equals(whole.head(1000))


@pytest.mark.parametrize(
    "text", ["rows:row-cap=0", "rows:row-cap", "rows:duplicates=7", "rows:locusts", "rows:drift=1", "rows:shuffled=1"]
)
def test_unknown_faults_of_rows_are_refused(text: str):
    with pytest.raises(UsageError, match="rows:row-cap"):
        scenario(text)


def test_unknown_faults_are_refused_with_the_known_ones(server: Upstream):
    with pytest.raises(UsageError, match=r"savant:html=0\.2"):
        server.set_faults("savant:locusts=1")
    with pytest.raises(UsageError):
        scenario("savant:html=2")


@given(requests=st.lists(st.sampled_from("abcdefgh"), max_size=80), seed=st.integers(0, 2**32))
def test_what_strikes_a_request_does_not_depend_on_the_order_of_others(requests: list[str], seed: int):
    rules = (Rule("*", Fault.HTML, 0.3), Rule("savant", Fault.RESET, 0.4))

    def outcome(order: list[str]) -> dict[str, list[Fault | None]]:
        plan, seen = Plan(Scenario("x", rules), seed), {}
        for request in order:
            rule = plan.decide("savant", request)
            seen.setdefault(request, []).append(rule.fault if rule else None)
        return seen

    assert outcome(requests) == outcome(sorted(requests))


@given(seed=st.integers(0, 2**32), request=st.text(max_size=20))
def test_nobody_is_struck_for_ever(seed: int, request: str):
    plan = Plan(Scenario("x", SCENARIOS["storm"].rules), seed)
    outcomes = [plan.decide("theodds", request) for _ in range(60)]
    assert sum(rule is not None for rule in outcomes) <= 2
