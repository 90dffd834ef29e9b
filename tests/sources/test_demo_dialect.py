"""What the demo upstream serves over HTTP is what the feeds plan, inspect and parse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Self

import httpx
import polars as pl
import pytest

from backstop.demo import DEMO_DAY
from backstop.demo.upstream import Upstream
from backstop.errors import UpstreamError
from backstop.identity.match import match_quotes
from backstop.identity.sportradar import as_players, crosswalk
from backstop.net.item import Answer, Item, Secret
from backstop.sources import registry
from backstop.sources.parsed import merge
from backstop.sources.savant import completeness, pitches
from backstop.sources.sportradar import playerprops, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import boxscore, people, schedule
from backstop.sources.theodds import events, props
from backstop.tables import BOX, GAMES, PLAYERS, QUOTES

NOON = dt.datetime.combine(DEMO_DAY, dt.time(16), dt.UTC)
MARKETS = ["batter_hits", "batter_total_bases", "batter_home_runs", "pitcher_strikeouts"]


class Asker:
    """Asks the demo upstream and inspects what comes, as the network room would."""

    def __init__(self, base_url: str) -> None:
        self.client = httpx.Client(base_url=base_url, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()

    def __call__(self, item: Item) -> Answer:
        headers = {"x-api-key": "k"} if item.secret is Secret.HEADER_X_API_KEY else {}
        response = self.client.get(item.path, params=item.params, headers=headers)
        assert response.status_code == 200, response.text[:200]
        registry.TABLES[item.table].inspect(response.content)
        return Answer(item, 200, response.content, NOON, "", tuple(response.headers.items()))


@pytest.fixture(scope="module")
def ask() -> Iterator[Asker]:
    with Upstream.start("demo") as upstream, Asker(upstream.base_url) as asker:
        yield asker


@pytest.fixture(scope="module")
def games(ask: Asker) -> pl.DataFrame:
    parsed = schedule.parse(ask(schedule.plan_day(DEMO_DAY)[0]))
    assert not parsed.drift
    return parsed.frame


@pytest.fixture(scope="module")
def players(ask: Asker, games: pl.DataFrame) -> pl.DataFrame:
    played = games.filter(~pl.col("status").is_in(list(schedule.OFF)))
    boxes = [boxscore.parse(ask(item), games) for item in boxscore.plan(played["game_pk"])]
    whole = merge([box.players for box in boxes], PLAYERS)
    assert (len(whole.rejected), whole.drift.sentence()) == (0, "")
    assert not merge([box.box for box in boxes], BOX).rejected_by_rule
    return whole.frame


def test_every_game_to_be_played_has_two_rosters_and_two_starting_pitchers(
    games: pl.DataFrame, players: pl.DataFrame
) -> None:
    played = games.filter(~pl.col("status").is_in(list(schedule.OFF)))
    counts = players.group_by("game_pk").agg(pl.len(), pl.col("is_starting_pitcher").sum(), pl.col("team").n_unique())
    assert len(counts) == len(played)
    assert set(counts["is_starting_pitcher"]) == {2}
    assert set(counts["team"]) == {2}


def test_nearly_every_quoted_name_is_found(ask: Asker, games: pl.DataFrame, players: pl.DataFrame) -> None:
    listed = events.parse(ask(events.plan(DEMO_DAY)[0])).frame
    whole = merge([props.parse(ask(item)) for item in props.plan(listed, MARKETS)], QUOTES, newest="updated_at")
    assert set(whole.rejected_by_rule) <= {"in_play"}
    matched = match_quotes(whole.frame, games, players)
    assert len(matched.quotes) > 1_000
    assert 0 < matched.unmatched_share < 0.02, matched.sentence()


def test_a_day_of_pitches_is_whole_against_its_schedule(ask: Asker) -> None:
    day = DEMO_DAY - dt.timedelta(days=2)
    parsed = pitches.parse(ask(pitches.plan([day])[0]))
    listed = schedule.parse(ask(schedule.plan_day(day)[0])).frame
    assert (len(parsed.rejected), parsed.drift.added, parsed.drift.duplicated) == (0, (), ())
    assert completeness.check(day, parsed.frame, listed).is_whole


def test_a_day_split_by_game_is_the_day(ask: Asker) -> None:
    day = DEMO_DAY - dt.timedelta(days=2)
    item = pitches.plan([day])[0]
    whole = pitches.parse(ask(item))
    parts = [pitches.parse(ask(part)) for part in pitches.split(item, whole.frame["game_pk"].unique().sort())]
    assert pitches.merge(parts).frame.equals(whole.frame)


def test_the_second_source_says_the_same_games_players_and_prices(
    ask: Asker, games: pl.DataFrame, players: pl.DataFrame
) -> None:
    parsed = sportradar_schedule.parse(ask(sportradar_schedule.plan(DEMO_DAY)[0]))
    said = sportradar_schedule.as_games(parsed, games)
    assert said.frame.schema == GAMES.schema
    assert set(said.frame["game_pk"]) == set(games["game_pk"])
    rosters = summary.parse(ask(summary.plan_day(DEMO_DAY)[0])).frame
    known = crosswalk(rosters, players)
    assert known["player_id_mlbam"].null_count() < len(known) * 0.02
    pks = parsed.frame.select("game_id_sportradar", "game_pk")
    listed = as_players(rosters, pks, known)
    assert set(listed["player_id_mlbam"]) <= set(players["player_id_mlbam"])
    prices = playerprops.parse(ask(playerprops.plan(DEMO_DAY)[0]))
    assert set(prices.rejected_by_rule) <= {"in_play", "superseded"}
    assert prices.frame.schema == QUOTES.schema


def test_people_are_those_of_the_rosters(ask: Asker, players: pl.DataFrame) -> None:
    found = people.parse(ask(people.plan_season(DEMO_DAY.year)[0]))
    assert set(players["player_id_mlbam"]) <= set(found.frame["player_id_mlbam"])


def test_a_hostile_day_ends_in_whole_data_a_refusal_or_a_named_gap() -> None:
    day = DEMO_DAY - dt.timedelta(days=3)
    with Upstream.start("demo", seed=3) as calm, Asker(calm.base_url) as asker:
        sound = pitches.parse(asker(pitches.plan([day])[0])).frame
        listed = schedule.parse(asker(schedule.plan_day(day)[0])).frame
    ends: set[str] = set()
    faults = "savant:html=0.2,savant:shortened=0.2,savant:empty=0.2,savant:error-column=0.1"
    with Upstream.start("demo", seed=3, faults=faults) as storm, Asker(storm.base_url) as asker:
        for _ in range(30):
            try:
                parsed = pitches.parse(asker(pitches.plan([day])[0]))
            except UpstreamError as error:
                ends.add(type(error).__name__)
                continue
            assert len(parsed.frame) + len(parsed.rejected) == parsed.rows_in
            if parsed.frame.equals(sound):
                ends.add("whole")
            else:
                assert not completeness.check(day, parsed.frame, listed).is_whole
                ends.add("named gap")
    assert {"whole", "UpstreamMalformed"} <= ends <= {"whole", "UpstreamMalformed", "named gap"}
