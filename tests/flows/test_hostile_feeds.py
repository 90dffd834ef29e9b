"""Bad input to survive: each kind with a clear word, its gap named, and nothing else lost."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.clock import days_between
from backstop.errors import UpstreamError
from backstop.lake.states import State
from backstop.net.bridge import Bridge
from backstop.settings import Settings
from backstop.sources.savant import pitches
from backstop.stages import publish, turn
from backstop.store import embedded
from tests.flows.league import EARLY, OPENING, QUICK, Rooms, gaps, outcomes, sentence
from tests.flows.proxy import DOWN, WEB_PAGE, Proxy, body, csv

pytestmark = pytest.mark.prefect

DAY = dt.date(2025, 4, 10)
"""A day with eight days of history, of which each but the first answers wrongly in its own way."""

HTML, EMPTY, CUT, ERROR, TWICE_NAMED, NEW_COLUMN, NO_BATTER = days_between(OPENING + dt.timedelta(days=1), DAY)[:-1]
LOST = {HTML, EMPTY, CUT, ERROR, NO_BATTER}


def pitches_of(day: dt.date) -> str:
    return f"game_date_gt={day}"


def cut(content: bytes) -> bytes:
    """End in the middle of a row, and of a field."""
    return content[: len(content) * 3 // 5]


TIMED_OUT = b'"error"\n"Error: Query Timeout. Please try to limit your query to less data."\n'


def twice_named(content: bytes) -> bytes:
    """Name a column that nobody needs as another one is named already."""
    header, _, rows = content.partition(b"\n")
    assert b"umpire" in header
    return header.replace(b"umpire", b"release_speed") + b"\n" + rows


def new_column(content: bytes) -> bytes:
    header, *rows = content.rstrip(b"\n").split(b"\n")
    return b"\n".join([header + b",spirit_level", *(row + b",7" for row in rows)])


def no_batter(content: bytes) -> bytes:
    """Call a column by another name without which no row means anything."""
    header, _, rows = content.partition(b"\n")
    return header.replace(b"batter,", b"hitter,", 1).replace(b'"batter"', b'"hitter"', 1) + b"\n" + rows


@dataclass
class Bruised:
    rooms: Rooms
    feed: Proxy
    state: Any

    @property
    def summary(self) -> Any:
        return self.state.result()


@pytest.fixture(scope="module")
def bruised(prefect_server, league, tmp_path_factory):
    """A run of which most answers about pitches, one box score and one event's odds are wrong for good."""
    with Proxy(league.base_url) as feed, Rooms.opened(tmp_path_factory.mktemp("bruised") / "home") as rooms:
        feed.spoil(pitches_of(HTML), WEB_PAGE)
        feed.spoil(pitches_of(EMPTY), csv(b""))
        feed.spoil(pitches_of(CUT), body(cut))
        feed.spoil(pitches_of(ERROR), csv(TIMED_OUT))
        feed.spoil(pitches_of(TWICE_NAMED), body(twice_named))
        feed.spoil(pitches_of(NEW_COLUMN), body(new_column))
        feed.spoil(pitches_of(NO_BATTER), body(no_batter))
        yield Bruised(rooms, feed, rooms.refresh(DAY, upstream=feed.base_url, request_budget_s=10))


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (HTML, "in maintenance"),
        (EMPTY, "expected any rows, saw 0"),
        (CUT, "the answer was cut"),
        (ERROR, "answered an error as data: Error: Query Timeout"),
        (NO_BATTER, "batter"),
    ],
)
def test_a_day_of_pitches_that_answers_wrongly_is_a_named_gap(bruised, day, words):
    assert words in gaps(bruised.summary, "core_pitches")[day.isoformat()]
    assert day not in bruised.rooms.house.lake.days("core_pitches")
    entry = bruised.rooms.house.ledger.entry("core_pitches", day.isoformat())
    assert entry is None or entry.state is State.FAILED


