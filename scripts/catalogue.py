"""What each feature is: its entry in `docs/data-dictionary.md`, which `scripts.dictionary` writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backstop.features.outcomes import OUTCOMES

HISTORY: Final = "season to date and three seasons before, weights 1, .5, .3, .2"
RECENT: Final = "this season and last"
EVERY: Final = "all history in the lake"
SLATE: Final = "the slate itself"
FITTED: Final = "fitted once on earlier seasons"
POSTED: Final = "core_games, core_players"
TALLIES: Final = "core_tallies"
BOXES: Final = "core_box"
FEW: Final = "starters; the lake's box scores before the day hold fewer than 5,000 plate appearances"
GAMMA: Final = "Gamma-Poisson (Greenwood and Yule 1920), docs/model.md"


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of `out_features`.

    Attributes:
        name: Column.
        unit: What a number counts or measures.
        meaning: One line.
        window: Which days it looks at; never the slate's own.
        inputs: Tables behind it.
        null: When it is null.
        source: Origin of the formula.
    """

    name: str
    unit: str
    meaning: str
    window: str
    inputs: str
    null: str = "never"
    source: str = "-"


def _key(name: str, unit: str, meaning: str, null: str = "never") -> Feature:
    return Feature(name, unit, meaning, SLATE, POSTED, null)


def _rates() -> list[Feature]:
    """Return the entries of the three families of outcome rates."""
    log5 = "multinomial log5 (Haechrel 2014; Tango), docs/model.md"
    families = (
        ("rate", "per plate appearance", "shrunken rate against an average opponent", HISTORY, TALLIES, "never",
         ("empirical Bayes, docs/model.md; a starter's strikeouts refined by swinging strikes, a batter's home runs by "
         "barrels")),
        ("vs_starter", "probability", "per plate appearance against today's starter, time through the order left out",
         HISTORY, f"{TALLIES}, {POSTED}", "starters", log5),
        ("vs_relief", "probability", "per plate appearance against the opponent's relief pitching",
         HISTORY, f"{TALLIES}, {POSTED}", "starters", log5),
    )  # fmt: skip
    return [
        Feature(f"{prefix}_{outcome}", unit, f"{outcome.replace('_', ' ')}: {meaning}", window, inputs, null, source)
        for prefix, unit, meaning, window, inputs, null, source in families
        for outcome in OUTCOMES
    ]


def _opportunities() -> list[Feature]:
    turns = "logistic regression per threshold, moved by the season's level, docs/model.md"
    share = "P(batters faced >= 9(k-1) + slot), docs/model.md"
    reach = [
        Feature(
            f"turns_at_least_{n}",
            "probability",
            f"he has {n} or more plate appearances",
            f"{FITTED}; level of the season to date",
            f"{TALLIES}, {POSTED}",
            "starters",
            turns,
        )
        for n in range(1, 8)
    ]
    shares = [
        Feature(
            f"starter_share_{k}",
            "probability",
            f"his plate appearance {k} is against the starter",
            "the opposing starter's last 40 starts",
            f"{TALLIES}, {POSTED}",
            "starters",
            share,
        )
        for k in range(1, 8)
    ]
    return reach + shares


def _starting() -> list[Feature]:
    workload = "mean of starts weighted .9^age, two prior starts, regression on rest, relief use, line-up, home"
    lineup = [
        Feature(
            f"lineup_{name}",
            "list of 9 probabilities",
            f"{name.replace('_', ' ')} per plate appearance of each opposing place against him",
            HISTORY,
            f"{TALLIES}, {POSTED}",
            "batters",
            "multinomial log5, docs/model.md",
        )
        for name in ("strikeout", "walk", "hit", "home_run")
    ]
    last = "his last 40 starts"
    return [
        Feature("batters_faced_mean", "batters", "expected batters faced", last, TALLIES, "batters", workload),
        Feature("batters_faced_pmf", "list of 43 probabilities", "P(batters faced = 0..42)", last, TALLIES, "batters",
                "residuals of 2019, 2020 and 2024 around the mean, docs/model.md"),
        *lineup,
        Feature("outs_mean", "outs", "mean outs of his recent starts", last, TALLIES, "batters", workload),
        Feature("starts", "starts", "starts that the means hold, at most 40", EVERY, TALLIES, "batters"),
        Feature("relief_share", "share", "of his batters, those met in relief", RECENT, TALLIES,
                "batters; a starter who never pitched"),
        Feature("days_rest", "days", "since his last start", EVERY, TALLIES, "batters; before his first start"),
    ]  # fmt: skip


CATALOGUE: Final[tuple[Feature, ...]] = (
    _key("game_pk", "id", "MLB id of the game"),
    _key("game_date", "date", "baseball day"),
    _key("player_id_mlbam", "id", "MLBAM id"),
    _key("role", "batter or starter", "what is projected; a two-way player has both rows"),
    _key("player_name", "text", "full name", "a starter whom only the schedule names by id"),
    _key("team", "abbreviation", "his team"),
    _key("opponent", "abbreviation", "the other team"),
    _key("home_team", "abbreviation", "whose park it is"),
    _key("is_home", "yes or no", "whether his team bats last"),
    _key("slot", "1 to 9", "place in the batting order", "starters"),
    _key("opposing_starter_id_mlbam", "id", "the pitcher he meets first", "starters"),
    Feature("as_of", "date", "last day that any feature of the row could see; before the game's day", EVERY, TALLIES),
    Feature("history_pa", "plate appearances", "behind the row (batters faced for a starter)", EVERY, TALLIES),
    Feature("recent_pa", "plate appearances", "behind the row", RECENT, TALLIES),
    Feature("prior_only", "yes or no", "nothing is known of him: the row is the prior of his role", EVERY, TALLIES),
    Feature("lineup_on_base", "per plate appearance", "mean on-base rate of his line-up (of the opposing one for a "
            "starter) minus the league's", HISTORY, f"{TALLIES}, {POSTED}"),
    Feature("ahead_on_base", "probability", "mean chance to reach base of the three hitters ahead, against the starter",
            HISTORY, f"{TALLIES}, {POSTED}", "starters; none of the three is named"),
    Feature("behind_bases", "bases", "mean bases per plate appearance of the three hitters behind, against the starter",
            HISTORY, f"{TALLIES}, {POSTED}", "starters; none of the three is named"),
    *_rates(),
    *_opportunities(),
    *_starting(),
    Feature("whiff_rate", "share of swings", "swings that missed", RECENT, TALLIES, "no swing was described"),
    Feature("swinging_strike_rate", "share of pitches", "pitches swung at and missed", RECENT, TALLIES,
            "no pitch was described"),
    Feature("barrel_rate", "share of batted balls", "barrels (launch_speed_angle 6)", RECENT, TALLIES,
            "starters; no batted ball was measured"),
    Feature("xba", "batting average", "expected average of balls in play", RECENT, TALLIES,
            "starters; no batted ball was measured"),
    Feature("steals_shape", "steals", "his steals in box scores and the prior's: shape of the Gamma distribution of "
            "his rate", EVERY, BOXES, FEW, GAMMA),
    Feature("steals_pa", "plate appearances", "his in box scores and the prior's: rate of that distribution", EVERY,
            BOXES, FEW, GAMMA),
)  # fmt: skip
"""One entry per column of `backstop.features.build.SCHEMA`, in any order."""
