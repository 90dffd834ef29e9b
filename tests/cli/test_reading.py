"""What a published slate looks like on the terminal and as JSON."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from backstop import tables
from backstop.settings import Settings
from backstop.stages import rebuild
from backstop.stages.house import House
from tests.store import rows
from tests.store.rows import DAY

PLAYERS = 30
GAME = {"game_pk": 777_001, "away_team": "BOS", "home_team": "NYY", "start_at": "2025-06-15T17:40:00Z"}


@pytest.fixture
def published(store):
    return publish(store)


def publish(house):
    features, props = rows.features(PLAYERS).rename({"full_name": "player_name"}), rows.props(PLAYERS)
    writer = house.writer
    draft = writer.open(DAY, cutoff=dt.datetime.now(dt.UTC), run_id="r1")
    writer.load(draft, "features", features)
    writer.load(draft, "props", props)
    meta = {"quality": "degraded", "games": [GAME], "gaps": [{"table": "t", "key": "k", "reason": "lost"}]}
    done = writer.publish(draft, {"features": features.height, "props": props.height}, meta)
    rebuild.remember(house, draft, done, meta)
    return props


def test_a_slate_as_json_holds_every_prop_and_their_number(backstop, published):
    ended = backstop("slate", DAY.isoformat(), "--json")
    assert (ended.code, ended.err) == (0, "")
    slate = json.loads(ended.out)
    assert slate["props_count"] == len(slate["props"]) == published.height
    assert (slate["slate"], slate["version"], slate["state"]) == (DAY.isoformat(), 1, "fresh")
    assert 0 <= slate["age_s"] < 120
    assert slate["quality"] == "degraded"
    assert slate["games"] == [GAME]
    assert slate["gaps"] == [{"table": "t", "key": "k", "reason": "lost"}]
    assert set(slate["props"][0]) == set(tables.PROPS.schema)
    assert {prop["prop_id"] for prop in slate["props"]} == set(published["prop_id"])


def test_json_keeps_numbers_and_names_as_they_were_published(backstop, published):
    slate = json.loads(backstop("slate", DAY.isoformat(), "--json").out)
    found = {prop["prop_id"]: prop for prop in slate["props"]}
    for row in published.head(50).to_dicts():
        shown = found[row["prop_id"]]
        assert shown["prob_over"] == row["prob_over"]
        assert shown["player_name"] == row["player_name"]
        assert shown["best_price_decimal"] == row["best_price_decimal"]


def test_a_slate_on_the_terminal_says_how_fresh_it_is_and_lists_games_and_best_prices(backstop, published):
    ended = backstop("slate", DAY.isoformat(), "--top", "3")
    assert (ended.code, ended.err) == (0, "")
    assert f"Slate {DAY}" in ended.out
    assert "fresh" in ended.out
    assert "777001" in ended.out
    assert "Best-priced props (3 of 360)" in ended.out


@pytest.mark.parametrize(("odds", "price"), [("american", r"over [+-]\d{3,} "), ("fractional", r"over \d+/\d+ ")])
def test_prices_are_written_as_asked(backstop, published, odds, price):
    player = str(published.filter(best_side="over")["player_id_mlbam"][0])
    for command in (["slate", DAY.isoformat()], ["player", player]):
        assert re.search(price, backstop(*command, "--odds", odds).out)
    assert backstop("slate", DAY.isoformat(), "--odds", "roman").code == 2


def test_a_player_as_json_holds_his_features_and_props(backstop, published):
    player_id = int(published["player_id_mlbam"][0])
    ended = backstop("player", str(player_id), "--json")
    assert ended.code == 0
    player = json.loads(ended.out)
    assert player["player_id_mlbam"] == player_id
    assert (player["slate"], player["state"]) == (DAY.isoformat(), "fresh")
    assert player["props_count"] == len(player["props"]) == 12
    assert {prop["player_id_mlbam"] for prop in player["props"]} == {player_id}
    assert [row["player_id_mlbam"] for row in player["features"]] == [player_id, player_id]


def test_a_player_on_the_terminal_has_name_features_and_props(backstop, published):
    ended = backstop("player", str(published["player_id_mlbam"][0]), "--date", DAY.isoformat())
    assert (ended.code, ended.err) == (0, "")
    assert "José" in ended.out
    assert "pitcher strikeouts" in ended.out


def test_another_day_than_the_published_one_is_told_which_there_are(backstop, published):
    ended = backstop("slate", "2025-06-16")
    assert ended.code == 1
    assert f"published are: {DAY}" in ended.err


def test_a_slate_of_the_demo_league_is_found_in_its_own_home(backstop, environment, tmp_path):
    home = tmp_path / "home"
    demo = House(Settings(home=home / "demo", _env_file=None))
    try:
        publish(demo)
    finally:
        demo.close()
    ended = backstop("slate", DAY.isoformat())
    assert ended.code == 1
    assert f"Run `BACKSTOP_HOME={home / 'demo'} backstop slate {DAY}`" in ended.err
    assert "backstop refresh" not in ended.err
    assert "backstop refresh 2025-06-16" in backstop("slate", "2025-06-16").err
    environment.setenv("BACKSTOP_HOME", str(home / "demo"))
    assert backstop("slate", DAY.isoformat(), "--json").code == 0


def test_a_home_with_nothing_is_not_given_a_demo_folder(backstop, environment, tmp_path):
    assert "backstop refresh" in backstop("slate", DAY.isoformat()).err
    assert not (tmp_path / "home" / "demo").exists()
