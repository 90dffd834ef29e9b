"""Batter against pitcher: odds ratios, platoon, park and home field put together per outcome.

    p_i ∝ b_i * p_i(pitcher) / l_i * R_i(side, hand) * PK_i(park) * H_i(home or away)

This is multinomial log5 (docs/model.md). The time through the order is applied later, turn by turn.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.features import opportunity, park, platoon
from backstop.features.lineups import PERSON, Slate
from backstop.features.model import Model
from backstop.features.opportunity import MAX_BATTERS, MAX_TURNS
from backstop.features.outcomes import OUTCOMES
from backstop.features.parameters import Refinement
from backstop.features.rates import Floats, shrink
from backstop.features.tally import LINEUP_PLACES

HITS: Final = [OUTCOMES.index(name) for name in ("single", "double", "triple", "home_run")]
STRIKEOUT: Final = OUTCOMES.index("strikeout")
HOME_RUN: Final = OUTCOMES.index("home_run")
ON_BASE: Final = [*HITS, OUTCOMES.index("walk"), OUTCOMES.index("hbp")]
WEIGHTED: Final = [f"w_{outcome}" for outcome in OUTCOMES]


def odds_ratio(batter: Floats, pitcher: Floats, league: Floats, *factors: Floats) -> Floats:
    """Return outcome probabilities of match-ups, one row each, summing to one."""
    product = batter * pitcher / league
    for factor in factors:
        product = product * factor
    return np.asarray(product / product.sum(axis=1, keepdims=True))


def batter_rows(slate: Slate, model: Model) -> pl.DataFrame:
    """Return the batters' part of `out_features`."""
    people = known_batters(slate.batters, model)
    if people.is_empty():
        return people
    own = batter_rates(people, model)
    on_base = _lineup_on_base(slate, model, people, pl.col("is_home"))
    facing = people.select("game_date", ~pl.col("is_home"), pitcher_id_mlbam="opposing_starter_id_mlbam")
    starters = known_pitchers(facing.with_columns(lineup_on_base=on_base), model)
    ground = _ground(people, model)
    hands = platoon.factors(model.cells, people["side_vs_l"], people["side_vs_r"], starters["throws"])
    versus_starter = odds_ratio(own, pitcher_rates(starters, model), model.league, hands, *ground)
    relief = np.stack([model.relief.get(team, model.relief[""]) for team in people["opponent"]])
    versus_relief = odds_ratio(own, relief, model.league, *ground)
    reach = opportunity.turns_at_least(
        people["slot"].to_numpy(),
        people["is_home"].cast(pl.Float64).to_numpy(),
        on_base,
        model.turns_shift,
        model.parameters,
    )
    faced = opportunity.batters_distribution(starters["batters_faced_mean"].to_numpy(), model.parameters)
    return people.select(
        *PERSON, "slot", "opposing_starter_id_mlbam", "history_pa", "recent_pa", "whiff_rate", "swinging_strike_rate",
        "barrel_rate", "xba",
        lineup_on_base=pl.Series(on_base),
        **_neighbours(people, versus_starter),
        role=pl.lit("batter"),
        prior_only=pl.col("history_pa") == 0,
        **_columns("rate", own),
        **_columns("vs_starter", versus_starter),
        **_columns("vs_relief", versus_relief),
        **{f"turns_at_least_{n}": pl.Series(reach[:, n - 1]) for n in range(1, MAX_TURNS + 1)},
        **_starter_shares(faced, people["slot"].to_numpy()),
    )  # fmt: skip


def starter_rows(slate: Slate, model: Model) -> pl.DataFrame:
    """Return the starting pitchers' part of `out_features`."""
    if slate.starters.is_empty():
        return slate.starters
    on_base = _lineup_on_base(slate, model, slate.starters, ~pl.col("is_home"))
    named = slate.starters.rename({"player_id_mlbam": "pitcher_id_mlbam"})
    people = known_pitchers(named.with_columns(lineup_on_base=on_base), model)
    own = pitcher_rates(people, model)
    faced = opportunity.batters_distribution(people["batters_faced_mean"].to_numpy(), model.parameters)
    return people.rename({"pitcher_id_mlbam": "player_id_mlbam"}).select(
        *PERSON, "history_pa", "recent_pa", "batters_faced_mean", "outs_mean", "lineup_on_base", "days_rest", "starts",
        "relief_share", "whiff_rate", "swinging_strike_rate",
        role=pl.lit("starter"),
        prior_only=pl.col("history_pa") == 0,
        batters_faced_pmf=pl.Series(faced.tolist(), dtype=pl.List(pl.Float64)),
        **_columns("rate", own),
        **_lineup_columns(slate, model, people, own),
    )  # fmt: skip


