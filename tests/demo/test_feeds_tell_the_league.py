"""What the league holds comes back whole from each feed's words, before, during and after its games."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from backstop.clock import baseball_day
from backstop.demo import DEMO_DAY
from backstop.demo.clubs import BY_NAME
from backstop.demo.dialects import livefeed, radarprops, sportradar, statsapi, theodds
from backstop.demo.league.calendar import season
from backstop.demo.league.people import players
from backstop.demo.league.world import NOON, LeagueWorld
from backstop.demo.world import Appearance, Game
from backstop.sources import chadwick
from backstop.sources.sportradar import people as radar_people
from backstop.sources.sportradar import playerprops, summary
from backstop.sources.sportradar import schedule as radar_schedule
from backstop.sources.statsapi import boxscore, people, schedule
from backstop.sources.statsapi import livefeed as live
from backstop.sources.theodds import events, props
from backstop.sources.theodds.markets import with_alternates
from tests.sources.answers import answer

MORNING = dt.datetime(2025, 5, 2, 8, tzinfo=dt.UTC)
NIGHT = dt.datetime(2025, 5, 3, 1, 30, tzinfo=dt.UTC)
AFTER = dt.datetime(2025, 5, 4, 12, tzinfo=dt.UTC)
HYDRATE = frozenset({"probablePitcher", "lineups", "team"})
MARKETS = with_alternates([
    "batter_hits", "batter_total_bases", "batter_home_runs", "batter_strikeouts", "batter_walks", "pitcher_strikeouts",
    "pitcher_outs", "pitcher_hits_allowed",
])  # fmt: skip


@pytest.fixture(scope="module", params=[MORNING, NOON, NIGHT, AFTER], ids=["morning", "noon", "night", "after"])
def world(request: pytest.FixtureRequest) -> LeagueWorld:
    return LeagueWorld(now=request.param)


@pytest.fixture(scope="module")
def games(world: LeagueWorld) -> list[Game]:
    return world.games(DEMO_DAY, DEMO_DAY)


@pytest.fixture(scope="module")
def listed(world: LeagueWorld, games: list[Game]) -> pl.DataFrame:
    said = statsapi.schedule(games, world.person, HYDRATE)
    parsed = schedule.parse(answer(schedule.plan_day(DEMO_DAY)[0], said))
    assert parsed.rejected.is_empty()
    assert not parsed.drift
    return parsed.frame


def test_the_schedule(games: list[Game], listed: pl.DataFrame):
    rows = {row["game_pk"]: row for row in listed.to_dicts()}
    assert len(rows) == len(games)
    for game in games:
        assert rows[game.game_pk] == {
            "game_pk": game.game_pk, "game_date": game.day, "start_at": game.start_at, "start_is_tbd": game.start_tbd,
            "season": 2025, "game_type": "R",
            "status": game.status, "abstract_status": game.abstract, "doubleheader": game.doubleheader,
            "game_number": game.number, "home_team": game.home.club.abbr, "away_team": game.away.club.abbr,
            "home_team_id_mlbam": game.home.club.team_id, "away_team_id_mlbam": game.away.club.team_id,
            "venue_id_mlbam": game.home.club.venue_id, "home_score": game.home.score, "away_score": game.away.score,
            "home_starter_id_mlbam": game.home.starter, "away_starter_id_mlbam": game.away.starter,
            "resumed_on": None,
        }  # fmt: skip


def test_posted_line_ups(world: LeagueWorld, games: list[Game]):
    said = statsapi.schedule(games, world.person, HYDRATE)
    rows = schedule.lineups(answer(schedule.plan_day(DEMO_DAY)[0], said)).frame
    told = {
        (game.game_pk, side is game.home, slot, player)
        for game in games
        for side in (game.home, game.away)
        for slot, player in enumerate(side.lineup, start=1)
    }
    assert set(rows.select("game_pk", "is_home", "slot", "player_id_mlbam").iter_rows()) == told
    assert bool(told) == (world.now >= NOON)


def counts(row: Appearance) -> dict[str, Any]:
    """What the box score's columns must hold of a player."""
    bat, arm = row.batting, row.pitching
    names = {
        "plate_appearances": "plateAppearances", "at_bats": "atBats", "hits": "hits", "doubles": "doubles",
        "triples": "triples", "home_runs": "homeRuns", "total_bases": "totalBases", "walks": "baseOnBalls",
        "strikeouts": "strikeOuts", "hit_by_pitch": "hitByPitch", "runs": "runs", "rbi": "rbi",
        "stolen_bases": "stolenBases",
    }  # fmt: skip
    found = {name: bat.get(key) for name, key in names.items()}
    thrown = {
        "batters_faced": "battersFaced", "outs_recorded": "outs", "pitcher_strikeouts": "strikeOuts",
        "pitcher_walks": "baseOnBalls", "hits_allowed": "hits", "home_runs_allowed": "homeRuns",
        "earned_runs": "earnedRuns",
    }  # fmt: skip
    return found | {name: arm.get(key) for name, key in thrown.items()}


