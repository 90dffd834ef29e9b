"""Recordings that nobody has seen yet: other names, columns and forms, feeds that lack, files that are damaged."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from pathlib import Path

import polars as pl
import pytest

from backstop.demo.recorded.quotes import market_of
from backstop.demo.recorded.world import RecordedWorld
from backstop.demo.world import NotRecorded, PitchAsk
from tests.demo import folder as f

DAY = PitchAsk(first=f.DAY, last=f.DAY)
LIST = "player_id,full_name,use_name,last_name\n"


def everything(folder: Path) -> Path:
    f.write(folder, wide=f.pitches(), narrow=f.pitches())
    f.write_odds(folder)
    return f.write_schedule(folder)


DAMAGED = {
    "savant/pitches/broken.parquet": b"PAR1 and no more",
    "savant/pitches/none.parquet": b"",
    "odds/broken.parquet": b"PAR1 and no more",
    "register/broken.parquet": b"PAR1 and no more",
    "mlb_statsapi/cut.json": b'{"dates": [',
    "mlb_statsapi/cut.json.gz": gzip.compress(b'{"dates": []}')[:-9],
    "mlb_statsapi/list.json": b'[{"gamePk": 1}]',
    "mlb_statsapi/people.csv.gz": gzip.compress(LIST.encode() * 99)[:-9],
    "mlb_statsapi/ragged.csv": LIST.encode() + b"1,One,One,One,more\nx,,,\n",
    "mlb_statsapi/none.csv": b"",
    "savant/leaderboards_2031/none.csv": b"",
    "savant/leaderboards_2031/picture.csv": bytes(range(256)),
}


@pytest.mark.parametrize("file", DAMAGED)
def test_a_file_that_cannot_be_read_leaves_the_others_as_they_are(tmp_path: Path, file: str):
    folder = everything(tmp_path)
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(DAMAGED[file])
    world = RecordedWorld(folder)
    world.warm()
    assert world.pitches(DAY).height == f.pitches().height
    assert [game.status for game in world.games(f.DAY, f.DAY)] == ["Completed Early"]
    assert [event.event_id for event in world.events(None)] == [f.EVENT]
    with pytest.raises(NotRecorded):
        world.leaderboard("/leaderboard/statcast", {"year": "2031"})
    assert world.register("0").is_empty()


@pytest.mark.parametrize("feed", ["savant", "odds", "mlb_statsapi"])
def test_a_folder_may_lack_a_feed(tmp_path: Path, feed: str):
    shutil.rmtree(everything(tmp_path) / feed)
    world = RecordedWorld(tmp_path)
    world.warm()
    assert world.pitches(DAY).height == (0 if feed == "savant" else f.pitches().height)
    assert len(world.games(f.DAY, f.DAY)) == 1
    assert len(world.events(None)) == (feed != "odds")
    assert bool(world.appearances(f.GAME)) == (feed != "savant")


def test_columns_in_any_order_with_others_added_and_optional_ones_gone_are_the_same_pitches(tmp_path: Path):
    rows = f.pitches()
    names = [name for name in rows.columns if name not in {"woba_value", "post_home_score", "player_name", "zone"}]
    random.Random(7).shuffle(names)
    other = rows.select(names).with_columns(aura=pl.lit("blue"), pitcher_1="pitcher", day=pl.lit(4))
    world = RecordedWorld(f.write(tmp_path / "other", wide=other))
    usual = RecordedWorld(f.write(tmp_path / "usual", wide=rows))
    for table in (world, usual):
        assert len(table.appearances(f.GAME)) == 21
        assert [game.home.lineup for game in table.games(f.DAY, f.DAY)] == [tuple(f.HOME_IDS[:9])]
    common = [name for name in names if name in rows.columns]
    assert world.pitches(DAY).select(common).equals(usual.pitches(DAY).select(common))


def test_pitches_without_teams_or_events_are_served_and_make_no_games(tmp_path: Path):
    bare = f.pitches().drop("home_team", "away_team", "game_type", "events")
    world = RecordedWorld(f.write(tmp_path, wide=bare))
    world.warm()
    assert world.pitches(DAY).height == bare.height
    assert world.games(f.DAY, f.DAY) == []
    assert world.game(f.GAME) is None


def test_a_recorded_game_that_makes_no_sense_is_left_out(tmp_path: Path):
    folder = f.write_schedule(f.write(tmp_path, wide=f.pitches()))
    game = {"gamePk": 910002, "officialDate": "soon", "gameDate": "", "status": None, "teams": {"home": {}}}
    (folder / "mlb_statsapi" / "odd.json").write_text(json.dumps({"dates": [{"games": [game, None, 3]}, None]}))
    columns = "game_pk,official_date,game_date,status,home_team_id,away_team_id\n"
    (folder / "mlb_statsapi" / "odd.csv").write_text(
        f"{columns}1,,,,,\nx,2031-05-04,2031-05-04T20:00:00Z,Final,136,121\n"
    )
    assert [game.game_pk for game in RecordedWorld(folder).games(f.DAY, f.DAY)] == [f.GAME]


def test_instants_kept_as_text_are_instants(tmp_path: Path):
    folder = f.write_odds(tmp_path)
    before = RecordedWorld(folder)
    usual = before.quotes(f.EVENT, f.START)
    for path in (folder / "odds").glob("*.parquet"):
        frame = pl.read_parquet(path)
        stamps = [name for name, dtype in frame.schema.items() if dtype.is_temporal()]
        frame.with_columns(pl.col(stamps).dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_parquet(path)
    after = RecordedWorld(folder)
    assert after.events(None) == before.events(None)
    assert usual is not None
    assert usual.equals(after.quotes(f.EVENT, f.START))


def test_a_number_between_minus_and_plus_a_hundred_is_no_price(tmp_path: Path):
    folder = f.write_odds(tmp_path)
    path = folder / "odds" / "batters.parquet"
    frame = pl.read_parquet(path)
    pl.concat([frame, frame.with_columns(odds=pl.lit(0, frame.schema["odds"]), bookmaker=pl.lit("Odd"))]).write_parquet(
        path
    )
    quotes = RecordedWorld(folder).quotes(f.EVENT, None)
    assert quotes is not None
    assert "Odd" not in set(quotes["title"])


def test_pairs_may_say_their_market_row_by_row(tmp_path: Path):
    folder = f.write_odds(tmp_path)
    path = folder / "odds" / "some_strikeout_props.parquet"
    frame = pl.read_parquet(path).with_columns(market=pl.Series(["pitcher_outs", "pitcher_walks"]))
    path.unlink()
    frame.write_parquet(folder / "odds" / "history.parquet")
    quotes = RecordedWorld(folder).quotes(f.EVENT, None)
    assert quotes is not None
    assert set(quotes["market"]) == {"batter_hits", "pitcher_outs", "pitcher_walks"}


@pytest.mark.parametrize(
    ("name", "market"),
    [
        ("the_odds_api_mlb_batter_strikeouts_2027.parquet", "batter_strikeouts"),
        ("the_odds_api_mlb_strikeout_props_2025_2026.parquet", "pitcher_strikeouts"),
        ("mlb_pitcher_walks.parquet", "pitcher_walks"),
        ("mlb_walks_props.parquet", "batter_walks"),
        ("mlb_hits_runs_rbis.parquet", "batter_hits_runs_rbis"),
        ("mlb_rbi_props.parquet", "batter_rbis"),
        ("earned_runs.parquet", "pitcher_earned_runs"),
        ("runs_scored_props.parquet", "batter_runs_scored"),
        ("first_home_run.parquet", "batter_first_home_run"),
        ("home_run_props.parquet", "batter_home_runs"),
        ("batter_total_bases_alternate.parquet", "batter_total_bases_alternate"),
        ("doubles.parquet", "batter_doubles"),
        ("pitcher_outs_props.parquet", "pitcher_outs"),
        ("hits_props.parquet", "batter_hits"),
    ],
)
def test_the_name_of_a_file_of_pairs_tells_its_market_and_no_other(name: str, market: str):
    assert market_of(name) == market