@pytest.mark.parametrize("wrong", [WEB_PAGE, body(cut), csv(TIMED_OUT)])
def test_a_wrong_answer_is_asked_for_again(league, tmp_path, wrong):
    # a day by itself: where most days answer wrongly, the breaker opens before each of them had its second try
    with Proxy(league.base_url) as feed, Bridge(Settings(home=tmp_path, upstream=feed.base_url)) as bridge:
        feed.spoil(pitches_of(HTML), wrong)
        (answer,) = bridge.fetch_many(pitches.plan([HTML]), pitches.inspect, budget_s=5)
        assert isinstance(answer, UpstreamError)
        assert feed.count(pitches_of(HTML)) > 1


def test_columns_that_stand_twice_or_are_new_are_reported_and_lose_no_row(bruised):
    pitches = outcomes(bruised.summary)["core_pitches"]
    assert any("duplicated: release_speed" in each for each in pitches.drift)
    assert any("added: spirit_level" in each for each in pitches.drift)
    lake = bruised.rooms.house.lake
    assert lake.days("core_pitches") == {OPENING, TWICE_NAMED, NEW_COLUMN}
    assert lake.read("core_pitches", TWICE_NAMED)["release_speed_mph"].mean() > 80
    assert pitches.loaded == lake.scan("core_pitches").collect().height


def test_only_the_days_that_answer_wrongly_are_missing(bruised):
    assert set(gaps(bruised.summary, "core_pitches")) == {day.isoformat() for day in LOST}


def test_the_slate_is_published_as_degraded_and_says_what_is_missing(bruised):
    assert bruised.state.name == "Degraded"
    view = bruised.rooms.house.reader.slate(DAY)
    assert view.state == "fresh"
    assert view.meta["quality"] == "degraded"
    told = {gap["key"] for gap in view.meta["gaps"] if gap["table"] == "core_pitches"}
    assert told == set(gaps(bruised.summary, "core_pitches"))


def test_the_numbers_add_up_also_when_much_is_wrong(bruised):
    for each in outcomes(bruised.summary).values():
        assert each.rows_in == each.loaded + each.quarantined + each.failed


def test_when_the_feed_has_recovered_only_what_was_missing_is_asked_for(bruised, league, tmp_path):
    """In a copy of the home, so that the other tests of the run still find what it left."""
    shutil.copytree(bruised.rooms.home, tmp_path / "home", ignore=shutil.ignore_patterns("redis"))
    with Proxy(league.base_url) as feed, Rooms.opened(tmp_path / "home") as rooms:
        state = rooms.refresh(DAY, upstream=feed.base_url)
        assert state.name == "Completed"
        asked = {each.partition("game_date_gt=")[2][:10] for each in feed.asked if "statcast_search" in each}
        assert asked == {day.isoformat() for day in LOST}


@dataclass
class Settled:
    """A home after one run, whose processes have ended."""

    home: Path
    state: Any
    asked_twice: int

    @contextlib.contextmanager
    def copied(self, to: Path) -> Iterator[Rooms]:
        shutil.copytree(self.home, to, ignore=shutil.ignore_patterns("s", "*.pid", "*.lock"))
        with Rooms.opened(to) as rooms:
            yield rooms


@pytest.fixture(scope="module")
def settled(prefect_server, league, tmp_path_factory):
    """A run in which a day of pitches, an event's odds and a box score answer wrongly once."""
    with Proxy(league.base_url) as feed, Rooms.opened(tmp_path_factory.mktemp("settled") / "home") as rooms:
        feed.spoil(pitches_of(OPENING), WEB_PAGE, times=1)
        feed.spoil("/odds?", body(cut), times=1)
        feed.spoil("/boxscore", DOWN, times=1)
        state = rooms.refresh(EARLY, upstream=feed.base_url)
        rooms.leave()
        return Settled(rooms.home, state, feed.count(pitches_of(OPENING)))


def test_one_wrong_answer_is_asked_for_again_and_nothing_is_missing(settled):
    assert settled.asked_twice == 2
    assert settled.state.name == "Completed"
    assert settled.state.result().gaps == ()


