from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.api.generation import choose
from backstop.api.parts import Run
from backstop.clock import baseball_day
from backstop.props.calibration import Platt
from backstop.props.fitted import Fitted
from backstop.props.generate import generate
from backstop.props.price import price
from tests.api.serving import DAY, Refresher, parts_over, publish, serving
from tests.store.servers import wait_for

AT = "/api/v1/optimized/baseball-savant/generate-props"


def test_props_made_now_are_those_that_the_flow_published(api, frames):
    told = api.post(AT, params={"max_players": 100}).json()
    assert (told["state"], told["date"], told["version"]) == ("fresh", str(DAY), 1)
    made = pl.DataFrame(told["props"], infer_schema_length=None).with_columns(
        pl.col("game_date", "as_of").str.to_date()
    )
    made = made.select(pl.col(name).cast(dtype) for name, dtype in tables.PROPS.schema.items()).sort("prop_id")
    assert made.equals(frames["props"].sort("prop_id"))
    assert told["counts"]["props"] == made.height
    assert told["counts"]["priced"] == made.filter(pl.col("books") > 0).height > 0
    assert told["counts"]["players"] == told["counts"]["players_in_slate"] == made["player_id_mlbam"].n_unique()
    assert told["timing"]["total_ms"] >= told["timing"]["generate_ms"] > 0


def test_props_made_now_are_those_of_the_fit_behind_the_slate(api, redis, frames, features, quoted, meta):
    shipped = Fitted.shipped()
    platt = shipped.calibration.model_copy(update={"version": "own", "markets": {"batter_hits": Platt(intercept=1.5)}})
    own = dataclasses.replace(shipped, calibration=platt)
    mine = price(generate(features, lines=quoted, fitted=own), quoted)
    day = DAY + dt.timedelta(days=1)
    publish(redis, {**frames, "props": mine}, day=day, run_id="own", meta={**meta, **own.told()})
    told = api.post(AT, params={"max_players": 100, "date": str(day)}).json()
    assert told["model_version"] == own.version
    made = {each["prop_id"]: each["prob_over"] for each in told["props"]}
    assert made == dict(mine.select("prop_id", "prob_over").iter_rows())


def test_the_players_with_the_best_props_come_first_and_no_more_than_asked_for(api, frames):
    told = api.post(AT, params={"max_players": 3}).json()
    best = frames["props"].sort(["ev_per_unit", "prop_id"], descending=[True, False], nulls_last=True)
    wanted = best["player_id_mlbam"].unique(maintain_order=True).to_list()[:3]
    assert {each["player_id_mlbam"] for each in told["props"]} == set(wanted)
    assert told["counts"]["players"] == 3


def test_a_choice_has_everybody_once_and_those_without_props_last():
    features = pl.DataFrame({"player_id_mlbam": [5, 3, 3, 9]})
    sheet = pl.DataFrame({"player_id_mlbam": [9, 5, 9, 77]})
    assert choose(features, sheet, 10) == [9, 5, 3]
    assert choose(features, sheet, 1) == [9]
    assert choose(pl.DataFrame(), pl.DataFrame(), 5) == []


@pytest.mark.parametrize("query", [{"max_players": 0}, {"max_players": 2001}, {"max_players": "many"}, {"wait_s": -1}])
def test_numbers_out_of_bounds_are_refused(api, query):
    assert api.post(AT, params=query).status_code == 422


def test_without_prefect_a_forced_refresh_is_refused_with_a_sentence(api):
    answer = api.post(AT, params={"force_refresh": True})
    assert answer.status_code == 409
    assert "PREFECT_API_URL" in answer.json()["detail"]


@pytest.fixture
def refreshing(embedded_url, published, quoted):
    refresher = Refresher()
    with serving(parts_over(embedded_url, quoted, refresher=refresher)) as client:
        client.refresher = refresher
        yield client


def test_a_forced_refresh_starts_one_run_however_often_it_is_asked_for(refreshing):
    first = refreshing.post(AT, params={"force_refresh": True})
    again = refreshing.post(AT, params={"force_refresh": True})
    assert first.status_code == 202
    assert first.json()["id"] == again.json()["id"] == "run-1"
    assert first.headers["location"] == first.json()["url"] == "http://127.0.0.1:4200/runs/flow-run/run-1"
    other = refreshing.post(AT, params={"force_refresh": True}, headers={"Idempotency-Key": "mine-1"})
    assert (other.json()["id"], other.json()["idempotency_key"]) == ("run-2", "mine-1")
    assert refreshing.post(AT, headers={"Idempotency-Key": "two words"}).status_code == 422
    elsewhere = {"force_refresh": True, "date": str(DAY + dt.timedelta(days=1))}
    third = refreshing.post(AT, params=elsewhere, headers={"Idempotency-Key": "mine-1"})
    assert (third.json()["id"], refreshing.refresher.days) == ("run-3", [DAY, DAY, DAY + dt.timedelta(days=1)])


def test_the_first_slate_of_all_can_be_asked_for(refreshing, redis):
    redis.flushall()
    wait_for(lambda: refreshing.get("/api/v1/slates").json()["slates"] == [])
    assert refreshing.post(AT).status_code == 404
    before = baseball_day(dt.datetime.now(dt.UTC))
    started = refreshing.post(AT, params={"force_refresh": True})
    assert started.status_code == 202
    assert str(before) <= started.json()["date"] <= str(baseball_day(dt.datetime.now(dt.UTC)))


def test_a_refresh_that_is_waited_for_answers_with_the_new_props(refreshing):
    told = refreshing.post(AT, params={"force_refresh": True, "wait_s": 5, "max_players": 1}).json()
    assert told["refresh"] == {
        "id": "run-1", "url": "http://127.0.0.1:4200/runs/flow-run/run-1", "state": "completed"
    }  # fmt: skip
    assert told["props"]
    assert refreshing.post(AT, params={"force_refresh": True, "wait_s": 0.5}).status_code == 202


def test_a_refresh_that_failed_says_where_to_look(refreshing):
    refreshing.refresher.end_as = "failed"
    answer = refreshing.post(AT, params={"force_refresh": True, "wait_s": 5})
    assert answer.status_code == 503
    assert "runs/flow-run/run-1" in answer.json()["detail"]


def test_a_run_tells_whether_it_is_over():
    assert not Run("a", "u", "running", over=False, good=False).over


def test_a_slate_that_became_old_is_generated_from_as_stale(embedded_url, redis, frames, quoted, meta):
    old = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    publish(redis, frames, meta=meta, published_at=old)
    with serving(parts_over(embedded_url, quoted)) as api:
        told = api.post(AT, params={"max_players": 2}).json()
        assert told["state"] == "stale"
        assert told["age_s"] == pytest.approx(3600, abs=60)
        assert api.get(f"/api/v1/slates/{DAY}").headers["backstop-state"] == "stale"
        publish(redis, frames, run_id="r2", meta=meta)
        wait_for(lambda: api.post(AT, params={"max_players": 2}).json()["state"] == "fresh")