def batter_rates(people: pl.DataFrame, model: Model) -> Floats:
    """Return the batters' shrunken rates; the prior mean is that of the slot.

    Home runs are refined by barrels per batted ball: HR * (HR / league)^a * (barrels / league)^b * c. A batter none of
    whose batted balls was measured keeps his rate.
    """
    prior = model.slot_prior[people["slot"].to_numpy()]
    rates = shrink(people.select(WEIGHTED).to_numpy(), prior, model.parameters.batter_k)
    counted, measured = (people[name].to_numpy() for name in ("barrels", "batted_balls_measured"))
    return _refined(rates, HOME_RUN, counted, measured, model.barrels, model.league, model.parameters.home_runs)


def pitcher_rates(people: pl.DataFrame, model: Model) -> Floats:
    """Return the starters' shrunken rates; the prior mean is that of their experience.

    Strikeouts are refined by swinging strikes per pitch, as home runs are by barrels. A starter whose pitches nobody
    described keeps his rate.
    """
    prior = starter_prior(people, model)
    rates = shrink(people.select(WEIGHTED).to_numpy(), prior, model.parameters.pitcher_k)
    counted, measured = (people[name].to_numpy() for name in ("whiffs", "pitches_described"))
    return _refined(rates, STRIKEOUT, counted, measured, model.swinging, model.league, model.parameters.strikeouts)


def starter_prior(people: pl.DataFrame, model: Model) -> Floats:
    """Return what is assumed of starters of their experience: `recent_pa` batters faced this season and last."""
    bucket = np.searchsorted(model.parameters.starter_experience, people["recent_pa"].to_numpy(), side="right")
    prior = np.asarray(model.parameters.starter_role)[bucket] * model.league
    return np.asarray(prior / prior.sum(axis=1, keepdims=True))


def signal_of(counted: Floats, measured: Floats, league_signal: float, steady: float) -> Floats:
    """Return Statcast rates over the league's, steadied by so many pitches or batted balls at the league's rate."""
    return np.asarray((counted + steady * league_signal) / (measured + steady) / league_signal)


def _refined(
    rates: Floats,
    outcome: int,
    counted: Floats,
    measured: Floats,
    league_signal: float | None,
    league: Floats,
    fit: Refinement,
) -> Floats:
    """Multiply one outcome's rate by what a Statcast rate says beyond it; the others make room."""
    if league_signal is None:
        return rates
    signal = signal_of(counted, measured, league_signal, fit.signal_k)
    factor = np.exp(fit.level) * (rates[:, outcome] / league[outcome]) ** fit.rate * signal**fit.signal
    own = rates[:, outcome] * np.where(measured > 0, factor, 1.0)
    refined = rates * ((1.0 - own) / (1.0 - rates[:, outcome]))[:, None]
    refined[:, outcome] = own
    return refined


