"""The tables that travel through the house: columns with type, unit and meaning, and the key of a row.

Sources parse into these columns, the lake stores them, the suites in `expectations/` check them, the documentation
lists them. Spectra of values are in `expectations/`; here is only what a column is.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

UTC_INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Carries its unit or issuer as a suffix where it has one.
        dtype: Polars type.
        meaning: One line, with the meaning of null where null is allowed.
        upstream: The feed's own name of it, where it differs.
    """

    name: str
    dtype: pl.DataType
    meaning: str
    upstream: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its layer and name, the grain of a row, the key that is unique, the columns."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Column names with their types, in order."""
        return {column.name: column.dtype for column in self.columns}

    @property
    def upstream_names(self) -> dict[str, str]:
        """The feed's names mapped to ours."""
        return {column.upstream or column.name: column.name for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """Return the table without rows."""
        return pl.DataFrame(schema=self.schema)


def _c(name: str, dtype: pl.DataType, meaning: str, upstream: str | None = None) -> Column:
    return Column(name, dtype, meaning, upstream)


I64, I16, F64, STR, DATE, BOOL = (
    pl.Int64(), pl.Int16(), pl.Float64(), pl.String(), pl.Date(), pl.Boolean(),
)  # fmt: skip

PITCHES = Table(
    "core_pitches",
    "one row per pitch, also automatic balls and strikes",
    ("game_pk", "at_bat_number", "pitch_number"),
    (
        _c("game_pk", I64, "MLB id of the game"),
        _c("game_date", DATE, "official date; a suspended game keeps its first"),
        _c("at_bat_number", I16, "plate appearance in the game, from 1, both teams"),
        _c("pitch_number", I16, "pitch in the plate appearance, from 1"),
        _c("game_type", STR, "R regular season, S spring, F/D/L/W postseason, E exhibition, A all-star"),
        _c("season", I16, "year of the season", "game_year"),
        _c("home_team", STR, "abbreviation as Savant spells it today"),
        _c("away_team", STR, "abbreviation as Savant spells it today"),
        _c("batter_id_mlbam", I64, "who batted at the last pitch", "batter"),
        _c("pitcher_id_mlbam", I64, "who pitched", "pitcher"),
        _c("player_name", STR, "`Last, First` of the pitcher, or of the batter when batters were asked"),
        _c("stand", STR, "side batted in this plate appearance, L or R"),
        _c("p_throws", STR, "hand thrown with, L or R"),
        _c("inning", I16, "inning, from 1"),
        _c("inning_topbot", STR, "Top (away bats) or Bot"),
        _c("outs_when_up", I16, "outs before the pitch, 0-2"),
        _c("balls", I16, "balls before the pitch"),
        _c("strikes", I16, "strikes before the pitch"),
        _c("events", STR, "result of the plate appearance; null except on its last pitch"),
        _c("description", STR, "result of the pitch"),
        _c("pitch_result", STR, "B ball, S strike, X in play", "type"),
        _c("pitch_type", STR, "code; null for automatic balls and strikes"),
        _c("release_speed_mph", F64, "out of the hand", "release_speed"),
        _c("release_spin_rpm", F64, "spin rate", "release_spin_rate"),
        _c("plate_x_ft", F64, "horizontal position at the plate, catcher's view", "plate_x"),
        _c("plate_z_ft", F64, "height at the plate", "plate_z"),
        _c("zone", I16, "1-9 in the zone, 11-14 out of it"),
        _c("launch_speed_mph", F64, "exit velocity; also set on fouls", "launch_speed"),
        _c("launch_angle_deg", F64, "also set on fouls", "launch_angle"),
        _c("hit_distance_ft", F64, "projected distance", "hit_distance_sc"),
        _c("bb_type", STR, "ground_ball, fly_ball, line_drive, popup; null when not in play"),
        _c("launch_speed_angle", I16, "contact quality 1-6, 6 is a barrel"),
        _c("xba", F64, "expected batting average of a ball in play", "estimated_ba_using_speedangle"),
        _c("xwoba", F64, "expected wOBA", "estimated_woba_using_speedangle"),
        _c("woba_value", F64, "wOBA value of the plate appearance"),
        _c("woba_denom", F64, "1 when it counts for wOBA"),
        _c("bat_speed_mph", F64, "null except on swings, and before mid 2023", "bat_speed"),
        _c("on_1b_id_mlbam", I64, "runner on first before the pitch", "on_1b"),
        _c("on_2b_id_mlbam", I64, "runner on second before the pitch", "on_2b"),
        _c("on_3b_id_mlbam", I64, "runner on third before the pitch", "on_3b"),
        _c("bat_score", I16, "runs of the batting team before the pitch"),
        _c("post_bat_score", I16, "runs of the batting team after the pitch"),
        _c("post_home_score", I16, "runs of the home team after the pitch"),
        _c("post_away_score", I16, "runs of the away team after the pitch"),
    ),
)

GAMES = Table(
    "core_games",
    "one row per game",
    ("game_pk",),
    (
        _c("game_pk", I64, "MLB id of the game"),
        _c("game_date", DATE, "officialDate: the baseball day"),
        _c("start_at", UTC_INSTANT, "scheduled first pitch"),
        _c("start_is_tbd", BOOL, "whether start_at is a placeholder until the start is known; null when not said"),
        _c("season", I16, "year of the season"),
        _c("game_type", STR, "R regular season, S spring, F/D/L/W postseason, E exhibition, A all-star"),
        _c("status", STR, "detailedState: Scheduled, In Progress, Final, Postponed, ..."),
        _c("abstract_status", STR, "Preview, Live or Final"),
        _c("doubleheader", STR, "N no, Y traditional, S split"),
        _c("game_number", I16, "1, or 2 for the second of a doubleheader"),
        _c("home_team", STR, "abbreviation"),
        _c("away_team", STR, "abbreviation"),
        _c("home_team_id_mlbam", I64, "MLB id of the team"),
        _c("away_team_id_mlbam", I64, "MLB id of the team"),
        _c("venue_id_mlbam", I64, "MLB id of the park; null when unknown"),
        _c("home_score", I16, "null before the game"),
        _c("away_score", I16, "null before the game"),
        _c("home_starter_id_mlbam", I64, "probable or actual starting pitcher; null until named"),
        _c("away_starter_id_mlbam", I64, "probable or actual starting pitcher; null until named"),
        _c("resumed_on", DATE, "baseball day on which a suspended game is played on; null of every other game"),
    ),
)

PLAYERS = Table(
    "core_players",
    "one row per game and player on one of its two rosters",
    ("game_pk", "player_id_mlbam"),
    (
        _c("game_pk", I64, "MLB id of the game"),
        _c("game_date", DATE, "baseball day"),
        _c("player_id_mlbam", I64, "MLBAM id"),
        _c("full_name", STR, "as the Stats API spells it"),
        _c("team", STR, "abbreviation"),
        _c("opponent", STR, "abbreviation"),
        _c("is_home", BOOL, "whether his team bats last"),
        _c("position", STR, "abbreviation of the primary or played position; null when unknown"),
        _c("slot", I16, "place in the batting order 1-9 when he starts; null otherwise"),
        _c("is_starting_pitcher", BOOL, "whether he is the starting pitcher, probable or actual"),
    ),
)

BOX = Table(
    "core_box",
    "one row per game and player who appeared: what props settle on",
    ("game_pk", "player_id_mlbam"),
    (
        _c("game_pk", I64, "MLB id of the game"),
        _c("game_date", DATE, "baseball day"),
        _c("player_id_mlbam", I64, "MLBAM id"),
        _c("team", STR, "abbreviation"),
        _c("is_starter", BOOL, "started in the batting order or as pitcher"),
        _c("plate_appearances", I16, "null for a pitcher who did not bat"),
        _c("at_bats", I16, ""), _c("hits", I16, ""), _c("doubles", I16, ""), _c("triples", I16, ""),
        _c("home_runs", I16, ""), _c("total_bases", I16, ""), _c("walks", I16, "with intentional ones"),
        _c("strikeouts", I16, ""), _c("hit_by_pitch", I16, ""),
        _c("runs", I16, "null where the feed has none"), _c("rbi", I16, "null where the feed has none"),
        _c("stolen_bases", I16, "null where the feed has none"),
        _c("batters_faced", I16, "null for a player who did not pitch"),
        _c("outs_recorded", I16, "null for a player who did not pitch"),
        _c("pitcher_strikeouts", I16, ""), _c("pitcher_walks", I16, ""), _c("hits_allowed", I16, ""),
        _c("home_runs_allowed", I16, ""), _c("earned_runs", I16, "null where the feed has none"),
    ),
)  # fmt: skip

QUOTES = Table(
    "core_quotes",
    "one row per event, book, market, player, line and side: the last price not later than the cutoff",
    ("event_id_theodds", "bookmaker", "market", "player_name", "line", "side"),
    (
        _c("event_id_theodds", STR, "32 hexadecimal characters"),
        _c("game_date", DATE, "baseball day of the game"),
        _c("game_pk", I64, "null until the event was matched to a game"),
        _c("commence_at", UTC_INSTANT, "start as the book lists it"),
        _c("home_team", STR, "abbreviation"),
        _c("away_team", STR, "abbreviation"),
        _c("bookmaker", STR, "key of the book"),
        _c("market", STR, "market key of The Odds API, `_alternate` folded into its base"),
        _c("player_name", STR, "as quoted"),
        _c("player_id_mlbam", I64, "null when the name matched nobody of the two teams, or two"),
        _c("line", F64, "points; 0.5 for a yes/no market"),
        _c("side", STR, "over or under"),
        _c("price_decimal", F64, "decimal odds, above 1"),
        _c("updated_at", UTC_INSTANT, "the book's own stamp; null when not given"),
        _c("fetched_at", UTC_INSTANT, "when it was fetched"),
    ),
)

PROPS = Table(
    "out_props",
    "one row per game, player, market and line",
    ("game_pk", "player_id_mlbam", "market", "line"),
    (
        _c("prop_id", STR, "`game_pk:player:market:line`"),
        _c("game_pk", I64, "MLB id of the game"),
        _c("game_date", DATE, "baseball day: the slate"),
        _c("player_id_mlbam", I64, "MLBAM id"),
        _c("player_name", STR, "full name"),
        _c("team", STR, "abbreviation"),
        _c("opponent", STR, "abbreviation"),
        _c("market", STR, "market key of The Odds API"),
        _c("line", F64, "points"),
        _c("mean", F64, "expected value of the counted quantity"),
        _c("prob_over", F64, "probability of more than the line, calibrated"),
        _c("prob_push", F64, "probability of exactly the line; 0 for half lines"),
        _c("prob_under", F64, "probability of less than the line"),
        _c("fair_over_decimal", F64, "fair decimal price of the over"),
        _c("fair_under_decimal", F64, "fair decimal price of the under"),
        _c("books", I16, "books that quote the over or the under at this line"),
        _c("market_prob_over", F64, "consensus of the de-vigged two-sided quotes; null without one"),
        _c("market_prob_low", F64, "lowest over the de-vig methods"),
        _c("market_prob_high", F64, "highest over the de-vig methods"),
        _c(
            "best_side", STR, "side with the higher expected value at the best price: over, under; null without a quote"
        ),
        _c("best_book", STR, "book of the best price on that side"),
        _c("best_price_decimal", F64, "best price on that side"),
        _c("ev_per_unit", F64, "expected value of one unit at the best price"),
        _c("edge", F64, "probability of best_side minus the market's; null without a two-sided quote"),
        _c(
            "edge_band",
            F64,
            "from the market to the far end of the de-vig methods on the model's side; a smaller edge is none",
        ),
        _c("kelly_quarter", F64, "a quarter of the Kelly stake, 0 without an edge beyond its band"),
        _c("model_version", STR, "version of the parameters"),
        _c("as_of", DATE, "last baseball day that the features could see"),
    ),
)

TAKEN = Table(
    "out_taken",
    "one row per prop and publication that changed its terms; rows are added, never replaced",
    ("prop_id", "published_at", "version"),
    (
        *PROPS.columns,
        _c("version", I64, "version of the slate that it was published in"),
        _c("published_at", UTC_INSTANT, "when that version was published"),
    ),
)

ALL: tuple[Table, ...] = (PITCHES, GAMES, PLAYERS, BOX, QUOTES, PROPS)
"""Tables that a suite checks, row by row."""

KEPT: tuple[Table, ...] = (*ALL, TAKEN)
"""Tables whose columns the lake holds to: those, and what is written from their checked rows."""
