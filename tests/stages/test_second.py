"""The second source: asked when the first one owes the slate's schedule or prices, and said so in the result."""

from __future__ import annotations

import datetime as dt
import json
import re

import polars as pl
import pytest
from pydantic import SecretStr

from backstop.clock import SystemClock, baseball_day
from backstop.settings import Feed
from backstop.sources.savant import pitches
from backstop.sources.sportradar import playerprops
from backstop.sources.statsapi import schedule
from backstop.sources.theodds import events, props
from backstop.stages import forecast, plan, receive, second
from backstop.stages.fetch import Missed, fetch
from backstop.stages.house import House
from backstop.stages.match import matched_quotes
from tests.flows.proxy import DOWN, Reply
from tests.stages.rows import DAY, games

CLUBS = {
    "NYY": ("a09ec676-f887-43dc-bbb3-cf4bbaee9a18", "New York Yankees"),
    "BOS": ("93941372-eb4c-4c40-aced-fe3267174393", "Boston Red Sox"),
}
LISTING = Reply(
    200,
    {"content-type": "application/json"},
    json.dumps({
        "league": {"alias": "MLB"},
        "games": [
            {
                "id": "9a3e0000-0000-4000-8000-000000000001", "status": "scheduled", "game_number": 1,
                "scheduled": "2025-06-15T17:35:00+00:00", "double_header": False, "reference": "777001",
                "home": {"id": CLUBS["NYY"][0], "abbr": "NYY"}, "away": {"id": CLUBS["BOS"][0], "abbr": "BOS"},
            }
        ],
    }).encode(),
)  # fmt: skip


SOON = baseball_day(dt.datetime.now(dt.UTC)) + dt.timedelta(days=1)
"""Tomorrow by the machine's clock, which stamps answers: prices of games that began are none."""


def prop_page(*players: str, events: int = 1) -> Reply:
    outcomes = [{"type": side, "odds_decimal": "1.91", "total": 0.5, "removed": False} for side in ("over", "under")]
    market = {"name": "total hits", "books": [{"name": "DraftKings", "removed": False, "outcomes": outcomes}]}
    sides = [
        {"name": name, "qualifier": side} for side, (_, name) in zip(("home", "away"), CLUBS.values(), strict=True)
    ]
    event = {
        "sport_event": {"id": "sr:sport_event:1", "start_time": f"{SOON}T17:35:00+00:00", "competitors": sides},
        "players_props": [{"player": {"name": name}, "markets": [market]} for name in players],
    }
    body = {"generated_at": "2025-06-15T12:00:00Z", playerprops.ROOTS[0]: [event] * events}
    return Reply(200, {"content-type": "application/json"}, json.dumps(body).encode())


def test_a_schedule_that_the_stats_api_owes_comes_from_sportradar_with_a_word_why(online, feed):
    feed.spoil("/api/v1/schedule", DOWN)
    feed.spoil("/mlb/", LISTING)
    batch = fetch(online, 1, schedule.plan_day(DAY), "schedule")
    assert batch.missed == ()
    (word,) = batch.notes
    assert word.startswith("schedule: sportradar, because statsapi ")
    assert "503" in word
    (received,) = receive.games_by_day(online, [batch])
    assert received.parsed.frame.select("game_pk", "home_team", "abstract_status").rows() == [
        (777001, "NYY", "Preview")
    ]
    assert receive.stood_in([batch]) == [DAY]


def test_the_word_names_the_time_since_when_the_breaker_is_open(online, feed):
    feed.spoil("/api/v1/", DOWN)
    feed.spoil("/mlb/", LISTING)
    many = [item for month in range(1, 13) for item in schedule.plan(dt.date(2024, month, 1), dt.date(2024, month, 2))]
    fetch(online, 1, many, "history")
    assert next(each for each in online.bridge.health() if each.feed == "statsapi").breaker != "closed"
    batch = fetch(online, 2, schedule.plan_day(DAY), "schedule")
    assert re.match(
        r"schedule: sportradar, because statsapi breaker is (open|half-open) since \d\d:\d\d:\d\d UTC", batch.notes[0]
    )


def test_a_day_known_from_the_second_source_is_asked_of_the_first_again(online, feed):
    online.lake.write("core_games", DAY, games(DAY, 777001))
    key = DAY.isoformat()
    online.ledger.begin("core_games", key, run_id="r")
    online.ledger.complete("core_games", key, run_id="r", rows_in=1, rows_loaded=1)
    plan.settle_schedule(online, [DAY], "r", [DAY])
    assert online.ledger.missing("core_games", [key]) == [key]


def test_a_day_without_games_is_not_called_empty_on_the_second_sources_word(online):
    plan.settle_schedule(online, [DAY], "r", [DAY])
    assert online.ledger.entry("core_games", DAY.isoformat()) is None