def test_a_schedule_that_nobody_can_read_fails_the_run_with_a_sentence(rooms, league):
    with Proxy(league.base_url) as feed:
        feed.spoil("/schedule", WEB_PAGE)
        state = rooms.refresh(EARLY, upstream=feed.base_url, **QUICK)
        assert feed.count("statcast_search") == 0
    assert state.is_failed()
    assert f"The schedule of {EARLY} is not known" in sentence(state)
    assert "in maintenance" in sentence(state)


def test_odds_that_nobody_can_read_leave_a_slate_without_prices(rooms, league):
    with Proxy(league.base_url) as feed:
        feed.spoil("/events?", WEB_PAGE)
        state = rooms.refresh(EARLY, upstream=feed.base_url, **QUICK)
    assert state.name == "Degraded"
    assert any("in maintenance" in reason for reason in gaps(state.result(), "core_quotes").values())
    props = rooms.props(EARLY)
    assert props.height > 1000
    assert props["books"].sum() == 0
    assert props["best_price_decimal"].is_null().all()


def test_one_event_and_one_box_score_that_cannot_be_had_are_gaps_and_the_others_go_on(rooms, league):
    with Proxy(league.base_url) as feed:
        feed.spoil("/odds?", body(cut), one=True)
        feed.spoil("/boxscore", WEB_PAGE, one=True)
        feed.spoil("/mlb/", DOWN)
        state = rooms.refresh(EARLY, upstream=feed.base_url, **QUICK)
    assert state.name == "Degraded"
    assert len(gaps(state.result(), "core_quotes")) == 1
    assert len(gaps(state.result(), "core_players")) == 1
    assert rooms.props(EARLY).filter(pl.col("books") > 0).height > 500
    for each in outcomes(state.result()).values():
        assert each.rows_in == each.loaded + each.quarantined + each.failed


def test_a_dead_upstream_fails_the_run_with_a_sentence(rooms):
    with Proxy(None) as gone:
        address = gone.base_url
    state = rooms.refresh(EARLY, upstream=address, **QUICK)
    assert state.is_failed()
    assert f"The schedule of {EARLY} is not known" in sentence(state)
    assert "Run the day again" in sentence(state)


def test_a_day_that_another_run_does_not_let_go_is_a_gap_and_the_slate_is_degraded(
    settled, league, tmp_path, monkeypatch
):
    """The others of its batch are kept."""
    monkeypatch.setattr(turn, "PATIENCE_S", 0.1)
    following = EARLY + dt.timedelta(days=1)
    with settled.copied(tmp_path / "home") as rooms:
        rooms.house.ledger.begin("core_pitches", EARLY.isoformat(), run_id="another")
        state = rooms.refresh(following, upstream=league.base_url)
        assert state.name == "Degraded"
        assert "is being worked on by run another" in gaps(state.result(), "core_pitches")[EARLY.isoformat()]
        assert rooms.house.reader.slate(following).meta["quality"] == "degraded"
        features = rooms.house.lake.read("out_features", following)
        assert set(features["as_of"]) == {EARLY - dt.timedelta(days=1)}


def test_a_redis_that_goes_away_before_the_flip_leaves_the_old_version_and_the_rerun_completes(
    settled, league, tmp_path
):
    with settled.copied(tmp_path / "home") as rooms:
        before = rooms.props(EARLY)
        assert before.height > 1000
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(publish, "publish", _after_the_server_is_gone(rooms, publish.publish))
            state = rooms.refresh(EARLY, upstream=league.base_url)
        assert state.is_failed()
        assert "Redis does not answer" in sentence(state)
        assert "\n" not in sentence(state)

        rooms.leave()  # the next run is another process
        assert rooms.house.reader.slate(EARLY).version == 1
        assert rooms.props(EARLY).equals(before)

        assert rooms.refresh(EARLY).name == "Completed"
        assert rooms.house.reader.slate(EARLY).version > 1
        assert rooms.props(EARLY).equals(before)


def _after_the_server_is_gone(rooms, flip):
    def publish(*args, **kwargs):
        with contextlib.suppress(FileNotFoundError):
            assert embedded.stop(rooms.home / "redis")
        return flip(*args, **kwargs)

    return publish