def test_box_scores(world: LeagueWorld, games: list[Game], listed: pl.DataFrame):
    for game in games:
        rows = [] if game.status == "Postponed" else world.appearances(game.game_pk)
        said = statsapi.boxscore(game, rows, world.person)
        parsed = boxscore.parse(answer(boxscore.plan([game.game_pk])[0], said), listed)
        assert parsed.players.rejected.is_empty()
        box = {row["player_id_mlbam"]: row for row in parsed.box.frame.to_dicts()}
        assert set(box) == {row.player_id for row in rows if row.batting or row.pitching}
        for row in rows:
            if row.player_id in box:
                told = box[row.player_id]
                assert {name: told[name] for name in counts(row)} == counts(row)
                assert told["is_starter"] == (
                    (row.order is not None and row.order % 100 == 0) or row.pitching.get("gamesStarted") == 1
                )
        slots = parsed.players.frame.filter(pl.col("slot") > 0).sort("is_home", "slot")["player_id_mlbam"].to_list()
        assert slots == ([*game.away.lineup, *game.home.lineup] if rows else [])


def test_live_feeds(world: LeagueWorld, games: list[Game]):
    for game in games:
        plays = [] if game.status == "Postponed" else world.plays_of_game(game.game_pk)
        rows = [] if game.status == "Postponed" else world.appearances(game.game_pk)
        found = live.parse(answer(live.plan([game.game_pk])[0], livefeed.feed(game, plays, rows, world.person)))
        assert found.rejected.is_empty()
        for row, play in zip(found.frame.to_dicts(), plays, strict=True):
            over = play.is_complete
            assert (row["at_bat_number"], row["inning"], row["inning_topbot"] == "Top") == (
                play.number,
                play.inning,
                play.is_top,
            )
            assert (row["batter_id_mlbam"], row["pitcher_id_mlbam"]) == (play.batter, play.pitcher)
            assert (row["stand"], row["p_throws"], row["pitches"]) == (play.stand, play.throws, play.pitches)
            assert (row["events"], row["rbi"]) == ((play.event, play.rbi) if over else (None, None))
            assert (row["home_score"], row["away_score"]) == (play.home_score, play.away_score)
        assert sum(not play.is_complete for play in plays) == (game.status == "In Progress")
        if plays:
            assert (plays[-1].home_score, plays[-1].away_score) == (game.home.score, game.away.score)


def test_sportradars_schedule_and_summaries(world: LeagueWorld, games: list[Game]):
    said = sportradar.schedule(DEMO_DAY, games, MORNING)
    parsed = radar_schedule.parse(answer(radar_schedule.plan(DEMO_DAY)[0], said))
    assert parsed.rejected.is_empty()
    rows = {row["game_pk"]: row for row in parsed.frame.to_dicts()}
    for game in games:
        told = rows[game.game_pk]
        assert (told["start_at"], told["home_team"], told["away_team"]) == (
            game.start_at, game.home.club.abbr, game.away.club.abbr
        )  # fmt: skip
        assert (told["home_score"], told["away_score"]) == (game.home.score, game.away.score)
        assert (told["doubleheader"], told["game_number"]) == (game.doubleheader != "N", game.number)
        assert sportradar.number(told["game_id_sportradar"]) == game.game_pk
    played = [game for game in games if game.status != "Postponed"]
    told_games = [sportradar.summary(game, world.appearances(game.game_pk), world.person) for game in played]
    found = summary.parse(answer(summary.plan_day(DEMO_DAY)[0], sportradar.summaries(DEMO_DAY, told_games, MORNING)))
    assert found.rejected.is_empty()
    by_key = {(row["game_pk"], row["player_id_mlbam"]): row for row in found.frame.to_dicts()}
    for game in played:
        for row in world.appearances(game.game_pk):
            told = by_key[game.game_pk, row.player_id]
            own = counts(row)
            assert {name: told[name] for name in told.keys() & own.keys()} == {
                name: own[name] for name in told.keys() & own.keys()
            }
            side = game.home if row.is_home else game.away
            assert told["slot"] == (side.lineup.index(row.player_id) + 1 if row.player_id in side.lineup else None)
            assert told["is_starting_pitcher"] == (row.player_id == side.starter)