def test_when_both_fail_the_gap_names_both(online, feed):
    feed.spoil("/api/v1/", DOWN)
    feed.spoil("/mlb/", DOWN)
    batch = fetch(online, 1, schedule.plan_day(DAY), "schedule")
    assert batch.answers == batch.notes == ()
    (missed,) = batch.missed
    assert "schedule: sportradar, because statsapi" in missed.sentence
    assert missed.item.feed is Feed.STATSAPI


def test_a_month_of_history_is_not_asked_of_the_second_source(online, feed):
    feed.spoil("/api/v1/", DOWN)
    batch = fetch(online, 1, schedule.plan(dt.date(2025, 5, 1), dt.date(2025, 5, 31)), "schedule")
    assert len(batch.missed) == 1
    assert feed.count("/mlb/") == 0


@pytest.mark.parametrize("spoilt", ["/events", "/odds"])
def test_prices_that_the_odds_feed_owes_come_from_sportradar_and_find_their_players(online, feed, spoilt):
    online.clock = SystemClock()
    online.lake.write("core_games", SOON, games(SOON, 777001, status="Scheduled", abstract_status="Preview"))
    listed = [{"id": "e" * 32, "sport_key": "baseball_mlb", "commence_time": f"{SOON}T17:35:00Z",
               "home_team": "New York Yankees", "away_team": "Boston Red Sox"}]  # fmt: skip
    feed.spoil(f"{spoilt}?", DOWN)
    feed.spoil("/events?", Reply(200, {"content-type": "application/json"}, json.dumps(listed).encode()))
    feed.spoil("/oddscomparison", prop_page("Judge, Aaron"))
    first = fetch(online, 1, plan.event_batches(online, SOON)[0], "events")
    planned = plan.quote_batches(online, SOON, receive.events_listed(online, [first]))
    batches = [first, *(fetch(online, 2, items, "quotes") for items in planned)]
    word = next(note for batch in batches for note in batch.notes)
    assert word.startswith("odds: sportradar, because theodds ")
    assert [lost for batch in batches for lost in batch.missed] == []
    received = matched_quotes(online, batches, SOON).received
    # without rosters nobody is recognised, but the game is, and no quote is lost
    assert received.parsed.rejected_by_rule == {"no_roster": 2}


def test_what_has_one_source_only_stays_missed(online):
    item = pitches.plan([DAY])[0]
    assert second.instead(online, [Missed(item, "UpstreamMalformed", "a page")]) == []


def summary_of(*games: tuple[str | None, dict[str, str]]) -> Reply:
    """A day's summary: per game MLB's number, and the MLBAM ids of players by name, none where it is empty."""

    def side(club: str, people: dict[str, str]) -> dict[str, object]:
        overall = {"ap": 4, "ab": 4, "onbase": {"h": 2, "d": 1, "t": 0, "hr": 1, "tb": 6, "bb": 0, "ibb": 0, "hbp": 0},
                   "outs": {"ktotal": 1}, "outcome": {"ktotal": 9}, "runs": {"total": 1}, "rbi": 3,
                   "steal": {"stolen": 1}}  # fmt: skip
        entries = [{"id": f"{club}-{name}", "full_name": name} | ({"mlbam_id": mlbam} if mlbam else {})
                   for name, mlbam in people.items()]  # fmt: skip
        played = [entry | {"statistics": {"hitting": {"overall": overall}}} for entry in entries[:1]]
        lineup = [{"id": entries[0]["id"], "inning": 0, "order": 1}] if entries else []
        return {"id": CLUBS[club][0], "abbr": club, "roster": entries, "players": played, "lineup": lineup}

    told = [
        {"id": f"game-{number}", "scheduled": f"{DAY}T17:35:00+00:00", "home": side("NYY", people),
         "away": side("BOS", {"Duran, Jarren": "680776"})} | ({"reference": reference} if reference else {})
        for number, (reference, people) in enumerate(games)
    ]  # fmt: skip
    body = {"league": {"alias": "MLB", "games": [{"game": game} for game in told]}}
    return Reply(200, {"content-type": "application/json"}, json.dumps(body).encode())


