"""What single benchmarks reckon, against values worked out by hand or slowly."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import StoreUnavailable
from backstop.limits import SLATE_FRESH_S
from backstop.props.markets import MARKETS
from benchmarks import api, availability, cache, props_kernel, props_market, props_score
from benchmarks.availability_readers import Asking
from benchmarks.redis_rows import rows_of
from benchmarks.report import Report
from benchmarks.sizing import Cost


def test_the_loss_of_a_prediction_is_the_surprise_in_nats():
    p, won = np.array([0.5, 0.9, 0.9, 0.25]), np.array([1.0, 1.0, 0.0, 0.0])
    assert props_score.losses(p, won) == pytest.approx([math.log(2), -math.log(0.9), -math.log(0.1), -math.log(0.75)])


def test_certainty_that_was_wrong_costs_much_but_not_everything():
    (loss,) = props_score.losses(np.array([0.0]), np.array([1.0]))
    assert loss == pytest.approx(-math.log(1e-6))
    assert props_score.losses(np.array([1.0]), np.array([1.0])) == pytest.approx([1e-6], rel=1e-3)


def test_the_interval_of_a_difference_that_is_the_same_every_day_is_that_difference():
    day = np.repeat(np.arange(20), 5)
    assert props_score.interval(np.full(100, 0.25), day) == (0.25, 0.25)


def test_days_are_drawn_and_not_rows():
    # within a day the rows cancel, so that drawing days moves nothing, whereas drawing rows would
    day = np.repeat(np.arange(30), 2)
    low, high = props_score.interval(np.tile([1.0, -1.0], 30), day)
    assert (low, high) == (0.0, 0.0)
    apart = np.where(day % 2 == 0, 1.0, -1.0)
    low, high = props_score.interval(apart, day)
    # the mean of 30 fair signs has a standard deviation of 0.18
    assert -0.45 < low < -0.25
    assert 0.25 < high < 0.45


def test_the_same_rows_give_the_same_interval():
    rng = np.random.default_rng(3)
    difference, day = rng.normal(size=200), rng.integers(0, 25, 200)
    assert props_score.interval(difference, day) == props_score.interval(difference, day)


def scored(p, won, theirs):
    rows = len(p)
    return pl.DataFrame(
        {
            "prob_over": p,
            "y": won,
            "ref_A": theirs,
            "ref_C": theirs,
            "ref_D": theirs,
            "date": [dt.date(2025, 5, 1)] * rows,
        }
    )


def test_scores_stand_beside_references_on_the_rows_that_were_predicted():
    rows = scored([0.5, 0.5, None, 0.5], [1, 0, 1, 0], [0.25, 0.25, 0.9, 0.25])
    told = props_score.figures(rows)
    assert (told["n"], told["coverage"], told["over"], told["Brier"]) == ("3", "0.750", "0.333", "0.25000")
    ours, theirs = math.log(2), (-math.log(0.25) - 2 * math.log(0.75)) / 3
    assert told["minus A"].split()[0] == f"{ours - theirs:+.5f}"
    assert told["minus A"] == told["minus C"] == told["minus D"]


def test_the_model_stands_beside_the_market_and_the_base_rate():
    rows = pl.DataFrame(
        {
            "strikeouts": [6, 4, 7, 5], "line": [5.5, 5.5, 5.5, 5.5], "prob_over": [0.6, 0.6, 0.6, 0.6],
            "fair": [0.5, 0.5, 0.5, 0.5], "game_date": [dt.date(2025, 6, day) for day in (1, 1, 2, 2)],
        }
    )  # fmt: skip
    report = Report("x")
    props_market.side_by_side(report, "all", "All", rows)
    (table,) = report.tables
    market, model, base = table.rows
    assert "4 rows, over 0.500" in table.title
    assert market.values == [pytest.approx(math.log(2))] == base.values
    assert model.values == [pytest.approx(-(math.log(0.6) + math.log(0.4)) / 2)]
    assert (market.more["Brier"], model.more["Brier"]) == ("0.2500", "0.2600")
    assert model.more["minus market, 95 %"].startswith(f"{model.values[0] - math.log(2):+.4f}")


class Never(Asking):
    """Is asked nothing; its counts are written by hand."""

    def ask(self):
        return "never"


def test_the_share_of_reads_is_that_of_simulated_time_however_many_reads_a_phase_holds():
    reader = Never()
    reader.ends = Counter(fresh=1, stale=1)
    reader.end_phase(100.0)
    reader.ends += Counter(fresh=1000)
    assert reader.since == Counter(fresh=1000)
    reader.end_phase(300.0)
    assert reader.phases == [(100.0, Counter(fresh=1, stale=1)), (300.0, Counter(fresh=1000))]
    assert reader.since == Counter()
    # 50 of 100 s and all of 300 s
    assert reader.share("fresh") == 87.5
    assert reader.share("stale") == 12.5
    assert reader.share("fresh", "stale") == 100.0
    assert reader.share("StoreUnavailable") == 0.0


@pytest.mark.parametrize(("ticks", "down"), [(12, range(3, 9)), (4, range(1, 3)), (2, range(1))])
def test_feeds_are_down_in_half_of_the_ticks_on_end(ticks, down):
    assert [tick for tick in range(ticks) if availability.is_down(tick, ticks)] == list(down)


def test_feeds_are_down_for_longer_than_a_slate_is_fresh():
    down = sum(availability.is_down(tick, availability.TICKS) for tick in range(availability.TICKS))
    assert down * availability.TICK_S == 1800 > SLATE_FRESH_S


def test_what_does_not_come_is_an_error_and_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(availability, "PATIENCE_S", 0)
    with pytest.raises(TimeoutError, match="waited 0 s for spring"):
        availability.wait_for(lambda: False, "spring")


def test_the_longest_time_without_an_answer_is_measured_from_one_answered_read_to_the_next():
    answers, twice = threading.Event(), threading.Event()
    answers.set()
    failed = []

    def read():
        if not answers.is_set():
            failed.append(time.monotonic())
            if len(failed) > 1:
                twice.set()
            raise StoreUnavailable("gone", source="redis")

    with availability.Probe(0, 1, read) as probe:
        answers.clear()
        assert twice.wait(60)
        answers.set()
        assert probe.longest() > failed[-1] - failed[0] > 0


def test_the_share_of_hits_since_a_moment_counts_only_what_came_after_it():
    counted = SimpleNamespace(hits=Counter({"props.rows": 10}), misses=Counter({"props.rows": 30}))
    before = cache.counted(counted)
    counted.hits["props.rows"] += 3
    counted.misses["props.rows"] += 1
    assert cache.share_since(counted, before) == 75.0


def test_who_asks_is_asked_for_what_and_how():
    with pytest.raises(TypeError, match="abstract"):
        Asking()


def test_ids_are_drawn_by_their_rank():
    drawn = Counter(cache.zipf(list(range(1, 101)), 60_000, seed=1))
    harmonic = sum(1 / rank for rank in range(1, 101))
    for rank in (1, 2, 10):
        assert drawn[str(rank)] / 60_000 == pytest.approx(1 / rank / harmonic, rel=0.1)
    assert cache.zipf([7, 8], 5, seed=2) == cache.zipf([7, 8], 5, seed=2)


@given(st.integers(0, 5))
def test_a_tenth_of_the_players_is_repriced_and_nothing_else_moves(seed):
    props = pl.DataFrame(
        {"player_id_mlbam": list(range(50)) * 2, "best_price_decimal": [1.9] * 100, "line": [0.5] * 100}
    )
    moved = cache.repriced(props, list(range(50)), seed)
    changed = moved.filter(pl.col("best_price_decimal") != 1.9)
    assert changed["player_id_mlbam"].n_unique() == 5
    assert changed.height == 10
    assert moved.drop("best_price_decimal").equals(props.drop("best_price_decimal"))


@pytest.mark.parametrize(("share", "value"), [(0.5, 500.5), (0.99, 990.99), (0.999, 999.999)])
def test_a_percentile_is_read_between_the_values(share, value):
    assert api.percentile([float(each) for each in range(1, 1001)], share) == pytest.approx(value)


@pytest.mark.parametrize("kind", ["props", "features"])
def test_made_up_rows_are_as_many_as_asked_for_and_the_same_each_time(kind):
    rows = rows_of(kind, 300)
    assert rows.height == 300
    assert rows.equals(rows_of(kind, 300))
    assert not rows.equals(rows_of(kind, 300, seed=2))
    if kind == "props":
        assert rows["prop_id"].n_unique() == 300


def test_a_days_cost_is_what_the_counters_grew_by():
    before = Cost(10, 5, 2, 1.0, 1.0, 0.5, 0.1, 1.0, 2.0, 3.0, 4.0)
    after = Cost(30, 9, 3, 4.0, 2.5, 0.75, 0.3, 1.5, 2.0, 5.0, 4.25)
    spent = after - before
    assert (spent.requests, spent.task_runs, spent.batches, spent.wall_s) == (20, 4, 1, 3.0)
    assert (spent.archive_mb, spent.prefect_mb) == (0.0, 0.25)


def test_the_loops_that_the_kernel_is_timed_against_come_to_the_same_probabilities():
    given = props_kernel.chances(30)
    tails = dict(zip(props_kernel.SUMMED, props_kernel.arrays(*given), strict=True))
    lines = [tail[:, 1 : len(MARKETS[key].lines) + 1] for key, tail in tails.items()]
    np.testing.assert_allclose(props_kernel.per_row(*given), np.concatenate(lines, axis=1), atol=1e-12)