def test_prices_of_both_feeds(world: LeagueWorld):
    today = [event for event in world.events(None) if baseball_day(event.commence_at) == DEMO_DAY]
    (item,) = events.plan(DEMO_DAY)
    heard = events.parse(answer(item, [theodds.event_json(event) for event in today], at=world.now))
    assert heard.rejected.is_empty()
    assert set(heard.frame["event_id_theodds"]) == {event.event_id for event in today}
    asked = theodds.ask({"markets": ",".join(MARKETS), "regions": "us", "oddsFormat": "american"}, props=True)
    by_id = {event.event_id: event for event in today}
    for item, event_id in zip(props.plan(heard.frame, MARKETS), heard.frame["event_id_theodds"], strict=True):
        event = by_id[event_id]
        quotes = world.quotes(event.event_id, None)
        parsed = props.parse(answer(item, theodds.event_odds(event, quotes, asked), at=world.now))
        pre = quotes.filter(pl.col("updated_at") < event.commence_at)
        assert set(parsed.rejected_by_rule) <= {"in_play", "superseded"}
        assert parsed.rejected_by_rule.get("in_play", 0) == len(quotes) - len(pre)
        assert len(parsed.frame) + len(parsed.rejected) == len(quotes)
        base = pl.col("market").str.strip_suffix("_alternate")
        key = ["book", "market", "player", "point", "side"]
        kept = pre.with_columns(base, side=pl.col("side").str.to_lowercase()).unique(key)
        assert len(parsed.frame) == len(kept)
        prices = parsed.frame.rename({"bookmaker": "book", "player_name": "player", "line": "point"}).join(kept, on=key)
        exact = (
            pl.when(pl.col("american") > 0).then(1 + pl.col("american") / 100).otherwise(1 - 100 / pl.col("american"))
        )
        assert len(prices) == len(kept)
        off = (prices["price_decimal"] - prices.select(exact).to_series()).abs()
        assert (off < 1e-9).all()
        assert parsed.frame["home_team"].unique().to_list() in ([BY_NAME[event.home_team].abbr], [])
        main = quotes.filter(pl.col("market").is_in(list(radarprops.PROP_NAMES)))
        page = answer(playerprops.plan(DEMO_DAY)[0], radarprops.player_props([(event, quotes)], MORNING), at=world.now)
        second = playerprops.parse(page)
        assert second.rows_in == len(main)
        if world.now < event.commence_at:
            assert set(second.rejected_by_rule) <= {"superseded"}
            assert set(second.frame["market"]) == set(main["market"])
        else:
            assert second.rejected_by_rule == {"in_play": len(main)}


def test_people_profiles_rosters_and_the_register(league: LeagueWorld):
    everybody = league.season_players(2025)
    said = {"people": [statsapi.person_json(person) for person in everybody]}
    rows = {
        row["player_id_mlbam"]: row for row in people.parse(answer(people.plan_season(2025)[0], said)).frame.to_dicts()
    }
    for person in everybody:
        told = rows[person.player_id]
        assert (told["full_name"], told["birth_date"], told["bats"], told["throws"], told["position"]) == (
            person.full_name, person.birth_date, person.bats, person.throws, person.position
        )  # fmt: skip
        assert told["last_first_name"] == f"{person.last_name}, {person.first_name}"
    plan = radar_people.plan_profiles([sportradar.uuid_of_player(person.player_id) for person in everybody[:40]])
    for item, person in zip(plan, everybody, strict=False):
        told = radar_people.parse_profile(answer(item, sportradar.profile(person, None, MORNING))).frame.row(
            0, named=True
        )
        assert (told["player_id_mlbam"], told["full_name"], told["birth_date"]) == (
            person.player_id, person.full_name, person.birth_date
        )  # fmt: skip
        assert told["bats"] == {"S": "B"}.get(person.bats, person.bats)
    clubs = {game.home.club.team_id for game in league.games(season()[0].day, season()[0].day)}
    assert all(len(league.roster(club, DEMO_DAY)) == 26 for club in clubs)
    assert league.roster(1, DEMO_DAY) == []
    files = [
        chadwick.parse(answer(item, league.register(item.key[-1]).write_csv().encode())) for item in chadwick.plan()
    ]
    register = chadwick.whole(files).frame
    assert len(register) == len(everybody)
    names = dict(register.select("player_id_mlbam", chadwick.full_name()).iter_rows())
    assert names == {player.person.player_id: player.person.full_name for player in players()}


def test_of_another_season_nobody_is_told(league: LeagueWorld):
    assert league.season_players(2024) == []
    assert league.person(1) is None
    assert league.game(1) is None
    assert league.event("0" * 32, None) is league.quotes("0" * 32, None) is None
