"""The real quotes of May to July 2025 against the rosters of these weeks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from backstop.clock import DAY_STARTS_AT_HOUR
from backstop.identity.match import Matched, match_quotes
from backstop.sources import teams
from backstop.tables import GAMES, PLAYERS, QUOTES

pytestmark = pytest.mark.realdata

WEEKS = (dt.date(2025, 5, 10), dt.date(2025, 7, 7))
"""The days quoted; a roster of the whole season would also hold players who were traded later."""

SAME_NAMES = {
    ("Max Muncy", "LAD"): 571970,
    ("Max Muncy (2002)", "ATH"): 691777,
    ("Will Smith", "LAD"): 669257,
    ("Luis Garcia Jr.", "WSH"): 671277,
    ("Luis Castillo", "SEA"): 622491,
    ("Luis Ortiz", "CLE"): 682847,
    ("Logan Allen", "CLE"): 671106,
    ("Jose Fermin", "STL"): 665877,
}
"""Names that two active players share, with the team that the quoted one played for and his id."""


def read_quotes(folder: Path) -> pl.DataFrame:
    files = ("the_odds_api_mlb_batter_props_2025-05_07", "the_odds_api_mlb_pitcher_strikeouts_2025-05_07")
    raw = pl.concat([pl.read_parquet(folder / f"odds/{name}.parquet") for name in files])
    clubs = {name: team.abbreviation for name, team in teams.BY_NAME.items()}
    eastern = pl.col("commence_time").dt.convert_time_zone("America/New_York") - pl.duration(hours=DAY_STARTS_AT_HOUR)
    return raw.select(
        event_id_theodds="event_id",
        game_date=eastern.dt.date(),
        game_pk=pl.lit(None, pl.Int64),
        commence_at="commence_time",
        home_team=pl.col("home_team").replace_strict(clubs),
        away_team=pl.col("away_team").replace_strict(clubs),
        bookmaker="bookmaker",
        market="market",
        player_name="description",
        player_id_mlbam=pl.lit(None, pl.Int64),
        line="line",
        side=pl.col("raw_name").str.to_lowercase(),
        price_decimal=pl.col("odds").cast(pl.Float64),
        updated_at="last_update",
        fetched_at="committed_at",
    ).cast(QUOTES.schema)  # type: ignore[arg-type]


def read_pitches(folder: Path) -> pl.DataFrame:
    columns = ["game_pk", "game_date", "home_team", "away_team", "batter", "pitcher", "inning_topbot"]
    pitches = pl.read_parquet(folder / "savant/pitches/statcast_2025_all_pitches_21cols.parquet", columns=columns)
    return pitches.with_columns(
        pl.col("game_date").dt.date(), pl.col("home_team", "away_team").replace(teams.ABBREVIATIONS)
    )


def games_of(pitches: pl.DataFrame) -> pl.DataFrame:
    """Games with a stand-in for the start, which pitches lack: doubleheaders in the order of the gamePk."""
    listed = pitches.group_by("game_pk").agg(pl.col("game_date", "home_team", "away_team").first())
    nth = pl.col("game_pk").rank("ordinal").over("game_date", "home_team")
    start = pl.col("game_date").cast(pl.Datetime("us", "UTC")) + pl.duration(hours=12) + pl.duration(hours=5) * nth
    listed = listed.with_columns(start_at=start, status=pl.lit("Final"))
    absent = {name: pl.lit(None, dtype) for name, dtype in GAMES.schema.items() if name not in listed.columns}
    return listed.with_columns(**absent).select(list(GAMES.schema)).cast(GAMES.schema)  # type: ignore[arg-type]


def rosters(pitches: pl.DataFrame, games: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Everybody who played for either team in these weeks, as a box score lists both rosters."""
    top = pl.col("inning_topbot") == "Top"
    batting = pl.when(top).then("away_team").otherwise("home_team")
    pitching = pl.when(top).then("home_team").otherwise("away_team")
    seen = pl.concat([
        pitches.select(player_id_mlbam="batter", team=batting), pitches.select(player_id_mlbam="pitcher", team=pitching),
    ]).unique()  # fmt: skip
    register = pl.read_parquet(folder / "register/chadwick_register_mlbam.parquet")
    suffix = pl.when(pl.col("name_suffix").fill_null("") == "").then(pl.lit("")).otherwise(" " + pl.col("name_suffix"))
    named = register.select(
        player_id_mlbam=pl.col("key_mlbam").cast(pl.Int64),
        full_name=pl.col("name_first") + " " + pl.col("name_last") + suffix,
    )
    sides = pl.concat([
        games.select("game_pk", "game_date", team="home_team", opponent="away_team", is_home=pl.lit(value=True)),
        games.select("game_pk", "game_date", team="away_team", opponent="home_team", is_home=pl.lit(value=False)),
    ])  # fmt: skip
    listed = sides.join(seen, on="team").join(named, on="player_id_mlbam", how="left")
    absent = {name: pl.lit(None, dtype) for name, dtype in PLAYERS.schema.items() if name not in listed.columns}
    return listed.with_columns(**absent).select(list(PLAYERS.schema)).cast(PLAYERS.schema)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def matched(realdata: Path) -> Matched:
    pitches = read_pitches(realdata).filter(pl.col("game_date").is_between(*WEEKS))
    games = games_of(pitches)
    return match_quotes(read_quotes(realdata), games, rosters(pitches, games, realdata))


def test_at_least_985_of_1000_names_of_a_game_are_matched(matched: Matched) -> None:
    pairs = matched.report.filter(pl.col("game_pk").is_not_null())
    share = pairs["player_id_mlbam"].is_not_null().mean()
    assert len(pairs) > 11_000
    assert share is not None
    assert share >= 0.985, pairs.filter(pl.col("player_id_mlbam").is_null())


def test_the_only_events_without_a_game_were_rained_out(matched: Matched) -> None:
    """Each was made up in a doubleheader of the same teams within two days."""
    lost = matched.report.filter(pl.col("game_pk").is_null())
    assert lost["event_id_theodds"].n_unique() == 8
    assert lost["reason"].unique().to_list() == ["no game of these teams on the day"]


def test_no_quote_is_lost(matched: Matched) -> None:
    assert len(matched.quotes) == 214_152


@pytest.mark.parametrize(("name", "team"), SAME_NAMES)
def test_of_two_players_with_one_name_the_right_one_is_matched(matched: Matched, name: str, team: str) -> None:
    pairs = matched.report.filter(player_name=name).filter(pl.any_horizontal(pl.col("home_team", "away_team") == team))
    assert len(pairs) > 0
    assert set(pairs["player_id_mlbam"].drop_nulls()) == {SAME_NAMES[name, team]}


def test_shared_names_are_matched_to_nobody_else(matched: Matched) -> None:
    names = {name for name, _ in SAME_NAMES}
    ids = matched.report.filter(pl.col("player_name").is_in(list(names)))["player_id_mlbam"].drop_nulls()
    assert set(ids) <= set(SAME_NAMES.values())
