"""Whole days, minute by minute, as the API's gauge tells them: `SlateStale` sleeps through all that is ordinary.

A scheduler looks every five minutes and does what `due` says, a run takes two minutes; the gauge is what
`overdue` says just before each look, the worst moment, and stands until the next. Prometheus' own `promtool` then
judges the rule on it.
"""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from backstop import tables
from backstop.clock import FixedClock
from backstop.settings import Settings
from backstop.stages import days, due, overdue
from backstop.stages.house import House
from backstop.store.views import SlateView, State
from tests.stages.gameday import at, begin, failed, post, refreshed
from tests.stages.rows import DAY, games

RULES = Path(__file__).resolve().parents[2] / "deployments" / "monitoring" / "alerts.yml"
LOOK = dt.timedelta(minutes=5)
RUN = dt.timedelta(minutes=2)
FROM, TO = -4.5, 3.5
"""Hours from the first pitch; the last game begins two hours after it."""
LAST = 2.0
LINEUPS = -3.5
WINTER = dt.date(2025, 12, 24)


@dataclass
class Play:
    """A day as it goes.

    Attributes:
        name: What it is like.
        every: Pause between prices; None without a key.
        schedule: What is known of the day: its games, that there are none, or nothing.
        runs: Whether the scheduler looks, at so many hours.
        works: Whether a run succeeds that is started at so many hours.
        pages: Hours at which somebody is woken; at all others nobody is.
        day: The baseball day.
    """

    name: str
    every: dt.timedelta | None = LOOK
    schedule: str = "games"
    runs: Callable[[float], bool] = lambda _: True
    works: Callable[[float], bool] = lambda _: True
    pages: tuple[float, ...] = ()
    day: dt.date = DAY


PLAYS = [
    Play("prices every five minutes"),
    Play("prices once an hour, for the credits", every=dt.timedelta(hours=1)),
    Play("no key, so no prices", every=None),
    Play("an off day", schedule="none"),
    Play("winter", schedule="unknown", day=WINTER),
    Play("one refresh fails and the next try does not", works=lambda hours: not -1.05 < hours < -0.95),
    Play("the scheduler dies an hour before the first pitch", runs=lambda hours: hours < -1, pages=(-0.3, 0, 1.5, 1.9)),
    Play("the feed is down soon after it", works=lambda hours: hours < 0.75, pages=(1.4, 1.6, 1.9)),
    Play("nobody looks all day", runs=lambda _: False, pages=(-0.1, 1, 1.9)),
    Play("nobody even asks for the schedule", schedule="unknown", runs=lambda _: False, pages=(-1.5, 0, 2, 3)),
]


def played(play: Play, home: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the gauge of a day, a value for each five minutes."""
    clock = FixedClock(at(FROM))
    house = House(Settings(_env_file=None, home=home, upstream="live" if play.every is None else "http://x"), clock)
    monkeypatch.setattr(due, "prices_every", lambda *_: play.every)
    shift = play.day - DAY
    if play.schedule == "games":
        begin(house)
        house.lake.write(tables.GAMES.name, DAY, games(DAY, 1, start_at=at(0), abstract_status="Preview").vstack(
            games(DAY, 2, start_at=at(LAST), abstract_status="Preview")))  # fmt: skip
    elif play.schedule == "none":
        house.ledger.empty(tables.GAMES.name, play.day.isoformat(), run_id="r", reason="none")
    seen, latest, gauge = None, None, []
    for tick in range(int((TO - FROM) * 12)):
        hours = FROM + tick / 12
        now = clock.at = at(hours) + shift
        if hours >= LINEUPS and seen is None and play.schedule == "games" and play.runs(hours):
            post(house, clock, 1, 2)
            seen = now
        served = SlateView(
            play.day, State.STALE if latest else State.MISSING, 1 if latest else None, published_at=latest
        )
        (day,) = days.of_range(house, play.day, play.day)
        gauge.append(int(bool(overdue.of_slate(house, day, served, now))))
        wanted = [each for each in due.runs(house, now, prices_every=play.every) if each.day == play.day]
        if wanted and play.runs(hours):
            clock.at = now + RUN
            if play.works(hours):
                refreshed(house, 1, 2)
                latest = clock.at
            else:
                failed(house)
    house.close()
    return gauge


def judged(play: Play, gauge: list[int]) -> dict[str, object]:
    """Return the day as a test of `promtool`: what the rule says every ten minutes."""
    rules = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
    words = next(rule["annotations"] for rule in rules if rule["alert"] == "SlateStale")
    said = {name: text.replace("{{ $labels.slate }}", str(play.day)) for name, text in words.items()}
    alert = {"exp_labels": {"severity": "page", "slate": str(play.day)}, "exp_annotations": said}
    if play.pages:
        moments = [(hours, [alert]) for hours in play.pages] + [(FROM + 1, [])]
        moments += [] if play.schedule == "unknown" else [(LAST + 0.1, []), (LAST + 1, [])]
    else:
        moments = [(FROM + tick / 12, []) for tick in range(0, len(gauge), 2)]
    return {
        "name": play.name,
        "interval": "5m",
        "input_series": [
            {"series": f'backstop_slate_overdue{{slate="{play.day}"}}', "values": " ".join(map(str, gauge))}
        ],
        "alert_rule_test": [
            {"eval_time": f"{round((hours - FROM) * 60)}m", "alertname": "SlateStale", "exp_alerts": expected}
            for hours, expected in moments
        ],
    }


@pytest.fixture(scope="module")
def gauges(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return {play.name: played(play, tmp_path_factory.mktemp("home"), patch) for play in PLAYS}


def longest(gauge: list[int]) -> int:
    """Return the longest stretch of ones, minutes."""
    return max(map(len, "".join(map(str, gauge)).split("0"))) * 5


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
def test_a_refresh_is_owed_for_long_only_when_one_was_due_and_did_not_come(play, gauges):
    assert (longest(gauges[play.name]) > 15) is bool(play.pages), gauges[play.name]


def test_the_rule_pages_on_the_faults_and_on_no_ordinary_day(gauges, promtool, tmp_path):
    tests = [judged(play, gauges[play.name]) for play in PLAYS]
    file = tmp_path / "days_test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