@pytest.mark.parametrize("reference", ["777001", None])
def test_box_scores_that_the_stats_api_owes_come_from_sportradar_and_settle(online, feed, reference):
    online.lake.write("core_games", DAY, games(DAY, 777001))
    feed.spoil("/boxscore", DOWN)
    feed.spoil("/mlb/", summary_of((reference, {"Judge, Aaron": "592450", "Nobody, Known": ""})))
    batch = fetch(online, 1, plan.box_batches(online, DAY)[0], "box scores")
    assert batch.missed == ()
    assert batch.notes[0].startswith("box scores: sportradar, because statsapi ")
    players, box = receive.box_scores(online, [batch], DAY)
    assert set(players.parsed.frame["player_id_mlbam"]) == {592450, 680776}
    assert players.parsed.rejected_by_rule == {"unknown_player": 1}
    row = box.parsed.frame.filter(player_id_mlbam=592450).row(0, named=True)
    settled = ("game_pk", "team", "is_starter", "hits", "total_bases", "strikeouts", "runs", "rbi", "stolen_bases")
    assert tuple(row[name] for name in settled) == (777001, "NYY", True, 2, 6, 1, 1, 3, 1)
    assert row["batters_faced"] is None
    assert receive.games_untold(online, [batch], players.parsed.frame, DAY) == ()


def test_games_that_the_second_source_cannot_tell_apart_are_named_and_never_guessed(online, feed):
    online.lake.write("core_games", DAY, games(DAY, 777001, 777002))
    feed.spoil("/boxscore", DOWN)
    feed.spoil("/mlb/", summary_of((None, {"Judge, Aaron": "592450"}), (None, {"Judge, Aaron": "592450"})))
    batch = fetch(online, 1, plan.box_batches(online, DAY)[0], "box scores")
    players, box = receive.box_scores(online, [batch], DAY)
    assert players.parsed.frame.is_empty()
    assert box.parsed.frame.is_empty()
    named = receive.games_untold(online, [batch], players.parsed.frame, DAY)
    assert [gap.key for gap in named] == ["777001", "777002"]


def test_a_day_settled_by_the_second_source_is_asked_of_the_first_again(online, feed):
    key = DAY.isoformat()
    online.lake.write("core_games", DAY, games(DAY, 777001))
    feed.spoil("/boxscore", DOWN)
    feed.spoil("/mlb/", summary_of(("777001", {"Judge, Aaron": "592450"})))
    batch = fetch(online, 1, plan.box_batches(online, DAY)[0], "box scores")
    online.ledger.begin("core_box", key, run_id="r")
    online.ledger.complete("core_box", key, run_id="r", rows_in=1, rows_loaded=1)
    plan.settle_scores(online, DAY, [batch])
    assert online.ledger.missing("core_box", [key]) == [key]


def test_an_event_that_is_over_is_no_reason_to_ask_elsewhere(online):
    item = props.plan(_event(), ["batter_hits"])[0]
    over = Missed(item, "UpstreamRefused", "the event is over")
    assert second.instead(online, [over]) == []
    out = Missed(item, "OutOfCredits", "no credits are left")
    (asked,) = second.instead(online, [out])
    assert [each.feed for each in asked.items] == [Feed.SPORTRADAR]


def test_prices_of_the_past_are_not_asked_of_the_second_source(online):
    item = props.plan(_event(), ["batter_hits"], "commence")[0]
    assert second.instead(online, [Missed(item, "OutOfCredits", "no credits are left")]) == []
    item = events.plan(DAY, dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC))[0]
    assert second.instead(online, [Missed(item, "OutOfCredits", "no credits are left")]) == []


def test_every_page_of_the_second_source_is_fetched(online, feed):
    feed.spoil("start=0", prop_page("A B", events=10))
    feed.spoil("start=10", prop_page("C D", events=3))
    batch = fetch(online, 1, playerprops.plan(DAY), "events")
    assert [answer.item.key for answer in batch.answers] == [f"{DAY}@0", f"{DAY}@10"]


def test_with_its_key_alone_sportradar_is_asked_for_prices_from_the_start(house):
    keyed = House(house.settings.model_copy(update={"sportradar_key": SecretStr("k" * 24)}), house.clock)
    assert plan.quotes_wanted(keyed, DAY) == ""
    ((item,),) = plan.event_batches(keyed, DAY)
    assert item.table == playerprops.TABLE
    assert second.word(keyed, [item]) == ("odds: sportradar, because theodds has no key",)
    assert plan.quotes_wanted(keyed, DAY - dt.timedelta(days=1)).startswith("no prices")
    keyed.lake.write("core_games", DAY, games(DAY, *range(1, 12)))
    asked, sentence = forecast.forecast(keyed, DAY)
    assert (asked[-1].feed, asked[-1].requests, asked[-1].credits) == ("sportradar", 2, 2)  # ten games a page
    assert sentence == (
        "odds: sportradar, because theodds has no key. "
        "sportradar: 2 requests, at most 2 credits; how many are left is not known yet."
    )
    keyed.close()


def _event():
    start = dt.datetime(2025, 6, 15, 17, 35, tzinfo=dt.UTC)
    return pl.DataFrame({"event_id_theodds": ["e" * 32], "commence_at": [start]})
