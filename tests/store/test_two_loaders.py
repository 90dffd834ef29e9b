"""Two loaders of one slate, in every order in which their steps can fall: only whole versions are served, none older."""

from __future__ import annotations

import datetime as dt
import itertools

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.errors import IncompleteVersion, StaleVersion
from backstop.store.reader import SlateReader, State
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, props

PLAYERS = 2
STEPS = ("begin", "load the rest", "publish")
ORDERS = [
    tuple(0 if place in first else 1 for place in range(2 * len(STEPS)))
    for first in itertools.combinations(range(2 * len(STEPS)), len(STEPS))
]
HALVES = [[props(PLAYERS, seed=seed, first=600_000 + 100 * half) for half in range(2)] for seed in range(2)]
WHOLE = [pl.concat(halves).sort("prop_id") for halves in HALVES]
HOUR = dt.timedelta(hours=1)


class Loader:
    """Goes through the steps of one version, one at a time."""

    def __init__(self, writer, name: int, cutoff: dt.datetime) -> None:
        self.writer, self.name, self.cutoff = writer, name, cutoff
        self.steps, self.halves = iter(STEPS), iter(HALVES[name])
        self.draft, self.refused = None, False

    def go_on(self) -> str:
        step = next(self.steps)
        if step == "begin":
            self.draft = self.writer.open(DAY, cutoff=self.cutoff, run_id=f"run-{self.name}")
        if step != "publish":
            self.writer.load(self.draft, "props", next(self.halves))
        else:
            try:
                self.writer.publish(self.draft, {"props": WHOLE[self.name].height}, {"of": self.name})
            except StaleVersion:
                self.refused = True
        return step

    @property
    def rank(self) -> tuple[dt.datetime, int]:
        """Which of two versions is the newer: what was known longer, then what was begun later."""
        return (self.cutoff, self.draft.version)


@pytest.mark.parametrize(
    "ahead", [-HOUR, 0 * HOUR, HOUR], ids=["second knows less", "both the same", "second knows more"]
)
def test_whatever_order_two_loaders_steps_fall_in_readers_get_the_newer_one_whole(redis, writer, clock, ahead):
    assert len(set(ORDERS)) == 20
    for order in ORDERS:
        redis.flushall()
        reader = SlateReader(redis, clock)
        loaders = [Loader(writer, 0, CUTOFF), Loader(writer, 1, CUTOFF + ahead)]
        served = None
        for name in order:
            loader = loaders[name]
            if loader.go_on() == "publish":
                wins = served is None or loader.rank > served.rank
                assert loader.refused is not wins
                served = loader if wins else served
            slate = reader.slate(DAY)
            if served is None:
                assert slate.state is State.MISSING
            else:
                assert (slate.version, slate.meta) == (served.draft.version, {"of": served.name})
        assert_frame_equal(reader.props(DAY).sort("prop_id"), WHOLE[served.name], check_column_order=False)


def of_one_number(redis, writer):
    """Return a loader whose version Redis lost with all data, and the next one, which got the same number."""
    lost = Loader(writer, 0, CUTOFF)
    lost.go_on()
    redis.flushall()
    other = Loader(writer, 1, CUTOFF)
    other.go_on()
    assert other.draft.version == lost.draft.version
    return lost, other


def test_whose_version_was_lost_with_all_data_writes_nothing_into_the_next_one_of_that_number(redis, writer, reader):
    lost, other = of_one_number(redis, writer)
    with pytest.raises(IncompleteVersion, match=r"version that was being written is gone .*Open a new one and load"):
        lost.go_on()
    other.go_on()
    assert other.go_on() == "publish"
    assert reader.slate(DAY).meta == {"of": 1}
    assert_frame_equal(reader.props(DAY).sort("prop_id"), WHOLE[1], check_column_order=False)


@pytest.mark.parametrize("ending", ["publish", "abandon"])
def test_whose_version_was_lost_with_all_data_ends_it_without_touching_the_next_one_of_that_number(
    redis, writer, reader, ending
):
    lost, other = of_one_number(redis, writer)
    if ending == "abandon":
        writer.abandon(lost.draft)
    else:
        with pytest.raises(IncompleteVersion, match=r"version that was being written is gone .*publishing version 1"):
            # as many rows as the other one holds: their number does not tell them apart
            writer.publish(lost.draft, {"props": HALVES[1][0].height}, {"of": 0})
    other.go_on()
    assert other.go_on() == "publish"
    assert reader.slate(DAY).meta == {"of": 1}
    assert_frame_equal(reader.props(DAY).sort("prop_id"), WHOLE[1], check_column_order=False)
