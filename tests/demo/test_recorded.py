"""A folder of recordings, small and invented, as the feeds would have served it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.demo.dialects import savant, statsapi
from backstop.demo.recorded.quotes import market_of
from backstop.demo.recorded.world import RecordedWorld
from backstop.demo.world import PitchAsk
from backstop.errors import UsageError
from tests.demo import folder as f

KEY = ["game_pk", "at_bat_number", "pitch_number"]


def test_a_folder_without_anything_to_serve_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="nothing to serve"):
        RecordedWorld(tmp_path)
    with pytest.raises(UsageError, match="not a folder"):
        RecordedWorld(tmp_path / "absent")


def test_the_widest_row_wins_and_other_files_fill_in(tmp_path: Path):
    everything = f.pitches()
    wide = everything.filter(pl.col("at_bat_number") % 2 == 0)
    world = RecordedWorld(f.write(tmp_path, wide=wide, narrow=everything))
    found = world.pitches(PitchAsk(first=f.DAY, last=f.DAY))
    assert_frame_equal(found.select(KEY), everything.select(KEY).sort(KEY, descending=True), check_dtypes=False)
    tracked = found.filter(pl.col("plate_x").is_not_null())["at_bat_number"].unique().sort()
    assert tracked.to_list() == wide["at_bat_number"].unique().sort().to_list()


def test_what_happened_is_taken_from_the_later_recording(tmp_path: Path):
    later = f.pitches()
    # before November 2024 Savant spelt base running as events, and later corrections were not in yet
    old = later.with_columns(
        events=pl.when(pl.col("events") == "truncated_pa")
        .then(pl.lit("caught_stealing_2b"))
        .when((pl.col("events") == "single") & (pl.col("inning") == 1))
        .then(pl.lit("field_error"))
        .otherwise("events")
    )
    extra = old.filter(pl.col("at_bat_number") == 1, pl.col("pitch_number") == 2).with_columns(pitch_number=pl.lit(3))
    world = RecordedWorld(f.write(tmp_path, wide=pl.concat([old, extra.cast(old.schema)]), narrow=later))
    found = world.pitches(PitchAsk(first=f.DAY, last=f.DAY))
    assert found.height == later.height
    assert found["plate_x"].null_count() == 0
    assert_frame_equal(
        found.select(*KEY, "events"), later.select(*KEY, "events").sort(KEY, descending=True), check_dtypes=False
    )


def test_a_repeated_row_in_a_file_is_served_once(tmp_path: Path):
    rows = f.pitches()
    world = RecordedWorld(f.write(tmp_path, wide=pl.concat([rows, rows.head(5)])))
    assert world.pitches(PitchAsk(first=f.DAY, last=f.DAY)).height == rows.height


def test_filters_narrow_the_answer(tmp_path: Path):
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches()))
    batter, pitcher = f.AWAY_IDS[0], f.HOME_IDS[9]
    ask = PitchAsk(first=f.DAY, last=f.DAY, batters=frozenset({batter}), pitchers=frozenset({pitcher}))
    found = world.pitches(ask)
    assert set(found["batter"]) == {batter}
    assert set(found["pitcher"]) == {pitcher}
    assert world.pitches(PitchAsk(first=f.DAY, last=f.DAY, game_types=savant.POSTSEASON)).is_empty()
    assert world.pitches(PitchAsk(games=frozenset({f.GAME}))).height == f.pitches().height
    assert world.pitches(PitchAsk(games=frozenset({1}))).is_empty()
    assert world.pitches(PitchAsk(first=dt.date(1999, 1, 1), last=dt.date(1999, 12, 31))).is_empty()
    assert world.pitches(PitchAsk(seasons=frozenset({f.DAY.year}), team="SEA")).height == f.pitches().height


def test_an_empty_answer_still_has_savants_header(tmp_path: Path):
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches()))
    body = savant.csv(world.pitches(PitchAsk(first=dt.date(2031, 5, 5), last=dt.date(2031, 5, 5))))
    assert body.count(b"\n") == 1
    assert body.startswith(b'\xef\xbb\xbf"pitch_type","game_date"')


def test_the_row_cap_keeps_the_newest_rows_and_says_nothing(tmp_path: Path):
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches()))
    frame = world.pitches(PitchAsk(first=f.DAY, last=f.DAY))
    lines = savant.csv(frame, cap=7).decode("utf-8-sig").splitlines()
    assert len(lines) == 8
    assert lines[1:] == savant.csv(frame).decode("utf-8-sig").splitlines()[1:8]


def test_names_of_pitchers_and_batters_come_from_who_clearly_bears_them(tmp_path: Path):
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches()))
    found = world.pitches(PitchAsk(first=f.DAY, last=f.DAY))
    assert set(found["player_name"]) == {f"Hurler, {arm}" for arm in found["pitcher"].unique()}
    as_batters = world.pitches(PitchAsk(first=f.DAY, last=f.DAY, named="batter"))
    assert as_batters["player_name"].null_count() == as_batters.height
    person = world.person(f.HOME_IDS[9])
    assert person is not None
    assert person.full_name == f"{f.HOME_IDS[9]} Hurler"
    assert world.person(1) is None


def test_the_schedule_is_derived_where_none_was_recorded(tmp_path: Path):
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches()))
    (game,) = world.games(f.DAY, f.DAY)
    assert (game.game_pk, game.status, game.doubleheader, game.number) == (f.GAME, "Final", "N", 1)
    assert game.start_tbd
    assert (game.home.club.abbr, game.home.score, game.away.club.abbr, game.away.score) == ("SEA", 3, "NYM", 2)
    assert game.home.starter == f.HOME_IDS[9]
    assert game.away.lineup == tuple(f.AWAY_IDS[:9])
    assert world.games(f.DAY + dt.timedelta(days=1), f.DAY + dt.timedelta(days=9)) == []


def test_a_start_that_books_listed_is_the_games_start(tmp_path: Path):
    world = RecordedWorld(f.write_odds(f.write(tmp_path, wide=f.pitches())))
    (game,) = world.games(f.DAY, f.DAY)
    assert (game.start_at, game.start_tbd) == (f.START, False)


def test_a_recorded_schedule_counts_before_a_derived_one(tmp_path: Path):
    world = RecordedWorld(f.write_schedule(f.write(tmp_path, wide=f.pitches())))
    (game,) = world.games(f.DAY, f.DAY)
    assert (game.status, game.home.score) == ("Completed Early", 4)
    assert game.home.lineup == tuple(f.HOME_IDS[:9])
    said = statsapi.game_json(game, world.person, frozenset({"lineups", "probablePitcher", "team"}))
    assert said["status"]["detailedState"] == "Completed Early"
    assert said["teams"]["home"]["probablePitcher"]["id"] == f.HOME_IDS[9]
    assert said["teams"]["home"]["team"]["abbreviation"] == "SEA"
    assert len(said["lineups"]["awayPlayers"]) == 9


def test_the_first_game_of_two_is_the_one_that_nobody_had_played_before(tmp_path: Path):
    second = f.pitches(f.plate_appearances(f.GAME)).with_columns(batter_days_since_prev_game=pl.lit(0))
    first = f.pitches(f.plate_appearances(f.GAME + 7)).with_columns(batter_days_since_prev_game=pl.lit(1))
    world = RecordedWorld(f.write(tmp_path, wide=pl.concat([second, first])))
    games = world.games(f.DAY, f.DAY)
    assert [(game.game_pk, game.number, game.doubleheader) for game in games] == [
        (f.GAME + 7, 1, "S"),
        (f.GAME, 2, "S"),
    ]
    assert games[0].start_at < games[1].start_at


def test_the_box_score_counts_by_the_rules_and_leaves_out_what_pitches_do_not_tell(tmp_path: Path):
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches()))
    rows = {(row.player_id, row.is_home): row for row in world.appearances(f.GAME)}
    slugger = rows[f.HOME_IDS[1], True].batting
    assert (slugger["plateAppearances"], slugger["homeRuns"], slugger["totalBases"], slugger["hits"]) == (1, 1, 4, 1)
    assert rows[f.HOME_IDS[0], True].batting["atBats"] == 1
    assert not {"runs", "rbi", "stolenBases"} & set(slugger)
    starter = rows[f.HOME_IDS[9], True]
    assert starter.position == "P"
    assert (starter.pitching["gamesStarted"], starter.pitching["strikeOuts"]) == (1, 1)
    assert "earnedRuns" not in starter.pitching
    assert rows[f.HOME_IDS[10], True].pitching["gamesStarted"] == 0
    assert [rows[player, False].order for player in f.AWAY_IDS[:9]] == [100 * n for n in range(1, 10)]


@pytest.mark.parametrize("tracked", [True, False])
def test_outs_are_told_by_half_innings_and_absent_where_two_pitchers_cannot_be_told_apart(
    tmp_path: Path, *, tracked: bool
):
    rows = f.pitches() if tracked else f.pitches().drop("outs_when_up")
    world = RecordedWorld(f.write(tmp_path, wide=rows))
    arms = {row.player_id: row.pitching for row in world.appearances(f.GAME) if row.pitching}
    # two innings alone, then two batters without an out; the next man got all three
    assert (arms[f.HOME_IDS[9]]["outs"], arms[f.HOME_IDS[10]]["outs"]) == (6, 3)
    # the visitors' man was beaten by the last play: two whole innings and no out
    assert arms[f.AWAY_IDS[9]]["outs"] == 6
    assert arms[f.AWAY_IDS[9]]["inningsPitched"] == "2.0"


def test_a_shared_half_inning_with_an_out_on_the_bases_is_not_guessed(tmp_path: Path):
    rows = f.plate_appearances()
    for row in rows:
        # a runner was caught in the third: one batter less was put out, and nobody says while who pitched
        if (row["inning"], row["inning_topbot"], row["events"]) == (3, "Top", "sac_fly"):
            row["events"] = "single"
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches(rows).drop("outs_when_up")))
    arms = {row.player_id: row.pitching for row in world.appearances(f.GAME) if row.pitching}
    assert "outs" not in arms[f.HOME_IDS[9]]
    assert "inningsPitched" not in arms[f.HOME_IDS[10]]


def test_rosters_hold_who_appeared_for_the_club_lately_and_for_no_other_since(tmp_path: Path):
    before = f.plate_appearances(f.GAME - 1, f.DAY - dt.timedelta(days=8))
    for row in before:
        row["batter"] += 40 if row["inning_topbot"] == "Bot" else 0
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches(f.plate_appearances() + before)))
    bench = [row for row in world.appearances(f.GAME) if not row.batting and not row.pitching]
    assert {(row.player_id, row.is_home) for row in bench} == {(player + 40, True) for player in f.HOME_IDS[:9]}
    assert all(row.order is None for row in bench)


def test_quotes_are_the_last_ones_not_later_than_the_instant(tmp_path: Path):
    world = RecordedWorld(f.write_odds(f.write(tmp_path, wide=f.pitches())))

    def at(hours: float | None) -> dict:
        quotes = world.quotes(f.EVENT, None if hours is None else f.START + dt.timedelta(hours=hours))
        assert quotes is not None
        return {(row["book"], row["side"]): row["american"] for row in quotes.iter_rows(named=True)}

    assert at(-6) == {}
    assert at(-4.5) == {("betonlineag", "Over"): -150}
    assert at(0) == {
        ("betonlineag", "Over"): -160,
        ("betonlineag", "Under"): 130,
        ("fanduel", "Over"): -140,
        ("mybookieag", "Over"): 110,
        ("mybookieag", "Under"): 100,
    }
    assert at(None)["betonlineag", "Over"] == -900
    assert world.quotes("f" * 32, None) is None


def test_a_pair_that_was_seen_on_both_sides_of_an_instant_is_stamped_with_what_was_seen_before_it(tmp_path: Path):
    world = RecordedWorld(f.write_odds(f.write(tmp_path, wide=f.pitches())))
    quotes = world.quotes(f.EVENT, f.START)
    assert quotes is not None
    assert quotes["updated_at"].max() <= f.START
    row = quotes.filter(book="mybookieag", side="Over").row(0, named=True)
    assert row["updated_at"] == f.START - dt.timedelta(hours=2)
    assert (row["market"], row["player"], row["point"]) == ("pitcher_strikeouts", "T.J. Thrower", 5.5)


def test_a_start_that_moved_is_listed_as_it_was_known(tmp_path: Path):
    world = RecordedWorld(f.write_odds(f.write(tmp_path, wide=f.pitches())))
    early = world.event(f.EVENT, f.START - dt.timedelta(hours=4.5))
    late = world.event(f.EVENT, None)
    assert early is not None
    assert late is not None
    assert late.commence_at - early.commence_at == dt.timedelta(minutes=30)
    assert [event.event_id for event in world.events(f.START + dt.timedelta(hours=2))] == [f.EVENT]
    assert world.events(f.START + dt.timedelta(hours=9)) == []


def test_a_file_of_pairs_whose_name_tells_no_market_is_named_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = f.write_odds(tmp_path)
    (folder / "odds" / "some_strikeout_props.parquet").rename(folder / "odds" / "history.parquet")
    quotes = RecordedWorld(folder).quotes(f.EVENT, None)
    assert quotes is not None
    assert set(quotes["market"]) == {"batter_hits"}
    assert "history.parquet" in caplog.text


def test_names_of_pair_files_tell_their_market():
    assert market_of("quotes.parquet") is None
    assert market_of("stolen_bases_2027.parquet") == "batter_stolen_bases"
    assert market_of("pitcher_hits_allowed.parquet") == "pitcher_hits_allowed"


def test_columns_of_eras_to_come_are_served_where_they_belong(tmp_path: Path):
    rows = f.pitches().with_columns(miss_distance=pl.lit(2.5), aura=pl.lit("blue"), month=pl.lit(5))
    world = RecordedWorld(f.write(tmp_path, wide=rows))
    header = (
        savant.csv(world.pitches(PitchAsk(first=f.DAY, last=f.DAY))).decode("utf-8-sig").split("\n", 1)[0].split(",")
    )
    assert header[header.index('"swing_length"') + 1] == '"miss_distance"'
    assert header[-1] == '"aura"'
    assert '"month"' not in header


def test_a_players_season_is_read_month_by_month(tmp_path: Path):
    months = [dt.date(2031, month, 4) for month in (4, 5, 6, 7, 8, 9)]
    rows = [row for n, day in enumerate(months) for row in f.plate_appearances(f.GAME + n, day)]
    world = RecordedWorld(f.write(tmp_path, wide=f.pitches(rows)))
    found = world.pitches(PitchAsk(batters=frozenset({f.HOME_IDS[0]}), seasons=frozenset({2031})))
    assert found["game_date"].unique().sort().to_list() == months
    assert found["game_date"].is_sorted(descending=True)
    half = world.pitches(PitchAsk(first=months[1], last=months[3]))
    assert half["game_pk"].n_unique() == 3


def test_a_file_that_keeps_everything_as_text_is_understood(tmp_path: Path):
    rows = f.pitches().with_columns(
        pl.col("game_date").cast(pl.String), pl.col("game_pk", "batter", "zone").cast(pl.String), plate_x=pl.lit("--")
    )
    (tmp_path / "savant" / "pitches").mkdir(parents=True)
    rows.write_parquet(tmp_path / "savant" / "pitches" / "text.parquet")
    world = RecordedWorld(tmp_path)
    found = world.pitches(PitchAsk(first=f.DAY, last=f.DAY))
    assert found.height == rows.height
    assert (found["plate_x"].null_count(), found["zone"].min()) == (rows.height, 5.0)
    assert [game.game_pk for game in world.games(f.DAY, f.DAY)] == [f.GAME]
    assert len(world.appearances(f.GAME)) == 21


def test_quotes_alone_can_be_served(tmp_path: Path):
    world = RecordedWorld(f.write_odds(tmp_path))
    assert world.games(f.DAY, f.DAY) == []
    assert world.pitches(PitchAsk(first=f.DAY, last=f.DAY)).is_empty()
    assert [event.home_team for event in world.events(None)] == ["Seattle Mariners"]