def known_batters(batters: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Join what is known; a batter nobody has seen has zero counts and unknown sides."""
    history = model.batters.rename({"batter_id_mlbam": "player_id_mlbam"})
    joined = batters.join(history, on="player_id_mlbam", how="left", maintain_order="left")
    counts = pl.col("history_pa", "recent_pa", "barrels", "batted_balls_measured")
    return joined.with_columns(pl.col(*WEIGHTED).fill_null(0.0), counts.fill_null(0))


def known_pitchers(pitchers: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Join what is known; a pitcher without starts is expected to face the prior number of batters."""
    prior = model.parameters.workload_prior
    joined = pitchers.join(model.pitchers, on="pitcher_id_mlbam", how="left", maintain_order="left")
    joined = joined.join(model.workload, on="pitcher_id_mlbam", how="left", maintain_order="left")
    return joined.with_columns(
        pl.col(*WEIGHTED).fill_null(0.0),
        pl.col("history_pa", "recent_pa", "starts", "whiffs", "pitches_described").fill_null(0),
        pl.col("recent_mean").fill_null(model.starter_batters * prior),
        pl.col("outs_mean").fill_null(model.starter_outs * prior),
        days_rest=(pl.col("game_date") - pl.col("last_start")).dt.total_days(),
        season_age=(pl.col("game_date") - pl.lit(model.opened, pl.Date)).dt.total_days().fill_null(0),
    ).with_columns(batters_faced_mean=opportunity.workload(model.parameters))


def _ground(people: pl.DataFrame, model: Model) -> tuple[Floats, Floats]:
    """Return park and home factors per batter's row."""
    field = park.factors(
        model.parks, people["home_team"].to_list(), people["team"].to_list(), people["opponent"].to_list()
    )
    home = np.asarray(model.parameters.home)
    return field, np.where(people["is_home"].to_numpy()[:, None], home, 2.0 - home)


def _lineup_on_base(slate: Slate, model: Model, people: pl.DataFrame, side: pl.Expr) -> Floats:
    """Return, per row, a line-up's mean on-base rate minus the league's; `side` says whether it is the home team's."""
    everyone = known_batters(slate.lineups, model)
    rates = batter_rates(everyone, model)[:, ON_BASE].sum(axis=1) - model.league[ON_BASE].sum()
    sides = everyone.select("game_pk", "is_home", on_base=pl.Series(rates))
    mean = sides.group_by("game_pk", "is_home", maintain_order=True).agg(pl.col("on_base").mean())
    wanted = people.select("game_pk", is_home=side)
    return wanted.join(mean, on=["game_pk", "is_home"], how="left", maintain_order="left")["on_base"].to_numpy()


def _neighbours(people: pl.DataFrame, versus_starter: Floats) -> dict[str, pl.Series]:
    """Return what the three hitters ahead of each batter get on base, and the bases of the three behind him.

    Means over those whose place in the order is known, against today's starter; null when none of the three is.
    """
    on_base = pl.Series(versus_starter[:, ON_BASE].sum(axis=1))
    bases = pl.Series(versus_starter[:, HITS] @ np.arange(1.0, 5.0))
    own = people.select("game_pk", "is_home", "slot", on_base=on_base, bases=bases)
    found = {}
    for name, column, steps in (("ahead_on_base", "on_base", (-1, -2, -3)), ("behind_bases", "bases", (1, 2, 3))):
        near = [
            people.select(
                "game_pk", "is_home", slot=((pl.col("slot") - 1 + step) % LINEUP_PLACES + 1).cast(pl.Int16)
            ).join(own, on=["game_pk", "is_home", "slot"], how="left", maintain_order="left")[column]
            for step in steps
        ]
        found[name] = pl.DataFrame([s.alias(str(i)) for i, s in enumerate(near)]).mean_horizontal()
    return found


def _lineup_columns(slate: Slate, model: Model, people: pl.DataFrame, own: Floats) -> dict[str, pl.Series]:
    """Return, per starter, lists of nine: what each opposing place does against him."""
    facing = people.select("game_pk", ~pl.col("is_home"), starter=pl.int_range(pl.len()), throws=pl.col("throws"))
    order = slate.lineups.join(facing, on=["game_pk", "is_home"], how="inner").sort("starter", "slot")
    batters = known_batters(order, model)
    hands = platoon.factors(model.cells, batters["side_vs_l"], batters["side_vs_r"], batters["throws"])
    pitcher = own[batters["starter"].to_numpy()]
    p = odds_ratio(batter_rates(batters, model), pitcher, model.league, hands, *_ground(batters, model))
    per_starter = p.reshape(len(people), 9, len(OUTCOMES))
    chosen = {
        "lineup_strikeout": per_starter[:, :, OUTCOMES.index("strikeout")],
        "lineup_walk": per_starter[:, :, OUTCOMES.index("walk")],
        "lineup_hit": per_starter[:, :, HITS].sum(axis=2),
        "lineup_home_run": per_starter[:, :, OUTCOMES.index("home_run")],
    }
    return {name: pl.Series(values.tolist(), dtype=pl.List(pl.Float64)) for name, values in chosen.items()}


def _starter_shares(faced: Floats, slot: Floats) -> dict[str, pl.Series]:
    """Return P(the k-th plate appearance is against the starter) = P(batters faced >= 9(k-1) + slot)."""
    at_least = faced[:, ::-1].cumsum(axis=1)[:, ::-1]
    rows = np.arange(len(slot))
    shares = {}
    for k in range(1, MAX_TURNS + 1):
        needed = np.asarray(9 * (k - 1) + slot, dtype=np.int64)
        reached = np.where(needed <= MAX_BATTERS, at_least[rows, np.minimum(needed, MAX_BATTERS)], 0.0)
        shares[f"starter_share_{k}"] = pl.Series(np.minimum(reached, 1.0))
    return shares


def _columns(prefix: str, values: Floats) -> dict[str, pl.Series]:
    return {f"{prefix}_{outcome}": pl.Series(values[:, i]) for i, outcome in enumerate(OUTCOMES)}
