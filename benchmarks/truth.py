"""True probabilities of the simulated league's props: what a projection is judged against.

A day's games are played some thousand times over by the very process that plays the season, from the line-ups and
starting pitchers that are posted; relievers and substitutes, of whom nobody can know, are drawn anew each time. The
share of games in which a player does something is its probability up to the error of the share, which is given: with
4,000 games half a line's worth of luck is at most 0.8 percentage points.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import polars as pl

from backstop.demo.league.calendar import season
from backstop.demo.league.campaign import Campaign
from backstop.demo.league.cards import cards, redrawn
from backstop.demo.league.outcomes import INTENT_WALK, NOBODY, TRUNCATED, Ints
from backstop.demo.league.people import FIRST_ID
from backstop.demo.league.play import Cards, Plays, play
from backstop.demo.league.talent import BB, DOUBLE, HOMER, SINGLE, TRIPLE, K
from backstop.demo.league.world import SEED
from backstop.errors import UsageError

GAMES: Final = 4_000
"""How often each game is played unless asked otherwise."""

GAMES_AT_ONCE: Final = 8_000
"""Games of one batch: about 700,000 plate appearances in memory."""

_EVENT: Final = pl.col("event")
_HITS: Final = (SINGLE, DOUBLE, TRIPLE, HOMER)
_BATTING: Final[dict[str, pl.Expr]] = {
    "batter_hits": _EVENT.is_in(_HITS).sum(),
    "batter_singles": (_EVENT == SINGLE).sum(),
    "batter_doubles": (_EVENT == DOUBLE).sum(),
    "batter_home_runs": (_EVENT == HOMER).sum(),
    "batter_total_bases": _EVENT.replace_strict(
        dict(zip(_HITS, (1, 2, 3, 4), strict=True)), default=0, return_dtype=pl.Int64()
    ).sum(),
    "batter_strikeouts": (_EVENT == K).sum(),
    "batter_walks": _EVENT.is_in((BB, INTENT_WALK)).sum(),
    "batter_rbis": pl.col("rbi").sum(),
}
_PITCHING: Final[dict[str, pl.Expr]] = {
    "pitcher_strikeouts": (_EVENT == K).sum(),
    "pitcher_walks": _EVENT.is_in((BB, INTENT_WALK)).sum(),
    "pitcher_hits_allowed": _EVENT.is_in(_HITS).sum(),
    "pitcher_outs": (pl.col("outs_made") + pl.col("caught")).sum(),
}
MARKETS: Final = (
    *_BATTING, "batter_runs_scored", "batter_stolen_bases", "batter_hits_runs_rbis", *_PITCHING, "pitcher_earned_runs",
)  # fmt: skip


def distributions(day: dt.date, *, games: int = GAMES, seed: int = SEED) -> pl.DataFrame:
    """Return how likely every count of every starter is.

    Args:
        day: A day of the simulated season.
        games: How often each of its games is played.
        seed: Of the season, whose cards are played.

    Returns:
        One row per game_pk, player_id_mlbam, market and count that came up: games, probability. Batters are those who
        start in the order, pitchers those who start the game.

    Raises:
        UsageError: nobody plays on the day.
    """
    rows = [row for row, fixture in enumerate(season()) if fixture.day == day]
    if not rows:
        raise UsageError(f"The simulated league plays no game on {day}; choose a day with games.")
    everything = cards(seed)
    of_day = Cards(*(getattr(everything, name)[rows] for name in Cards.__dataclass_fields__))
    rng = np.random.default_rng([seed, 7, day.toordinal()])
    at_once = max(1, GAMES_AT_ONCE // len(rows))
    batches = [min(at_once, games - done) for done in range(0, games, at_once)]
    counts = pl.concat([_counts(of_day, times, rng) for times in batches])
    total = counts.group_by("card", "player", "market", "count").agg(games=pl.col("games").sum())
    game_pk = pl.Series("game_pk", [season()[row].game_pk for row in rows])
    return total.select(
        game_pk=pl.col("card").replace_strict(dict(enumerate(game_pk)), return_dtype=pl.Int64()),
        player_id_mlbam=pl.col("player") + FIRST_ID,
        market="market",
        count="count",
        games="games",
        probability=pl.col("games") / games,
    ).sort("game_pk", "player_id_mlbam", "market", "count")


def over(props: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Add to props the true probability of more than the line.

    Args:
        props: One row per prop: game_pk, player_id_mlbam, market, line.
        truth: `distributions` of the day.

    Returns:
        The props that the league knows, with true_over and true_error (its standard error).
    """
    key = ["game_pk", "player_id_mlbam", "market"]
    lines = props.select(*key, "line").unique()
    total = pl.col("games").sum()
    above = pl.col("games").filter(pl.col("count") > pl.col("line")).sum()
    found = truth.join(lines, on=key).group_by(*key, "line").agg(true_over=above / total, played=total)
    error = (pl.col("true_over") * (1 - pl.col("true_over")) / pl.col("played")).sqrt()
    return props.join(found.with_columns(true_error=error).drop("played"), on=[*key, "line"])


