"""The features worked out slowly, in plain Python, from one row per turn at bat: the formulas of docs/model.md."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from backstop.features.outcomes import EVENT_OUTCOME, EVENT_OUTS, OUTCOMES, SWINGS, WHIFFS
from backstop.features.parameters import Parameters, Refinement
from backstop.features.park import EXPONENTS as PARK_EXPONENTS
from backstop.features.park import PARK_K
from backstop.features.platoon import EXPONENTS as PLATOON_EXPONENTS
from backstop.features.rates import FIRST_LEAGUE, RELIEF_K

Turn = dict[str, Any]
Rates = list[float]
AGES = {0: 1.0, 1: 0.5, 2: 0.3, 3: 0.2}
EIGHT = range(len(OUTCOMES))
BASES = {3: 1, 4: 2, 5: 3, 6: 4}
ON_BASE = (1, 2, 3, 4, 5, 6)


def normal(values: Iterable[float]) -> Rates:
    found = list(values)
    return [value / sum(found) for value in found]


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@dataclass
class Statcast:
    pitches: int = 0
    swings: int = 0
    whiffs: int = 0
    measured: int = 0
    barrels: int = 0
    xba: list[float] = field(default_factory=list)


@dataclass
class Past:
    """What is known before a day."""

    turns: list[Turn]
    season: int
    fit: Parameters

    def __post_init__(self) -> None:
        """Find out who held which place, who started, and what the league did."""
        order: dict[tuple[int, bool], list[int]] = defaultdict(list)
        first: dict[tuple[int, bool], int] = {}
        for turn in self.turns:
            side = (turn["game_pk"], turn["is_home"])
            if turn["batter"] not in order[side]:
                order[side].append(turn["batter"])
            first.setdefault(side, turn["pitcher"])
            place = order[side].index(turn["batter"]) + 1
            turn |= {"slot": place if place <= 9 else 0, "started": first[side] == turn["pitcher"]}
        self.by_year = defaultdict(Counter)
        for turn in self.turns:
            self.by_year[turn["season"]][turn["outcome"]] += 1
        self.league_of = {
            year: [(counts[o] + 500 * FIRST_LEAGUE[o]) / (counts.total() + 500) for o in EIGHT]
            for year, counts in self.by_year.items()
        }
        if earlier := [year for year in self.league_of if year < self.season]:
            # an April is not what a season is
            last = normal(r * f for r, f in zip(self.league_of[max(earlier)], self.fit.april, strict=True))
            now = self.by_year[self.season]
            self.league_of[self.season] = [(now[o] + 15_000 * last[o]) / (now.total() + 15_000) for o in EIGHT]
        self.league = self.league_of[self.season]

    def where(self, **wanted: Any) -> list[Turn]:
        return [turn for turn in self.turns if all(turn[name] == value for name, value in wanted.items())]

    def weighted(self, turns: list[Turn]) -> Rates:
        """Counts of up to four seasons, scaled to this season's league, each worth its plate appearances times its weight."""
        total = [0.0] * len(OUTCOMES)
        for age, weight in AGES.items():
            counts = Counter(turn["outcome"] for turn in turns if turn["season"] == self.season - age)
            if counts:
                scaled = [counts[o] * self.league[o] / self.league_of[self.season - age][o] for o in EIGHT]
                total = [t + weight * s * counts.total() / sum(scaled) for t, s in zip(total, scaled, strict=True)]
        return total

    def shrunken(self, counts: Rates, prior: Rates, k: Iterable[float]) -> Rates:
        n = sum(counts)
        rates = [(c + s * m) / (n + s) if n + s else m for c, m, s in zip(counts, prior, k, strict=True)]
        return [*rates[:-1], 1 - sum(rates[:-1])]

    def statcast(self, turns: list[Turn]) -> Statcast:
        """Of this season and the last."""
        found = Statcast()
        for turn in turns:
            if turn["season"] >= self.season - 1:
                found.pitches += turn["description"] is not None
                found.swings += turn["description"] in SWINGS
                found.whiffs += turn["description"] in WHIFFS
                found.measured += turn["in_play"] and turn["quality"] is not None
                found.barrels += turn["in_play"] and turn["quality"] == 6
                found.xba += [turn["xba"]] if turn["in_play"] and turn["xba"] is not None else []
        return found

    def refined(self, rates: Rates, outcome: int, part: int, whole: int, league: float, fit: Refinement) -> Rates:
        if not whole:
            return rates
        signal = (part + fit.signal_k * league) / (whole + fit.signal_k) / league
        own = rates[outcome] * math.exp(fit.level) * (rates[outcome] / self.league[outcome]) ** fit.rate
        own *= signal**fit.signal
        return [own if o == outcome else rates[o] * (1 - own) / (1 - rates[outcome]) for o in EIGHT]

    def slot_prior(self, slot: int) -> Rates:
        counts = [[0.0] * len(OUTCOMES) for _ in range(10)]
        for turn in self.turns:
            counts[turn["slot"]][turn["outcome"]] += AGES.get(self.season - turn["season"], 0.0)
        overall = normal(map(sum, zip(*counts, strict=True)))
        mine, n = counts[slot], sum(counts[slot])
        return normal((mine[o] + 2_000 * overall[o]) / (n + 2_000) / overall[o] * self.league[o] for o in EIGHT)

    def batter(self, who: int, slot: int) -> Rates:
        mine, everybody = self.where(batter=who), self.statcast(self.turns)
        rates = self.shrunken(self.weighted(mine), self.slot_prior(slot), self.fit.batter_k)
        seen = self.statcast(mine)
        league = everybody.barrels / everybody.measured
        return self.refined(rates, 6, seen.barrels, seen.measured, league, self.fit.home_runs)

    def pitcher(self, who: int) -> Rates:
        mine, everybody = self.where(pitcher=who), self.statcast(self.turns)
        recent = sum(turn["season"] >= self.season - 1 for turn in mine)
        bucket = sum(end <= recent for end in self.fit.starter_experience)
        prior = normal(r * m for r, m in zip(self.fit.starter_role[bucket], self.league, strict=True))
        rates = self.shrunken(self.weighted(mine), prior, self.fit.pitcher_k)
        seen = self.statcast(mine)
        league = everybody.whiffs / everybody.pitches
        return self.refined(rates, 0, seen.whiffs, seen.pitches, league, self.fit.strikeouts)

    def relief(self, team: str) -> Rates:
        in_relief = [turn for turn in self.where(started=False) if turn["season"] > self.season - 4]
        by_team = defaultdict(list)
        for turn in in_relief:
            by_team[turn["away_team"] if turn["is_home"] else turn["home_team"]].append(turn)
        counts = {name: self.weighted(turns) for name, turns in by_team.items()}
        prior = normal(map(sum, zip(*counts.values(), strict=True)))
        return self.shrunken(counts[team], prior, RELIEF_K) if team in counts else prior

    def platoon(self, who: int, against: int) -> Rates:
        """The cell over what both are used to."""
        cells: dict[tuple[str, str], Rates] = {(s, h): [0.0] * len(OUTCOMES) for s in "LR" for h in "LR"}
        for turn in self.turns:
            cells[turn["stand"], turn["throws"]][turn["outcome"]] += AGES.get(self.season - turn["season"], 0.0)
        size = {cell: sum(counts) for cell, counts in cells.items()}
        league = normal(map(sum, zip(*cells.values(), strict=True)))
        ratio = {c: [x / size[c] / m if x else 1.0 for x, m in zip(cells[c], league, strict=True)] for c in cells}
        side = {
            hand: max("LR", key=lambda s, h=hand: (len(self.where(batter=who, stand=s, throws=h)), s)) for hand in "LR"
        }
        hand = self.where(pitcher=against)[0]["throws"]
        same = side["L"] == side["R"]
        of_left = (
            size[side["L"], "L"] / (size[side["L"], "L"] + size[side["L"], "R"]) if same
            else (size["L", "L"] + size["R", "L"]) / sum(size.values())
        )  # fmt: skip
        share = {s: size[s, hand] / (size["L", hand] + size["R", hand]) for s in "LR"}
        found = []
        for o in EIGHT:
            batter = of_left * ratio[side["L"], "L"][o] + (1 - of_left) * ratio[side["R"], "R"][o]
            pitcher = sum(share[s] * ratio[s, hand][o] for s in "LR")
            found.append((ratio[side[hand], hand][o] / batter / pitcher) ** PLATOON_EXPONENTS[o])
        return found

    def park(self, team: str) -> Rates:
        """Home games of this and three seasons over road games."""
        recent = [turn for turn in self.turns if turn["season"] > self.season - 4]
        at_home = Counter(turn["outcome"] for turn in recent if turn["home_team"] == team)
        away = Counter(turn["outcome"] for turn in recent if turn["away_team"] == team)
        return [
            (at_home[o] + k * self.league[o]) / (at_home.total() + k)
            / ((away[o] + k * self.league[o]) / (away.total() + k))
            for o, k in enumerate(PARK_K)
        ]  # fmt: skip

    def against(self, own: Rates, other: Rates, row: dict[str, Any], *factors: Rates) -> Rates:
        here, mine, theirs = (self.park(row[name]) for name in ("home_team", "team", "opponent"))
        home = self.fit.home if row["is_home"] else [2 - h for h in self.fit.home]
        product = []
        for o in EIGHT:
            ground = (here[o] / ((1 + mine[o]) / 2 * (1 + theirs[o]) / 2)) ** PARK_EXPONENTS[o]
            value = own[o] * other[o] / self.league[o] * ground * home[o]
            product.append(value * math.prod(factor[o] for factor in factors))
        return normal(product)

    def starts(self, who: int | None = None) -> list[tuple[dt.date, int, int]]:
        """Day, batters faced and outs of each start, in order."""
        games: dict[tuple[dt.date, int, int], list[int]] = defaultdict(lambda: [0, 0])
        for turn in self.where(started=True):
            if who in {None, turn["pitcher"]}:
                both = games[turn["day"], turn["game_pk"], turn["pitcher"]]
                both[0] += 1
                both[1] += turn["outs"]
        return [(day, faced, outs) for (day, _, _), (faced, outs) in sorted(games.items())]

    def workload(self, who: int, part: int) -> float:
        """Mean of batters faced (1) or outs (2) of recent starts, nine tenths for each later one, two starts of the prior."""
        recent = [start for start in self.starts() if start[0].year >= self.season - 1]
        prior = sum(start[part] for start in recent) / len(recent) * self.fit.workload_prior
        own = self.starts(who)[-40:][::-1]
        weights = [0.9**age for age in range(len(own))]
        return (sum(w * start[part] for w, start in zip(weights, own, strict=True)) + 2 * prior) / (sum(weights) + 2)

    def relief_share(self, who: int) -> float | None:
        mine = [turn for turn in self.where(pitcher=who) if turn["season"] >= self.season - 1]
        return sum(not turn["started"] for turn in mine) / len(mine) if mine else None

    def faced(self, mean: float) -> Rates:
        """Batters faced 0 to 42: an earlier season's residuals around the mean."""
        centres, residuals = self.fit.workload_centres, self.fit.workload_residuals
        upper = min(max(sum(c < mean for c in centres), 1), len(centres) - 1)
        part = min(max((mean - centres[upper - 1]) / (centres[upper] - centres[upper - 1]), 0.0), 1.0)
        found = [0.0] * 43
        for place, (a, b) in enumerate(zip(residuals[upper - 1], residuals[upper], strict=True)):
            shape, low = a * (1 - part) + b * part, math.floor(mean)
            for start, share in ((low, 1 - (mean - low)), (low + 1, mean - low)):
                found[min(max(start + self.fit.workload_first + place, 1), 42)] += shape * share
        return normal(found)

    def reach(self, slot: int, home: bool) -> Rates:
        """P(at least 1 to 7 plate appearances), moved by what this season's games had."""
        games = Counter(
            (turn["slot"], turn["is_home"], turn["game_pk"])
            for turn in self.where(season=self.season)
            if turn["slot"]
        )  # fmt: skip
        found = [1.0]
        for n in range(2, 8):
            rungs, at_home = self.fit.turns_by_slot[n - 2], self.fit.turns_home[n - 2]
            base = sum(logistic(rung + h * at_home) for rung in rungs for h in (0, 1)) / 18
            total = len(games) + 3_000
            expected = sum(logistic(rungs[s - 1] + h * at_home) for s, h, _ in games) + 3_000 * base
            observed = sum(turns >= n for turns in games.values()) + 3_000 * base
            shift = logit(observed / total) - logit(expected / total)
            found.append(min(found[-1], logistic(rungs[slot - 1] + home * at_home + shift)))
        return found


