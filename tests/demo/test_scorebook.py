"""The simulated games kept by hand as a scorer would, out by out: what the plays say must be one possible game."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from backstop.demo.league.cards import cards, redrawn
from backstop.demo.league.outcomes import EVENTS, NOBODY
from backstop.demo.league.people import CLUB_SIZE
from backstop.demo.league.play import Cards, Plays, play

SEEDS = (1, 20, 300)
GAMES = 60
OUTS = {"strikeout": 1, "field_out": 1, "force_out": 1, "sac_fly": 1, "sac_bunt": 1, "grounded_into_double_play": 2}
REACHES = {"walk", "intent_walk", "hit_by_pitch", "single", "double", "triple", "field_error", "force_out"}


@dataclass
class Half:
    """A half inning as it was played, and what it leaves."""

    game: int
    inning: int
    half: int
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def outs(self) -> int:
        return sum(OUTS.get(row["event"], 0) + row["caught"] for row in self.rows)

    @property
    def runs(self) -> int:
        return sum(row["runs"] for row in self.rows)

    @property
    def won_here(self) -> bool:
        last = self.rows[-1]
        return self.half == 1 and self.inning >= 9 and last["home_score"] + last["runs"] > last["away_score"]


def of(seed: int) -> tuple[Cards, list[dict[str, Any]]]:
    """The first games of a season, play by play."""
    deck = cards(seed)
    deck = Cards(*(getattr(deck, name)[:GAMES] for name in Cards.__dataclass_fields__))
    plays: Plays = play(deck, np.random.default_rng(seed))
    lists = {name: values.tolist() for name, values in plays.columns.items()}
    rows = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    for row in rows:
        row["event"] = EVENTS[row["event"]]
    return deck, rows


@pytest.fixture(scope="module", params=SEEDS)
def book(request: pytest.FixtureRequest) -> tuple[Cards, list[dict[str, Any]]]:
    return of(request.param)


def halves(rows: list[dict[str, Any]]) -> Iterator[Half]:
    current: Half | None = None
    for row in rows:
        key = (row["game"], row["inning"], row["half"])
        if current is None or key != (current.game, current.inning, current.half):
            if current:
                yield current
            current = Half(*key)
        current.rows.append(row)
    if current:
        yield current


def test_halves_follow_each_other_and_the_last_one_is_where_a_club_leads(book):
    _, rows = book
    by_game: dict[int, list[Half]] = {}
    for half in halves(rows):
        by_game.setdefault(half.game, []).append(half)
    assert sorted(by_game) == list(range(GAMES))
    for played in by_game.values():
        assert [(half.inning, half.half) for half in played] == [(n // 2 + 1, n % 2) for n in range(len(played))]
        score = Counter()
        for number, half in enumerate(played):
            score[half.half] += half.runs
            over = half.inning >= 9 and (
                score[1] > score[0] if half.half == 0 or half.won_here else score[0] > score[1]
            )
            assert over == (number == len(played) - 1), (half.game, half.inning, half.half, score)


def test_outs_and_scores_go_on_where_the_play_before_left_them(book):
    _, rows = book
    for half in halves(rows):
        outs = 0
        for before, row in zip([None, *half.rows], half.rows, strict=False):
            assert row["outs"] == outs
            outs += OUTS.get(row["event"], 0) + row["caught"]
            if before:
                scored = before["home_score" if half.half else "away_score"] + before["runs"]
                assert row["home_score" if half.half else "away_score"] == scored
                assert (
                    row["away_score" if half.half else "home_score"]
                    == before["away_score" if half.half else "home_score"]
                )
        assert outs == 3 or (half.won_here and outs < 3)
        # an inning that a runner ended leaves its batter without a plate appearance, and only such an inning does
        cut = [row["event"] == "truncated_pa" for row in half.rows]
        assert cut == [row["caught"] and row["outs"] == 2 for row in half.rows]


def test_whoever_came_up_is_out_across_the_plate_or_still_on_base(book):
    _, rows = book
    for half in halves(rows):
        came_up = sum(row["event"] != "truncated_pa" for row in half.rows) + (half.inning > 9)
        left = came_up - half.outs - half.runs
        assert 0 <= left <= (4 if half.won_here else 3), (half.game, half.inning, half.half)


def test_a_runner_on_base_came_there_by_a_play_and_leaves_it_by_one(book):
    _, rows = book
    for half in halves(rows):
        may_be_on: set[int] = set()
        for row in half.rows:
            on = {runner for runner in row["on"] if runner != NOBODY}
            if row is half.rows[0]:
                assert on == ({row["on"][1]} if half.inning > 9 else set())
            else:
                assert on <= may_be_on
            crossed = [runner for runner in row["scored"] if runner != NOBODY]
            assert len(set(crossed)) == len(crossed) == row["runs"]
            assert set(crossed) <= on | {row["batter"]}
            assert (row["batter"] in crossed) == (row["event"] == "home_run")
            if row["stole"] != NOBODY:
                assert row["stole"] == row["on"][0]
                assert row["on"][1] == NOBODY
            assert not (row["caught"] and row["stole"] in crossed)
            may_be_on = on - set(crossed) - ({row["stole"]} if row["caught"] else set())
            may_be_on |= {row["batter"]} if row["event"] in REACHES else set()


def test_the_order_goes_round_and_who_left_the_game_never_comes_back(book):
    deck, rows = book
    order = {(game, side): list(deck.lineup[game, side]) for game in range(GAMES) for side in (0, 1)}
    place: Counter[tuple[int, int]] = Counter()
    gone: set[tuple[int, int]] = set()
    mound: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        side = (row["game"], row["half"])
        up = order[side][place[side] % 9]
        if up != row["batter"]:
            bench = list(deck.substitute[side])
            number = bench.index(row["batter"])
            assert deck.substitute_place[side][number] == place[side] % 9
            assert row["inning"] >= deck.substitute_inning[side][number]
            gone.add((row["game"], up))
            order[side][place[side] % 9] = row["batter"]
        assert (row["game"], row["batter"]) not in gone
        place[side] += row["event"] != "truncated_pa"
        arms = mound.setdefault((row["game"], 1 - row["half"]), [])
        if row["pitcher"] not in arms[-1:]:
            assert row["pitcher"] not in arms
            arms.append(row["pitcher"])
    for (game, side), arms in mound.items():
        assert arms[0] == deck.starter[game, side]
        assert arms[1:] == list(deck.bullpen[game, side])[: len(arms) - 1]


def test_a_run_is_charged_to_who_put_the_man_on_and_unearned_after_an_error(book):
    _, rows = book
    for half in halves(rows):
        owes: dict[int, tuple[int, bool]] = {}
        placed = half.rows[0]["on"][1] if half.inning > 9 else NOBODY
        for row in half.rows:
            for scorer, charged, earned in zip(row["scored"], row["charged"], row["earned"], strict=True):
                if scorer == NOBODY:
                    continue
                pitcher, clean = (row["pitcher"], True) if scorer == row["batter"] else owes.get(scorer, (None, False))
                if scorer == placed and scorer not in owes:
                    assert not earned
                    continue
                assert (charged, earned) == (pitcher, clean), (row["game"], row["number"])
            if row["event"] in REACHES:
                owes[row["batter"]] = (row["pitcher"], row["event"] != "field_error")


def test_what_nobody_can_know_before_a_game_is_drawn_anew_and_what_is_posted_stays():
    deck = cards(5)
    again = redrawn(deck, np.random.default_rng(8))
    for name in ("club", "lineup", "starter"):
        assert (getattr(again, name) == getattr(deck, name)).all()
    assert (np.sort(again.bullpen, axis=2) == np.sort(deck.bullpen, axis=2)).all()
    assert (again.bullpen != deck.bullpen).any()
    for side in (0, 1):
        there = again.substitute[:, side] != NOBODY
        bench = again.substitute[:, side] % CLUB_SIZE
        assert ((bench[there] >= 9) & (bench[there] < 13)).all()
        assert not (again.lineup[:, side, :, None] == np.where(there, again.substitute[:, side], -2)[:, None, :]).any()
        both = there.all(axis=1)
        assert (again.substitute_place[both, side, 0] != again.substitute_place[both, side, 1]).all()
