"""How far projections are from the truth of the simulated league, where it comes from, and what nobody could do better.

    python -m benchmarks.league_truth                  # five minutes
    python -m benchmarks.league_truth --days 1         # one day of the third month instead of three

The league's probabilities are known: each game is played some thousand times over from its posted cards. The tables
give the expected log loss above the truth's own, market by market, after no season and after three:

- as it ships, and with a fit on the league's own past (the season before; without one its first two months);
- the same with true talents of batters, of pitchers, of both in the place of estimated ones: what is left is the error
  of form;
- the least that is possible: what somebody would miss who knew everything - the kinds of players and the spread of
  talents within each, parks, hands, hooks - but the talents themselves, and saw what each did. His beliefs after n
  plate appearances are drawn around the true rates, with variance 1 / (1 / s^2 + n p (1 - p)) of their logarithm; his
  expected excess is the mean divergence of a draw from the mean of the draws (Bayes' risk under log loss). Swinging
  strikes and barrels, which tell more than outcomes do, are not in it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from backstop.demo.league import calendar, talent
from backstop.demo.league.cards import cards
from backstop.demo.league.people import FIRST_ID, players
from backstop.demo.league.world import LeagueWorld
from backstop.demo.world import PitchAsk
from backstop.features import build, matchup
from backstop.features.sums import add_up
from backstop.features.tally import tally
from backstop.features.walk import as_played
from backstop.fitting.model import fit
from backstop.fitting.rows import Window
from backstop.props.fitted import Fitted
from backstop.props.generate import generate
from backstop.tables import PITCHES
from benchmarks import truth
from benchmarks.report import Report, arguments

THIS = calendar.OPENING_DAY
SEASON, SO_FAR, JUDGED = 165, 81, (65, 72, 80)
REPLAYS = 2_000
DRAWS = 24
HEADLINE = {
    "hits 0.5": ("batter_hits", 0.5),
    "total bases 1.5": ("batter_total_bases", 1.5),
    "home runs 0.5": ("batter_home_runs", 0.5),
    "strikeouts 0.5": ("batter_strikeouts", 0.5),
    "walks 0.5": ("batter_walks", 0.5),
    "starter strikeouts 4.5": ("pitcher_strikeouts", 4.5),
    "starter outs 15.5": ("pitcher_outs", 15.5),
}
NOT_TOLD = "batter_stolen_bases"
"""Needs box scores, which are not part of this."""

Rates = Callable[[pl.DataFrame, object], np.ndarray]


@contextlib.contextmanager
def opened(opening: dt.date, days: int) -> Iterator[None]:
    """Let the league play from a day on, without rain."""
    kept = {name: getattr(calendar, name) for name in ("OPENING_DAY", "LAST_DAY", "FIRST_GAME_PK", "RAIN", "SPLITS")}
    told = (opening, opening + dt.timedelta(days=days), opening.year * 10_000, {}, {})
    try:
        _tell(dict(zip(kept, told, strict=True)))
        yield
    finally:
        _tell(kept)


def _tell(values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(calendar, name, value)
    calendar.season.cache_clear()
    cards.cache_clear()


def played(opening: dt.date, days: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tallies of a season and what its box scores tell."""
    with opened(opening, days):
        now = dt.datetime.combine(calendar.LAST_DAY + dt.timedelta(days=2), dt.time(), dt.UTC)
        raw = LeagueWorld(opening.year, now=now).pitches(PitchAsk(last=calendar.LAST_DAY))
        names = {c.name: c.upstream or c.name for c in PITCHES.columns}
        columns = (
            (pl.col(names[c.name]) if names[c.name] in raw.columns else pl.lit(None))
            .cast(c.dtype, strict=False)
            .alias(c.name)
            for c in PITCHES.columns
        )
        return tally(raw.select(columns)), truth.happened(opening.year)


def true_rates(rates: np.ndarray, person: str, tallies: pl.DataFrame, column: str) -> Rates:
    """Return what stands in for estimated rates: true talents over their mean, times the league's rates."""
    turns = tallies.group_by(column).agg(pl.col("plate_appearances").sum())
    weight = turns["plate_appearances"].to_numpy().astype(float)
    mean = (rates[turns[column].to_numpy() - FIRST_ID] * weight[:, None]).sum(axis=0) / weight.sum()

    def of(people: pl.DataFrame, model) -> np.ndarray:
        product = model.league * rates[people[person].to_numpy() - FIRST_ID] / mean
        return product / product.sum(axis=1, keepdims=True)

    return of


@contextlib.contextmanager
def knowing(batters: Rates | None, pitchers: Rates | None) -> Iterator[None]:
    """Put true rates in the place of estimated ones."""
    kept = matchup.batter_rates, matchup.pitcher_rates
    matchup.batter_rates, matchup.pitcher_rates = batters or kept[0], pitchers or kept[1]
    try:
        yield
    finally:
        matchup.batter_rates, matchup.pitcher_rates = kept


def projected(tallies: pl.DataFrame, day: dt.date, fitted: Fitted) -> pl.DataFrame:
    games, cast = as_played(tallies.filter(game_date=day))
    sums = add_up(tallies.filter(pl.col("game_date") < day))
    features = build.from_sums(sums, games, cast, cutoff=day, parameters=fitted.parameters)
    return generate(features, fitted=fitted).filter(pl.col("market") != NOT_TOLD)


