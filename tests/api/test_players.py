from __future__ import annotations

import datetime as dt

import polars as pl

from tests.api.serving import DAY, publish


def test_a_player_has_his_features_and_his_props(api, frames):
    told = api.get("/api/v1/players/1001").json()
    mine = frames["props"].filter(pl.col("player_id_mlbam") == 1001)
    assert (told["date"], told["version"], told["state"]) == (str(DAY), 1, "fresh")
    assert {each["prop_id"] for each in told["props"]} == set(mine["prop_id"])
    assert [each["role"] for each in told["features"]] == ["batter"]
    only = api.get("/api/v1/players/1001/features").json()
    assert only["features"] == told["features"]
    assert "props" not in only


def test_a_player_is_looked_for_in_the_slates_before_the_latest(api, redis, frames, meta):
    without = {kind: frame.filter(pl.col("player_id_mlbam") != 1001) for kind, frame in frames.items()}
    publish(redis, without, day=DAY + dt.timedelta(days=1), run_id="r2", meta=meta)
    assert api.get("/api/v1/players/1001").json()["date"] == str(DAY)
    assert api.get("/api/v1/players/1002").json()["date"] in {str(DAY), str(DAY + dt.timedelta(days=1))}


def test_the_best_props_of_a_market_are_those_of_the_slate(api, frames):
    told = api.get("/api/v1/props/batter_hits/top", params={"limit": 3, "sort": "edge"}).json()
    hits = frames["props"].filter(pl.col("market") == "batter_hits")
    best = hits.sort(["edge", "prop_id"], descending=[True, False], nulls_last=True).head(3)
    assert [each["prop_id"] for each in told["props"]] == best["prop_id"].to_list()
    assert len(api.get("/api/v1/props/all/top", params={"limit": 7}).json()["props"]) == 7


def test_a_game_has_its_players_and_their_props(api, frames, meta):
    game = meta["games"][0]
    told = api.get(f"/api/v1/games/{game['game_pk']}").json()
    props = frames["props"].filter(pl.col("game_pk") == game["game_pk"])
    assert told["game"] == game
    assert told["players"] == props["player_id_mlbam"].unique().sort().to_list()
    assert len(told["props"]) == props.height