def happened(seed: int = SEED) -> pl.DataFrame:
    """Return what every player of the season's games did, also of those that are still to come.

    Args:
        seed: Of the season.

    Returns:
        One row per game, player and market: game_id, player_id (text), market, value.
    """
    plays = Campaign(seed, dt.datetime.min.replace(tzinfo=dt.UTC)).plays
    game_pk = [str(fixture.game_pk) for fixture in season()]
    parts = [
        frame.unpivot(index=["game", "player"], variable_name="market", value_name="value").select(
            game_id=pl.col("game").replace_strict(dict(enumerate(game_pk)), return_dtype=pl.String()),
            player_id=(pl.col("player") + FIRST_ID).cast(pl.String),
            market="market",
            value=pl.col("value").cast(pl.Int64),
        )
        for frame in _counted(plays)
    ]
    return pl.concat(parts).sort("game_id", "player_id", "market")


def _counts(of_day: Cards, times: int, rng: np.random.Generator) -> pl.DataFrame:
    """Play every card some times; return how often each count of each starter came up."""
    batting, pitching = _counted(play(redrawn(of_day.repeated(times), rng), rng))
    found = [_of_starters(batting, of_day.lineup, times), _of_starters(pitching, of_day.starter, times)]
    return pl.concat(found)


def _counted(plays: Plays) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the counts of batters and of pitchers, one row per game and player, one column per market."""
    frame = pl.DataFrame(
        {name: plays[name] for name in ("game", "batter", "pitcher", "event", "rbi", "outs_made", "caught")}
    )
    complete = frame.filter(_EVENT != TRUNCATED)
    batting = complete.group_by("game", player="batter").agg(expr.alias(name) for name, expr in _BATTING.items())
    batting = _with(_with(batting, _scored(plays), "batter_runs_scored"), _stolen(plays), "batter_stolen_bases")
    batting = batting.with_columns(
        batter_hits_runs_rbis=pl.sum_horizontal("batter_hits", "batter_runs_scored", "batter_rbis")
    )
    pitching = frame.group_by("game", player="pitcher").agg(expr.alias(name) for name, expr in _PITCHING.items())
    return batting, _with(pitching, _earned(plays), "pitcher_earned_runs")


def _with(counts: pl.DataFrame, more: pl.DataFrame, name: str) -> pl.DataFrame:
    return counts.join(more.rename({"len": name}), on=["game", "player"], how="left").with_columns(
        pl.col(name).fill_null(0).cast(pl.Int64())
    )


def _scored(plays: Plays) -> pl.DataFrame:
    return _tally(np.repeat(plays["game"], 4), plays["scored"].ravel())


def _earned(plays: Plays) -> pl.DataFrame:
    return _tally(np.repeat(plays["game"], 4), np.where(plays["earned"], plays["charged"], NOBODY).ravel())


def _stolen(plays: Plays) -> pl.DataFrame:
    return _tally(plays["game"], np.where(plays["caught"], NOBODY, plays["stole"]))


def _tally(
    game: np.ndarray[tuple[int], np.dtype[np.int64]], player: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> pl.DataFrame:
    frame = pl.DataFrame({"game": game, "player": player}).filter(pl.col("player") != NOBODY)
    return frame.group_by("game", "player").len()


def _of_starters(counts: pl.DataFrame, starters: Ints, times: int) -> pl.DataFrame:
    """Return how often each count came up among those who start, one row per card, player, market and count."""
    sides = starters.reshape(len(starters), -1)
    listed = pl.DataFrame({"card": np.repeat(np.arange(len(sides)), sides.shape[1]), "player": sides.ravel()})
    mine = counts.with_columns(card=pl.col("game") // times).join(listed, on=["card", "player"])
    long = mine.drop("game").unpivot(index=["card", "player"], variable_name="market", value_name="count")
    return (
        long.group_by("card", "player", "market", pl.col("count").cast(pl.Int64()))
        .len("games")
        .cast({"games": pl.Int64()})
    )