def divergence(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Expected log loss of p above that of q, where q is true."""
    q, p = np.clip(q, 1e-6, 1 - 1e-6), np.clip(p, 1e-6, 1 - 1e-6)
    return q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))


def gaps(tallies: pl.DataFrame, truths: dict[dt.date, pl.DataFrame], fitted: Fitted) -> pl.DataFrame:
    """`market`, `line`, `gap`, one row per prop, without what the replays' own sampling adds."""
    parts = [truth.over(projected(tallies, day, fitted), known) for day, known in truths.items()]
    rows = pl.concat(parts)
    gap = divergence(rows["true_over"].to_numpy(), rows["prob_over"].to_numpy()) - 0.5 / REPLAYS
    return rows.select("market", "line", gap=pl.Series(gap))


def least(tallies: pl.DataFrame, days: list[dt.date]) -> pl.DataFrame:
    """`market`, `line`, `gap`: what is left to somebody who knows everything but the talents."""
    skills, parts = talent.talents(), []
    thrown = talent.LEAGUE * skills.pitching
    thrown = thrown / thrown.sum(axis=1, keepdims=True)
    sides = (
        (skills.batting, skills.batting, talent.SPREAD_BATTER, "player_id_mlbam", "batter_id_mlbam"),
        (skills.pitching, thrown, talent.SPREAD_PITCHER, "pitcher_id_mlbam", "pitcher_id_mlbam"),
    )
    for day in days:
        rng, before, drawn = np.random.default_rng(day.toordinal()), tallies.filter(pl.col("game_date") < day), []
        for _ in range(DRAWS):
            believed = []
            for rates, chance, spread, person, column in sides:
                seen = np.zeros(len(players()))
                turns = before.group_by(column).agg(pl.col("plate_appearances").sum())
                seen[turns[column].to_numpy() - FIRST_ID] = turns["plate_appearances"].to_numpy()
                known = np.divide(1.0, spread**2, out=np.full(spread.shape, 1e12), where=spread > 0)
                sd = 1.0 / np.sqrt(known + seen[:, None] * chance * (1 - chance))
                believed.append(
                    true_rates(rates * np.exp(sd * rng.standard_normal(rates.shape)), person, before, column)
                )
            with knowing(*believed):
                props = projected(tallies, day, Fitted.shipped().uncalibrated())
            drawn.append(props["prob_over"].to_numpy())
        q = np.stack(drawn)
        excess = divergence(q, q.mean(axis=0)).mean(axis=0) * DRAWS / (DRAWS - 1)
        parts.append(props.select("market", "line", gap=pl.Series(excess)))
    return pl.concat(parts)


def shown(rows: pl.DataFrame) -> dict[str, str]:
    batters = [rows.filter(market=m, line=line)["gap"].mean() for m, line in list(HEADLINE.values())[:5]]
    each = {name: f"{rows.filter(market=m, line=line)['gap'].mean():.4f}" for name, (m, line) in HEADLINE.items()}
    return {"batters' five": f"{np.mean(batters):.4f}", **each}


def main() -> None:
    """Play, fit, compare and print."""
    parser = arguments(__doc__)
    parser.add_argument("--days", type=int, default=len(JUDGED), help="days of the third month that are judged")
    given = parser.parse_args()
    report = Report("league_truth", given.record)
    openings = [THIS.replace(year=THIS.year - back) for back in (3, 2, 1, 0)]
    seasons = [played(opening, SEASON if opening < THIS else SO_FAR) for opening in openings]
    days = [THIS + dt.timedelta(days=number) for number in JUDGED[: given.days]]
    with opened(THIS, SO_FAR):
        truths = {day: truth.distributions(day, games=REPLAYS, seed=day.year) for day in days}
        for name, history in (("no season before", seasons[-1:]), ("three seasons before", seasons)):
            tallies = pl.concat([tallies for tallies, _ in history])
            last = days[0] - dt.timedelta(days=1) if len(history) == 1 else openings[2] + dt.timedelta(days=SEASON)
            first = THIS + dt.timedelta(days=5) if len(history) == 1 else last - dt.timedelta(days=75)
            window = Window(
                tallies.filter(pl.col("game_date") <= last), first, last, pl.concat([r for _, r in history])
            )
            own = fit([window], base=Fitted.shipped(), version="own", trained_on="the league")
            batters = true_rates(talent.talents().batting, "player_id_mlbam", tallies, "batter_id_mlbam")
            pitchers = true_rates(talent.talents().pitching, "pitcher_id_mlbam", tallies, "pitcher_id_mlbam")
            title = f"Expected log loss above the truth's, all props: {name}"
            table = report.table(name.replace(" ", "_"), title, unit="nats")
            variants = {
                "as shipped": (Fitted.shipped(), None, None),
                "fitted on its own past": (own, None, None),
                "with batters' true talents": (own, batters, None),
                "with pitchers'": (own, None, pitchers),
                "with both: the error of form": (own, batters, pitchers),
            }
            for variant, (fitted, *known) in variants.items():
                with knowing(*known):
                    rows = gaps(tallies, truths, fitted)
                table.row(variant, rows["gap"].mean(), **shown(rows))
            rows = least(tallies, days)
            table.row("the least that is possible", rows["gap"].mean(), **shown(rows))
    report.close()


if __name__ == "__main__":
    main()