def turns_of(pitches: Iterable[dict[str, Any]]) -> list[Turn]:
    """Turns at bat from rows of PITCHES with one pitch a turn, in the order of their playing."""
    played = sorted(pitches, key=lambda row: (row["game_date"], row["game_pk"], row["at_bat_number"]))
    found: list[Turn] = [
        {
            "game_pk": row["game_pk"], "day": row["game_date"], "season": row["game_date"].year,
            "home_team": row["home_team"], "away_team": row["away_team"],
            "is_home": row["inning_topbot"] == "Bot", "batter": row["batter_id_mlbam"],
            "pitcher": row["pitcher_id_mlbam"], "stand": row["stand"], "throws": row["p_throws"],
            "outcome": OUTCOMES.index(EVENT_OUTCOME[row["events"]]), "outs": EVENT_OUTS.get(row["events"], 0),
            "description": row["description"], "in_play": row["bb_type"] is not None,
            "quality": row["launch_speed_angle"], "xba": row["xba"], "inning": row["inning"],
            "lead": row["post_home_score"] - row["post_away_score"],
        }
        for row in played
    ]  # fmt: skip
    halves: dict[tuple[int, int, bool], list[Turn]] = defaultdict(list)
    for turn in found:
        halves[turn["game_pk"], turn["inning"], turn["is_home"]].append(turn)
    last = {turn["game_pk"]: turn for turn in found}
    for half in halves.values():
        end = half[-1]
        if end is not last[end["game_pk"]] or not end["is_home"] or end["lead"] <= 0:
            end["outs"] += min(max(3 - sum(turn["outs"] for turn in half), 0), 3)
    return found
